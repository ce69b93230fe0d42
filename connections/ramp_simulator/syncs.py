"""What clients report back: `/accounting/syncs` and `/accounting/ready-to-sync`."""

import hashlib
from collections.abc import Iterable

from connections.ramp_simulator import bodies, people, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.codings import book_of, coding
from connections.ramp_simulator.records import Commit, SyncStatus, Transaction, UsedKey
from connections.ramp_simulator.replies import ApiError, Reply, created, invalid, no_content
from connections.ramp_simulator.transactions import needs_vendor
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World


def create_sync(world: World, call: Call) -> Reply:
    """Store the outcome of a batch, or refuse all of it and store nothing."""
    body = call.json(bodies.SyncCreate)
    if not body.model_fields_set & {"successful_syncs", "failed_syncs"}:
        raise invalid({"_schema": ["Give successful_syncs or failed_syncs."]})
    seats.require_api(world, call.business)
    used = world.used_keys.get(_key_id(call.business, body.idempotency_key))
    if used:
        return _again(world, call, used)
    _refuse_ineligible(world, call.business, body)
    sync_id = world.ids.uuid()
    use_key(world, call, body.idempotency_key, sync_id)
    for success in body.successful_syncs:
        _succeed(world, str(success.id), success.reference_id, sync_id, body.idempotency_key)
    for failure in body.failed_syncs:
        _fail(world, str(failure.id), failure.error.message, sync_id, body.idempotency_key)
    return created({"sync_id": sync_id})


def use_key(world: World, call: Call, key: str, sync_id: str) -> None:
    """From here on the key is refused, whatever became of the batch."""
    world.used_keys.put(
        UsedKey(
            id=_key_id(call.business, key),
            seq=world.ids.rank(),
            business=call.business,
            sync_id=sync_id,
            body_digest=_digest(call),
        )
    )


def mark_ready(world: World, call: Call) -> Reply:
    """One transaction that cannot be ready refuses all of them."""
    body = call.json(bodies.ReadyToSync)
    found = _transactions(world, call.business, map(str, body.object_ids))
    if len(found) < len(set(body.object_ids)):
        missing = {str(given) for given in body.object_ids} - {row.id for row in found}
        raise ApiError(400, "DEVELOPER_7001", f"Objects not found: {', '.join(sorted(missing))}")
    for row in found:
        if problem := people.why_not_ready(world, row):
            raise ApiError(400, problem.code, str(problem))
    for row in found:
        people.mark_ready(world, row)
    return no_content()


def _again(world: World, call: Call, used: UsedKey) -> Reply:
    if world.switches.used_key == "replay" and used.body_digest == _digest(call):
        return created({"sync_id": used.sync_id})
    raise ApiError(400, "DEVELOPER_7005", "Idempotency key already exists")


def _refuse_ineligible(world: World, business: str, body: bodies.SyncCreate) -> None:
    """The ids stand in the text of the message and nowhere else, as seen live."""
    successes = [str(row.id) for row in body.successful_syncs]
    failures = [str(row.id) for row in body.failed_syncs]
    ids = successes + failures
    if len(set(ids)) < len(ids):
        raise invalid({"_schema": ["An object is listed twice."]})
    rows = {row.id: row for row in _transactions(world, business, ids)}
    if body.sync_type != "TRANSACTION_SYNC":
        rows = {}
    book = book_of(world, business)
    not_ready = [
        given
        for given in ids
        if given not in rows or rows[given].sync_status is not SyncStatus.SYNC_READY
    ]
    not_ready += [
        given for given in successes if given in rows and coding(book, rows[given]).is_deleted
    ]
    if not_ready:
        listed = ", ".join(dict.fromkeys(not_ready))
        raise ApiError(
            400, "DEVELOPER_7062", f"The following objects are not ready for sync: {listed}"
        )
    vendorless = [given for given in successes if needs_vendor(world, book, rows[given])]
    if vendorless:
        # No source tells the code of this refusal.
        raise ApiError(
            400,
            "DEVELOPER_7001",
            f"Create an accounting vendor before syncing: {', '.join(vendorless)}",
        )


def _succeed(world: World, row_id: str, reference_id: str, sync_id: str, key: str) -> None:
    row = world.transactions.get(row_id)
    assert row is not None
    now = world.clock()
    row.sync_status = SyncStatus.SYNCED
    row.synced_at = row.updated_at = now
    row.reference_id = reference_id
    row.export_error = None
    row.sync_request_id = None
    row.commits.append(
        Commit(
            at=now,
            outcome="success",
            sync_id=sync_id,
            idempotency_key=key,
            reference_id=reference_id,
        )
    )
    world.transactions.put(row)
    announce(world, row.business, "transactions.synced", row.id)


def _fail(world: World, row_id: str, message: str, sync_id: str, key: str) -> None:
    """The item shows the message as its export error, and stays ready."""
    row = world.transactions.get(row_id)
    assert row is not None
    row.export_error = message
    row.sync_request_id = None
    row.commits.append(
        Commit(
            at=world.clock(),
            outcome="failure",
            sync_id=sync_id,
            idempotency_key=key,
            message=message,
        )
    )
    world.transactions.put(row)


def _transactions(world: World, business: str, ids: Iterable[str]) -> list[Transaction]:
    found = (world.transactions.get(row_id, business) for row_id in dict.fromkeys(ids))
    return [row for row in found if row is not None]


def _key_id(business: str, key: str) -> str:
    return f"{business}/{key}"


def _digest(call: Call) -> str:
    return hashlib.sha256(call.body).hexdigest()
