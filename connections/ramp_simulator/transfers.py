"""Payments of the card's account: the list with its filters, and one by id."""

from typing import Any

from connections.ramp_simulator import filters
from connections.ramp_simulator.amounts import currency_amount
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.money_records import Transfer
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

Test = filters.Test[Transfer]

STATUSES = (
    "ACH_CONFIRMED",
    "CANCELED",
    "COMPLETED",
    "ERROR",
    "INITIATED",
    "NOT_ACKED",
    "NOT_ENOUGH_FUNDS",
    "PROCESSING_BY_ODFI",
    "REJECTED_BY_ODFI",
    "RETURNED_BY_RDFI",
    "SUBMITTED_TO_FED",
    "SUBMITTED_TO_RDFI",
    "UNNECESSARY",
    "UPLOADED",
)


def list_transfers(world: World, call: Call) -> Reply:
    tests = [
        *filters.older_sync_tests(call, "has_no_sync_commits"),
        *filters.entity_tests(call),
        *_own_tests(call),
    ]
    rows = filters.candidates(world.transfers, call, has_sync_ready=False)
    return page(
        call,
        (row for row in rows if all(test(row) for test in tests)),
        find=lambda row_id: world.transfers.get(row_id, call.business),
        render=_json,
    )


def get_transfer(world: World, call: Call) -> Reply:
    row = world.transfers.get(call.params["transfer_id"], call.business)
    if row is None:
        raise not_found("Transfer", call.params["transfer_id"])
    return Reply(payload=_json(row))


def _own_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if status := call.choice("status", STATUSES):
        tests.append(lambda row: row.status == status)
    if statement := call.uuid("statement_id"):
        tests.append(lambda row: row.statement_id == statement)
    if since := call.moment("from_date"):
        tests.append(lambda row: row.created_at >= since)
    if until := call.moment("to_date"):
        tests.append(lambda row: row.created_at <= until)
    return tests


def _json(row: Transfer) -> dict[str, Any]:
    return {
        "id": row.id,
        "amount": currency_amount(row.minor, row.currency),
        "entity_id": row.entity_id,
        "status": row.status,
        "sync_status": row.sync_status,
        "bank_account_id": row.bank_account_id,
        "payment_id": row.payment_id,
        "created_at": wire_time(row.created_at),
    }
