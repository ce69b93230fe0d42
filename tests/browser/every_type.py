"""One customer's items of every type, as they belong together."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connections.models import Connection
from connections.ramp.schemas import Schema
from syncing.findings import BOOKED_OTHERWISE
from syncing.kinds import KINDS
from syncing.models import CardPayment, ItemEvent, ItemPayload, SyncItem
from syncing.states import ItemState
from tests import spend
from tests.factories import (
    AttachmentFactory,
    SyncItemFactory,
    VendorFactory,
    document_json,
    now,
    transaction_json,
)

Kind = ItemEvent.Kind


def add(connection: Connection) -> None:
    """A few of each type, in the states that only they can be in."""
    VendorFactory.create(connection=connection, erp_id="acme", name="Acme Hosting")
    bill = _paid_bill(connection)
    bill_that_waits(connection)
    paid_by_card(connection)
    vendor_credit(connection, bill)
    _reimbursements(connection)
    _card_account(connection)
    _booked_otherwise(connection)


def item_of(
    connection: Connection, object_type: str, body: Mapping[str, Any], **values: Any
) -> SyncItem:
    """An item of what Ramp shows, with its payload and the first line of its timeline."""
    kind = KINDS[object_type]
    one: Schema = kind.model.read(body)
    seen = kind.snapshot(one)
    item = SyncItemFactory.create(
        connection=connection,
        object_type=object_type,
        phase=kind.phase,
        ramp_id=seen.ramp_id,
        entity_ramp_id=connection.entities.values_list("ramp_id", flat=True).first(),
        **{
            "label": seen.label,
            "memo": seen.memo,
            "person": seen.person,
            "accounting_date": seen.accounting_date,
            "amount_minor": seen.money.minor,
            "currency": seen.money.currency,
            "exponent": seen.money.exponent,
            "ready_at": now() - timedelta(hours=3),
        }
        | values,
    )
    ItemPayload.objects.create(item=item, ramp=dict(body), document=document(item))
    _say(item, Kind.READY, 0)
    if item.erp_ref and item.erp_id:
        _say(item, Kind.SENT, 1, attempt=1)
        _say(item, Kind.POSTED, 2, number=item.erp_number)
    elif item.erp_id:
        why = "The bill was paid by card: the card transaction is the payment."
        _say(item, Kind.FOUND, 2, why, number=item.erp_number)
    if item.acked_at:
        _say(item, Kind.REPORTED, 9)
    return item


def _say(item: SyncItem, kind: str, after: float, text: str = "", **data: object) -> None:
    ItemEvent.objects.create(
        item=item, at=item.ready_at + timedelta(seconds=after), kind=kind, text=text, data=data
    )


def document(item: SyncItem) -> dict[str, Any] | None:
    """What was frozen, as the mappers write it; None of what has no document of its own."""
    if not item.erp_ref:
        return None
    journal = document_json(item)
    journal["lines"][1]["memo"] = item.memo
    if item.object_type not in ("bill", "bill_payment", "vendor_credit"):
        return journal
    is_payment = item.object_type == "bill_payment"
    line = journal["lines"][0] | ({"account": "", "dimensions": {}} if is_payment else {})
    if item.object_type == "bill":
        net, tax = item.amount_minor * 10 // 11, item.amount_minor - item.amount_minor * 10 // 11
        scale = 10**item.exponent
        line |= {"amount": f"{net / scale}", "tax_code": "VAT10", "tax_amount": f"{tax / scale}"}
    return journal | {
        "kind": item.object_type,
        "lines": [line],
        "party": "acme",
        "number": "" if is_payment else item.memo.partition(",")[0],
        "bank_account": "2150" if is_payment else "",
    }


def _through(item_type: str, number: str) -> dict[str, Any]:
    return {"acked": True, "erp_ref": f"ramp-northwind-{item_type}-{number}", "erp_number": number}


def _paid_bill(connection: Connection) -> SyncItem:
    body = spend.bill(412_50, invoice_number="INV-2041", memo="November")
    whole = spend.payment(1_204_50, trace_id={"descriptor": "ACH", "trace_id": "T-88120044"})
    paid = spend.paid(body, whole, sync_status="BILL_AND_PAYMENT_SYNCED")
    bill = item_of(connection, "bill", paid, **_through("bill", "BILL-118"))
    item_of(connection, "bill_payment", paid, **_through("bill_payment", "PAY-77"))
    AttachmentFactory.create(item=bill, attached=True, name="Invoice Acme Hosting.pdf")
    _say(bill, Kind.ATTACHED, 40, "Invoice Acme Hosting.pdf")
    return bill


def bill_that_waits(connection: Connection) -> None:
    """A bill that the customer must mend, and its payment, which waits for it."""
    body = spend.paid(spend.bill(88_000, invoice_number="INV-2050"), sync_status="NOT_SYNCED")
    bill = item_of(connection, "bill", body, failed=True, erp_ref="ramp-northwind-bill-2050")
    words = f"Waits for its bill Acme Hosting ({bill.reference}), which needs attention first."
    payment = item_of(
        connection,
        "bill_payment",
        body,
        due_at=None,
        blocked_by=f"bill:{bill.ramp_id}",
        error_title=words,
    )
    _say(payment, Kind.WAITING, 2, words)


def paid_by_card(connection: Connection) -> None:
    card = uuid.uuid4()
    details = {"transaction_ids": [str(card)]}
    method = spend.payment(59_900, method="CARD", details=details)
    body = spend.paid(spend.bill(59_900, invoice_number="INV-9"), method, sync_status="BILL_SYNCED")
    bill = item_of(connection, "bill", body, **_through("bill", "BILL-119"))
    item_of(connection, "bill_payment", body, acked=True, erp_number="BILL-119")
    bought = SyncItemFactory.create(
        connection=connection,
        ramp_id=card,
        label="Acme Hosting",
        amount_minor=59_900,
        **_through("journal", "RAMP-900"),
    )
    ItemPayload.objects.create(
        item=bought, ramp=transaction_json(bought), document=document_json(bought)
    )
    CardPayment.objects.create(
        connection=connection, transaction_ramp_id=card, bill_ramp_id=bill.ramp_id
    )
    files(bought)


def files(item: SyncItem) -> None:
    """One that is there, one that came late and was too large, one that is tried again."""
    AttachmentFactory.create(item=item, attached=True)
    AttachmentFactory.create(item=item, failed=True, is_late=True)
    AttachmentFactory.create(
        item=item,
        attempts=3,
        due_at=now() + timedelta(minutes=6),
        error_title="Tryton did not answer.",
    )
    _say(item, Kind.ATTACHED, 30, "Receipt Acme Hosting.pdf", late=False)
    _say(item, Kind.NOT_ATTACHED, 140, "The file is larger than Tryton takes.")


def vendor_credit(connection: Connection, bill: SyncItem) -> None:
    applied = [{"bill_id": str(bill.ramp_id), "amount": spend.amount(100_00)}]
    body = spend.vendor_credit(
        300_00,
        reference_number="CM-31",
        applied_bills=applied,
        total_applied_amount=spend.amount(100_00),
        remaining_amount=spend.amount(200_00),
    )
    item_of(connection, "vendor_credit", body, **_through("vendor_credit", "CR-12"))


def _reimbursements(connection: Connection) -> None:
    yen = spend.reimbursement(
        12_800,
        "JPY",
        merchant="JR East",
        sync_status="SYNCED",
        original_reimbursement_amount=spend.amount(86_20, "USD"),
    )
    item_of(connection, "reimbursement", yen, **_through("journal", "RAMP-901"))
    miles = spend.reimbursement(41_87, type="MILEAGE", distance=62.5, merchant="")
    item_of(connection, "reimbursement", miles)


def _card_account(connection: Connection) -> None:
    done = spend.transfer(2_318_044, sync_status="SYNCED")
    item_of(connection, "transfer", done, **_through("journal", "RAMP-902"))
    item_of(
        connection,
        "transfer",
        spend.transfer(410_000, status="RETURNED_BY_RDFI"),
        broken=True,
        error_code="us.transfer_not_due",
        error_title="The bank has returned this transfer, so the card balance is not paid.",
    )
    item_of(connection, "cashback", spend.cashback(12_34), **_through("journal", "RAMP-903"))


def _booked_otherwise(connection: Connection) -> None:
    """Somebody has changed the document in the ERP, and the comparison has seen it."""
    why = "RAMP-904 is over 90.00 USD in Tryton, and over 120.00 USD in Ramp."
    item = item_of(
        connection,
        "reimbursement",
        spend.reimbursement(120_00, merchant="Blue Bottle", sync_status="SYNCED"),
        **_through("journal", "RAMP-904")
        | {
            "ready_at": now() - timedelta(hours=20),
            "state": ItemState.MISMATCH,
            "error_category": "needs_integrator",
            "error_origin": "erp",
            "error_code": BOOKED_OTHERWISE,
            "error_title": why,
        },
    )
    ItemEvent.objects.create(
        item=item,
        at=now() - timedelta(hours=8) + timedelta(minutes=1),
        kind=Kind.RECONCILED,
        text=why,
        data={"code": BOOKED_OTHERWISE},
    )
