"""What Ramp gives back on spend: the list with its filters, and one by id."""

from typing import Any

from connections.ramp_simulator import filters
from connections.ramp_simulator.amounts import currency_amount
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.money_records import Cashback
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

Test = filters.Test[Cashback]


def list_cashbacks(world: World, call: Call) -> Reply:
    tests = [
        *filters.older_sync_tests(call, "sync_ready"),
        *filters.entity_tests(call),
        *_own_tests(call),
    ]
    rows = filters.candidates(world.cashbacks, call)
    return page(
        call,
        (row for row in rows if all(test(row) for test in tests)),
        find=lambda row_id: world.cashbacks.get(row_id, call.business),
        render=_json,
    )


def get_cashback(world: World, call: Call) -> Reply:
    row = world.cashbacks.get(call.params["cashback_id"], call.business)
    if row is None:
        raise not_found("Cashback", call.params["cashback_id"])
    return Reply(payload=_json(row))


def _own_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if statement := call.uuid("statement_id"):
        tests.append(lambda row: row.statement_id == statement)
    if since := call.moment("from_date"):
        tests.append(lambda row: row.created_at >= since)
    if until := call.moment("to_date"):
        tests.append(lambda row: row.created_at <= until)
    return tests


def _json(row: Cashback) -> dict[str, Any]:
    return {
        "id": row.id,
        "amount": currency_amount(row.minor, row.currency),
        "entity_id": row.entity_id,
        "sync_status": row.sync_status,
        "created_at": wire_time(row.created_at),
    }
