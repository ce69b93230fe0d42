"""Fields of which a connection has one at most, and which have no id in their address."""

from collections.abc import Callable
from typing import Any, TypeVar

from connections.ramp_simulator import bodies, chart, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import ItemField, TaxField
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.replies import ApiError, Reply, created, no_content, not_found
from connections.ramp_simulator.tables import ChartTable
from connections.ramp_simulator.world import World

F = TypeVar("F", TaxField, ItemField)


def get(world: World, call: Call, table: ChartTable[F]) -> Reply:
    connection = seats.readable(world, call.business, call.uuid("accounting_connection_id"))
    return Reply(payload=_json(_the_one(table, connection)))


def create(
    world: World,
    call: Call,
    table: ChartTable[F],
    make: Callable[[World, Connection, str, str | None], F],
) -> Reply:
    """Unlike other fields, a second one is refused; no source tells the code."""
    body = call.json(bodies.OnlyFieldCreate)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    if active(table, connection):
        raise ApiError(
            400, "DEVELOPER_7001", "This accounting connection has such an active field already"
        )
    return created(_json(make(world, connection, body.name, body.display_name)))


def patch(world: World, call: Call, table: ChartTable[F]) -> Reply:
    body = call.json(bodies.OnlyFieldPatch)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    row = _the_one(table, connection)
    row.name = body.name or row.name
    if "display_name" in body.model_fields_set:
        row.display_name = body.display_name
    row.updated_at = world.clock()
    return Reply(payload=_json(table.put(row)))


def delete(world: World, call: Call, table: ChartTable[F]) -> Reply:
    body = call.json(bodies.OfConnection)
    connection = seats.writable(world, call.business, chart.text(body.accounting_connection_id))
    row = _the_one(table, connection)
    row.is_active = False
    table.put(row)
    return no_content()


def active(table: ChartTable[F], connection: Connection) -> F | None:
    rows = table.of_connection(connection.id)
    return next((row for row in rows if row.is_active), None)


def require(table: ChartTable[F], connection: Connection, name: str) -> None:
    """:raises ApiError: if the field has to be created before its options"""
    if active(table, connection) is None:
        raise ApiError(
            400, "DEVELOPER_7001", f"This accounting connection has no active {name} yet"
        )


def _the_one(table: ChartTable[F], connection: Connection) -> F:
    row = active(table, connection)
    if row is None:
        raise not_found(table.kind.__name__, f"of accounting connection {connection.id}")
    return row


def _json(row: TaxField | ItemField) -> dict[str, Any]:
    return {
        "ramp_id": row.id,
        "id": row.external_id,
        "name": row.name,
        "display_name": row.display_name,
        "accounting_connection_id": row.connection_id,
    }
