"""Trouble with one record of an upload, which refuses the whole batch (fault M1)."""

from typing import Any

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.faults import FaultKind
from connections.ramp_simulator.replies import ApiError, invalid
from connections.ramp_simulator.world import World

_LISTS = ("gl_accounts", "vendors", "options", "tax_rates")


def refuse(world: World, call: Call) -> None:
    """:raises ApiError: if a record that was ordered to be bad is uploaded"""
    if call.method != "POST" or not world.faults.is_on_order(FaultKind.BAD_ROW):
        return
    body = call.json_object()
    for name in _LISTS:
        places = _places(body.get(name))
        fault = world.faults.take(FaultKind.BAD_ROW, call.operation, call.business, places)
        if fault is None:
            continue
        message = fault.message or "Not a value that Ramp takes."
        if fault.is_named:
            raise invalid({name: {str(places[fault.row_id]): {fault.field: [message]}}})
        raise ApiError(fault.status or 400, fault.code or "DEVELOPER_7001", "Invalid input")


def _places(rows: Any) -> dict[str, int]:
    """Where each record of an upload stands, by its id."""
    if not isinstance(rows, list):
        return {}
    return {
        str(row["id"]): place
        for place, row in enumerate(rows)
        if isinstance(row, dict) and "id" in row
    }
