"""Trouble with one record of an upload, which refuses the whole batch (fault M1)."""

from typing import Any

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.faults import FaultKind
from connections.ramp_simulator.replies import ApiError, invalid
from connections.ramp_simulator.world import World

_UPLOADS = {
    "POST /accounting/accounts": "gl_accounts",
    "POST /accounting/field-options": "options",
    "POST /accounting/inventory-item/options": "options",
    "POST /accounting/tax/code/options": "options",
    "POST /accounting/tax/rates": "tax_rates",
    "POST /accounting/vendors": "vendors",
}
"""What the list of records is called."""


def refuse(world: World, call: Call) -> None:
    """:raises ApiError: if a record that was ordered to be bad is uploaded"""
    name = _UPLOADS.get(call.operation)
    if name is None or not world.faults.is_on_order(FaultKind.BAD_ROW):
        return
    places = _places(call.json_object().get(name))
    fault = world.faults.take(FaultKind.BAD_ROW, call.operation, call.business, places)
    if fault is None:
        return
    if fault.is_named:
        message = fault.message or "Not a value that Ramp takes."
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
