"""The sync button: somebody asks for rows, and each has five minutes to be answered.

A row is answered by a report that names the request; one that does not name it changes the object
and leaves the row waiting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from connections.ramp_simulator import bodies, seats
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import (
    RequestedRow,
    RowOutcome,
    Synced,
    SyncRequest,
    SyncStatus,
)
from connections.ramp_simulator.replies import ApiError
from connections.ramp_simulator.tables import SyncedTable
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World

TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Button:
    """Where people find it, and the setting that shows it."""

    table: str
    setting: str


BUTTONS: Mapping[str, Button] = {
    "transaction": Button("transactions", seats.TRANSACTION_BUTTON),
    "reimbursement": Button("reimbursements", seats.REIMBURSEMENT_BUTTON),
}


def press(
    world: World, business: str, object_type: str, ids: Sequence[str] | None = None
) -> SyncRequest | None:
    """Ask for all that is ready and not asked for yet, or for these; None if that is nothing.

    :raises NotPossible: if there is no such button, or one of `ids` is not ready or already asked
    """
    button = _button(world, business, object_type)
    ready = _table(world, button).in_status(business, SyncStatus.SYNC_READY)
    free = {row.id: row for row in ready.values() if row.sync_request_id is None}
    if ids is None:
        rows = sorted(free.values(), key=lambda row: row.seq)
    else:
        if others := [given for given in ids if given not in free]:
            raise NotPossible(f"Not ready, or asked for already: {', '.join(others)}.")
        rows = [free[given] for given in dict.fromkeys(ids)]
    return _ask(world, business, object_type, rows) if rows else None


def named(world: World, business: str, request_id: UUID | None) -> SyncRequest | None:
    """The request that a report names.

    :raises ApiError: if this business has no such request; no source tells the code
    """
    if request_id is None:
        return None
    request = world.sync_requests.get(str(request_id), business)
    if request is None:
        raise ApiError(400, "DEVELOPER_7001", f"Sync request {request_id} not found")
    return request


def answer(world: World, request: SyncRequest, body: bodies.SyncCreate) -> None:
    """Note the answers to a request that is still open; what comes later changes no row."""
    if request.is_over:
        return
    rows = {row.object_id: row for row in request.rows}
    for success in body.successful_syncs:
        if row := rows.get(str(success.id)):
            row.outcome, row.at = RowOutcome.SUCCESS, world.clock()
            row.reference_id, row.message = success.reference_id, None
    for failure in body.failed_syncs:
        if row := rows.get(str(failure.id)):
            row.outcome, row.at = RowOutcome.FAILURE, world.clock()
            row.message = failure.error.message
            _let_go(world, request, row)
    world.sync_requests.put(request)


def expire(world: World) -> None:
    """Close every request whose time is over; rows without an answer have failed."""
    now = world.clock()
    for request in world.sync_requests.all():
        if not request.is_over and request.expires_at <= now:
            _close(world, request)


def _button(world: World, business: str, object_type: str) -> Button:
    button = BUTTONS.get(object_type)
    if button is None:
        raise NotPossible(f"There is no sync button for a {object_type}.")
    if not seats.is_set(world, business, button.setting):
        raise NotPossible(f"The connection has not switched on {button.setting}.")
    return button


def _ask(world: World, business: str, object_type: str, rows: Sequence[Synced]) -> SyncRequest:
    now = world.clock()
    request = world.sync_requests.put(
        SyncRequest(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=business,
            object_type=object_type,
            pressed_at=now,
            expires_at=now + timedelta(seconds=world.switches.sync_request_seconds),
            rows=[RequestedRow(object_id=row.id) for row in rows],
        )
    )
    for row in rows:
        row.sync_request_id = request.id
        world.keep(row)
    event = f"{object_type}s.sync_requested"
    announce(world, business, event, None, {"sync_request_id": request.id})
    return request


def _close(world: World, request: SyncRequest) -> None:
    for row in request.rows:
        if row.outcome is RowOutcome.WAITING:
            row.outcome, row.at, row.message = RowOutcome.TIMED_OUT, request.expires_at, TIMED_OUT
            _let_go(world, request, row)
    request.is_over = True
    world.sync_requests.put(request)


def _let_go(world: World, request: SyncRequest, row: RequestedRow) -> None:
    """The object is free to be asked for again, and shows what went wrong."""
    found = _table(world, BUTTONS[request.object_type]).get(row.object_id, request.business)
    if found and found.sync_request_id == request.id:
        found.sync_request_id = None
        found.export_error = row.message
        world.keep(found)


def _table(world: World, button: Button) -> SyncedTable[Any]:
    table: SyncedTable[Any] = getattr(world, button.table)
    return table
