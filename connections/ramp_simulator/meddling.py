"""Somebody changes things in Ramp's own pages that its ERP is to decide on: drift."""

from datetime import timedelta

from connections.ramp_simulator import seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.faults import FaultKind
from connections.ramp_simulator.scenario_data import ADVERTISING
from connections.ramp_simulator.world import World

BUSINESS = "northwind-robotics"
NEW_NAME = "Marketing and events"
SWITCH = "vendor_credits_enabled"
_AFTER = timedelta(seconds=90)


def change_on_order(world: World, call: Call) -> None:
    """Somebody renames an account of the active chart while a client reads on."""
    if not world.faults.is_on_order(FaultKind.CHART_CHANGED):
        return
    connection = seats.active(world, call.business)
    fault = world.faults.take(FaultKind.CHART_CHANGED, call.operation, call.business)
    if connection is None or fault is None:
        return
    for account in world.accounts.of_external_id(connection.id, fault.row_id):
        account.name = fault.message or f"{account.name} (renamed)"
        account.updated_at = world.clock()
        world.accounts.put(account)


def meddle(world: World, business: str) -> None:
    """Once, some time after the chart has come: an account is renamed, and a switch turned."""
    connection = seats.active(world, business) if business == BUSINESS else None
    if connection is None or not seats.is_api(world, connection.id):
        return
    for account in world.accounts.of_connection(connection.id):
        is_untouched = account.updated_at == account.created_at
        is_settled = account.created_at + _AFTER <= world.clock()
        if account.code == ADVERTISING and is_untouched and is_settled:
            account.name = NEW_NAME
            account.updated_at = world.clock()
            world.accounts.put(account)
            connection.settings[SWITCH] = not connection.settings.get(SWITCH, False)
            world.connections.put(connection)
