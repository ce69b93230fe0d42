"""Accounting connections. One of them at a time has the active seat of a business."""

from typing import Any

from connections.ramp_simulator import bodies
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.faults import FaultKind
from connections.ramp_simulator.records import Connection, ConnectionType
from connections.ramp_simulator.replies import (
    ApiError,
    Reply,
    created,
    no_content,
    not_found,
)
from connections.ramp_simulator.world import World

TRANSACTION_BUTTON = "transaction_sync_button_enabled"
REIMBURSEMENT_BUTTON = "reimbursement_sync_button_enabled"
VENDOR_CREATION = "transaction_accounting_vendor_creation_on_sync_enabled"


def active(world: World, business: str) -> Connection | None:
    """The connection in the active seat, of whatever type."""
    return next((row for row in world.connections.of(business) if row.is_active), None)


def is_set(world: World, business: str, setting: str) -> bool:
    """Whether the active connection has this setting switched on."""
    connection = active(world, business)
    return bool(connection and connection.settings.get(setting))


def is_api(world: World, connection_id: str) -> bool:
    """Whether a client may write the chart of this connection."""
    connection = world.connections.get(connection_id)
    return connection is not None and connection.connection_type is ConnectionType.API


def require_api(world: World, business: str) -> Connection:
    """:raises ApiError: 7089, if no API connection is active"""
    connection = active(world, business)
    if connection is None or connection.connection_type is not ConnectionType.API:
        raise ApiError(
            400, "DEVELOPER_7089", "This business does not have an active API accounting connection"
        )
    return connection


def readable(world: World, business: str, connection_id: str | None) -> Connection:
    """The connection whose chart is read, of whatever type; one that is not active must be named.

    :raises ApiError: 7089 if none is active, 404 if there is none of that id
    """
    if connection_id is None:
        return active(world, business) or require_api(world, business)
    connection = world.connections.get(connection_id, business)
    if connection is None:
        raise not_found("Accounting connection", connection_id)
    return connection


def writable(world: World, business: str, connection_id: str | None) -> Connection:
    """The API connection whose chart is written; no other type lets a client write.

    :raises ApiError: 7089 if no API connection is active, 404 if none has that id
    """
    if connection_id is None:
        return require_api(world, business)
    connection = readable(world, business, connection_id)
    if connection.connection_type is not ConnectionType.API:
        raise not_found("Accounting connection", connection_id)
    return connection


def list_connections(world: World, call: Call) -> Reply:
    rows = [connection_json(row) for row in world.connections.of(call.business)]
    return Reply(payload={"connections": rows})


def get_active(world: World, call: Call) -> Reply:
    connection = active(world, call.business)
    if connection is None:
        raise not_found("Accounting connection", "of this business")
    return Reply(payload=connection_json(connection))


def get_connection(world: World, call: Call) -> Reply:
    return Reply(payload=connection_json(_requested(world, call)))


def create_connection(world: World, call: Call) -> Reply:
    """Take the seat if it is free. If it is not, the answer is whoever has it (C5)."""
    body = call.json(bodies.ConnectionCreate)
    incumbent = active(world, call.business)
    ignores_is_active = incumbent is not None and world.faults.take(
        FaultKind.INCUMBENT_RETURNED, call.operation, call.business
    )
    if not body.is_active and not ignores_is_active:
        return created(connection_json(_add(world, call.business, body)))
    if incumbent is None:
        return created(connection_json(_relink(world, call.business, body)))
    if incumbent.connection_type is ConnectionType.CSV:
        incumbent.connection_type = ConnectionType.API
        incumbent.name = body.remote_provider_name
        incumbent.settings = body.settings.model_dump()
        world.connections.put(incumbent)
    return created(connection_json(incumbent))


def patch_connection(world: World, call: Call) -> Reply:
    connection = _requested(world, call)
    body = call.json(bodies.ConnectionPatch)
    if connection.connection_type is not ConnectionType.API:
        raise ApiError(400, "DEVELOPER_7089", "Settings belong to API connections only")
    connection.settings |= body.settings.model_dump(exclude_unset=True)
    world.connections.put(connection)
    return Reply(payload=connection_json(connection))


def delete_connection(world: World, call: Call) -> Reply:
    connection = active(world, call.business)
    if connection is None or connection.connection_type is ConnectionType.DIRECT:
        raise not_found("Accounting connection", "of this business")
    connection.is_active = False
    connection.is_tombstone = True
    world.connections.put(connection)
    return no_content()


def reactivate_connection(world: World, call: Call) -> Reply:
    connection = _requested(world, call)
    incumbent = active(world, call.business)
    if incumbent and incumbent is not connection:
        raise ApiError(
            400, "DEVELOPER_7001", "Another accounting connection is active; disconnect it first"
        )
    link(world, connection)
    return Reply(payload=connection_json(connection))


def mark_ready(world: World, call: Call) -> Reply:
    """Offer a connection under Switch Providers. The guide names four conditions and no code.

    :raises ApiError: 400, with words of its own for each condition
    """
    connection = _requested(world, call)
    if problem := _why_not_markable(world, connection):
        raise ApiError(400, "DEVELOPER_7001", problem)
    connection.is_ready_to_migrate = True
    return Reply(payload=connection_json(world.connections.put(connection)))


def _why_not_markable(world: World, target: Connection) -> str | None:
    if target.connection_type is not ConnectionType.API or target.is_active:
        return "Only an inactive API connection can be marked ready to migrate"
    if active(world, target.business) is None:
        return "There is no other active accounting connection to migrate from"
    if target.is_ready_to_migrate:
        return "This connection is already marked ready to migrate"
    others = (row for row in world.connections.of(target.business) if row is not target)
    if any(row.is_ready_to_migrate for row in others):
        return "Another migration is already in progress"
    return None


def occupy(world: World, business: str, name: str, connection_type: ConnectionType) -> Connection:
    """Somebody connects an accounting system; whoever had the seat loses it."""
    if incumbent := active(world, business):
        incumbent.is_active = False
        world.connections.put(incumbent)
    body = bodies.ConnectionCreate(remote_provider_name=name)
    connection = _add(world, business, body)
    connection.connection_type = connection_type
    return link(world, connection)


def connection_json(connection: Connection) -> dict[str, Any]:
    has_settings = connection.connection_type is ConnectionType.API and not connection.is_tombstone
    linked_at = connection.last_linked_at
    return {
        "id": connection.id,
        "remote_provider_name": connection.name,
        "connection_type": connection.connection_type,
        "is_active": connection.is_active,
        "is_ready_to_migrate": connection.is_ready_to_migrate,
        "status": _status(connection),
        "created_at": wire_time(connection.created_at),
        "last_linked_at": linked_at and wire_time(linked_at),
        "settings": connection.settings if has_settings else None,
    }


def _status(connection: Connection) -> str:
    if connection.is_active:
        return "linked"
    return "revoked" if connection.is_revoked else "unlinked"


def _requested(world: World, call: Call) -> Connection:
    connection = world.connections.get(call.params["connection_id"], call.business)
    if connection is None:
        raise not_found("Accounting connection", call.params["connection_id"])
    return connection


def _relink(world: World, business: str, body: bodies.ConnectionCreate) -> Connection:
    """The old connection of that name if the client asks for it, else a new one."""
    former = (
        row for row in world.connections.of(business) if row.name == body.remote_provider_name
    )
    connection = next(former, None) if body.reactivate else None
    return link(world, connection or _add(world, business, body))


def link(world: World, connection: Connection) -> Connection:
    """Give it the active seat."""
    connection.is_active = True
    connection.is_tombstone = connection.is_revoked = False
    connection.last_linked_at = world.clock()
    return world.connections.put(connection)


def _add(world: World, business: str, body: bodies.ConnectionCreate) -> Connection:
    return world.connections.put(
        Connection(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=business,
            name=body.remote_provider_name,
            connection_type=ConnectionType.API,
            is_active=False,
            settings=body.settings.model_dump(),
            created_at=world.clock(),
        )
    )
