"""Receipts of purchases: the list, one by id, and how they come to be."""

from collections.abc import Callable
from typing import Any

from connections.ramp_simulator import files
from connections.ramp_simulator.bill_records import Receipt
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.money_records import Reimbursement
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.records import Transaction
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World

Test = Callable[[Receipt], bool]


def list_receipts(world: World, call: Call) -> Reply:
    tests = [*_receipt_tests(call), *_purchase_tests(world, call)]
    return page(
        call,
        (row for row in world.receipts.of(call.business) if all(test(row) for test in tests)),
        find=lambda row_id: world.receipts.get(row_id, call.business),
        render=lambda row: _receipt_json(world, call, row),
    )


def get_receipt(world: World, call: Call) -> Reply:
    receipt = world.receipts.get(call.params["receipt_id"], call.business)
    if receipt is None:
        raise not_found("Receipt", call.params["receipt_id"])
    return Reply(payload=_receipt_json(world, call, receipt))


def issue(world: World, row: Transaction | Reimbursement) -> Receipt:
    """Someone keeps the receipt of it."""
    receipt = world.receipts.put(
        Receipt(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=row.business,
            person_id=row.person_id,
            created_at=row.updated_at,
            transaction_id=row.id if isinstance(row, Transaction) else None,
        )
    )
    row.receipts.append(receipt.id)
    world.keep(row)
    return receipt


def add_late(world: World, transaction: Transaction) -> Receipt:
    """A receipt turns up, whatever became of the purchase meanwhile."""
    transaction.updated_at = world.clock()
    receipt = issue(world, transaction)
    announce(world, transaction.business, "transactions.receipt_added", transaction.id)
    return receipt


def _receipt_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if after := call.moment("created_after"):
        tests.append(lambda row: row.created_at >= after)
    if before := call.moment("created_before"):
        tests.append(lambda row: row.created_at <= before)
    if transaction := call.uuid("transaction_id"):
        tests.append(lambda row: row.transaction_id == transaction)
    return tests


def _purchase_tests(world: World, call: Call) -> list[Test]:
    """By when the money was spent; a receipt of nothing that Ramp knows is left out then."""
    since, until = call.moment("from_date"), call.moment("to_date")
    if since is None and until is None:
        return []

    def is_within(row: Receipt) -> bool:
        bought = world.transactions.get(row.transaction_id or "")
        if bought is None:
            return False
        at = bought.user_transaction_time
        return (since is None or at >= since) and (until is None or at <= until)

    return [is_within]


def _receipt_json(world: World, call: Call, row: Receipt) -> dict[str, Any]:
    answer = {
        "id": row.id,
        "created_at": wire_time(row.created_at),
        "user_id": row.person_id,
        "receipt_url": files.receipt_url(world, call, row),
    }
    return answer | ({"transaction_id": row.transaction_id} if row.transaction_id else {})
