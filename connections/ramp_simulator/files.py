"""Pre-signed addresses of receipts and invoices, and what stands behind them.

Like those of a file store: they open for whoever holds them, for an hour, and refuse a caller
who also sends a token.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from connections.ramp_simulator import documents
from connections.ramp_simulator.amounts import major_units
from connections.ramp_simulator.bill_records import Bill, Receipt
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.faults import FaultKind
from connections.ramp_simulator.replies import Reply
from connections.ramp_simulator.world import World

PREFIX = "/_files/"
LIFE = timedelta(hours=1)
OPERATION = "GET file"
_KEY = b"the pretend Ramp signs its addresses"


def receipt_url(world: World, call: Call, receipt: Receipt) -> str:
    suffix = "png" if _is_picture(receipt) else "pdf"
    return _address(world, call, f"receipts/{receipt.id}.{suffix}")


def invoice_urls(world: World, call: Call, bill: Bill) -> list[str]:
    return [
        _address(world, call, f"invoices/{bill.id}.{number}.pdf")
        for number in range(1, bill.invoices + 1)
    ]


def serve(world: World, call: Call) -> Reply:
    """Answer a call under `PREFIX`."""
    if fault := world.faults.take(FaultKind.ANSWER, OPERATION, ""):
        return _refusal(fault.status or 500, "InternalError")
    name = call.path.removeprefix(PREFIX)
    expires, signature = call.query.get("expires", ""), call.query.get("signature", "")
    if "authorization" in call.headers:
        return _refusal(400, "InvalidArgument")
    if not hmac.compare_digest(signature, _signature(name, expires)):
        return _refusal(403, "SignatureDoesNotMatch")
    if int(expires) < world.clock().timestamp():
        return _refusal(403, "AccessDenied")
    with world.lock:
        return _document(world, name) or _refusal(404, "NoSuchKey")


def _document(world: World, name: str) -> Reply | None:
    folder, _, file = name.partition("/")
    row_id = file.partition(".")[0]
    if folder == "invoices" and (bill := world.bills.get(row_id)):
        return Reply(body=documents.pdf(_invoice_lines(world, bill)), content_type=documents.PDF)
    if folder == "receipts" and (receipt := world.receipts.get(row_id)):
        lines = _receipt_lines(world, receipt)
        if _is_picture(receipt):
            return Reply(body=documents.png(lines), content_type=documents.PNG)
        return Reply(body=documents.pdf(lines), content_type=documents.PDF)
    return None


def _invoice_lines(world: World, bill: Bill) -> list[str]:
    payee = world.payees.get(bill.payee_id)
    assert payee is not None
    return [
        payee.name,
        f"Invoice {bill.invoice_number or bill.id}",
        f"Issued {bill.issued_at:%Y-%m-%d}, due {bill.due_at:%Y-%m-%d}",
        f"Total {_amount(bill)}",
    ]


def _receipt_lines(world: World, receipt: Receipt) -> list[str]:
    lines = [f"Receipt of {receipt.created_at:%Y-%m-%d}"]
    if row := world.transactions.get(receipt.transaction_id or ""):
        lines += [row.merchant_name, f"Total {_amount(row)}"]
    return lines


def _amount(row: Any) -> str:
    return f"{major_units(row.minor, row.currency):,} {row.currency}"


def _is_picture(receipt: Receipt) -> bool:
    return receipt.seq % 2 == 1


def _address(world: World, call: Call, name: str) -> str:
    expires = str(int((world.clock() + LIFE).timestamp()))
    query = urlencode({"expires": expires, "signature": _signature(name, expires)})
    return f"{call.base_url}{PREFIX}{name}?{query}"


def _signature(name: str, expires: str) -> str:
    return hmac.new(_KEY, f"{name}?{expires}".encode(), hashlib.sha256).hexdigest()


def _refusal(status: int, code: str) -> Reply:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Reply(status=status, body=body.encode(), content_type="application/xml")
