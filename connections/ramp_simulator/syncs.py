"""What clients report back: `/accounting/syncs` and `/accounting/ready-to-sync`."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from connections.ramp_simulator import bodies, people, seats, sync_button
from connections.ramp_simulator.bill_syncs import BillPayments, Bills
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.records import Coded, UsedKey
from connections.ramp_simulator.replies import ApiError, Reply, created, invalid, no_content
from connections.ramp_simulator.reports import ReadyObjects, Reportable, Told
from connections.ramp_simulator.tables import Table
from connections.ramp_simulator.transaction_syncs import CodedObjects, Transactions
from connections.ramp_simulator.world import World

# Nothing is ever ready for the sync types of Ramp's that have no row here.
KINDS: Mapping[str, Reportable] = {
    "TRANSACTION_SYNC": Transactions(),
    "REIMBURSEMENT_SYNC": CodedObjects(
        lambda world: world.reimbursements, synced_event="reimbursements.synced"
    ),
    "TRANSFER_SYNC": ReadyObjects(lambda world: world.transfers),
    "STATEMENT_CREDIT_SYNC": ReadyObjects(lambda world: world.cashbacks),
    "BILL_SYNC": Bills(),
    "BILL_PAYMENT_SYNC": BillPayments(),
}


def create_sync(world: World, call: Call) -> Reply:
    """Store the outcome of a batch, or refuse all of it and store nothing."""
    body = call.json(bodies.SyncCreate)
    if not body.model_fields_set & {"successful_syncs", "failed_syncs"}:
        raise invalid({"_schema": ["Give successful_syncs or failed_syncs."]})
    seats.require_api(world, call.business)
    used = world.used_keys.get(_key_id(call.business, body.idempotency_key))
    if used:
        return _again(world, call, used)
    request = sync_button.named(world, call.business, body.sync_request_id)
    kind = KINDS.get(body.sync_type)
    _refuse_ineligible(world, call.business, kind, body)
    sync_id = world.ids.uuid()
    use_key(world, call, body.idempotency_key, sync_id)
    if kind:
        told = Told(world.clock(), sync_id, body.idempotency_key)
        for success in body.successful_syncs:
            kind.succeed(world, success, told)
        for failure in body.failed_syncs:
            kind.fail(world, str(failure.id), failure.error.message, told)
    if request:
        sync_button.answer(world, request, body)
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
    """One object that cannot be ready refuses all of them."""
    body = call.json(bodies.ReadyToSync)
    found = _coded(world, call.business, body.object_type, map(str, body.object_ids))
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


def _refuse_ineligible(
    world: World, business: str, kind: Reportable | None, body: bodies.SyncCreate
) -> None:
    """The ids stand in the text of the message and nowhere else, as seen live."""
    successes = [str(row.id) for row in body.successful_syncs]
    failures = [str(row.id) for row in body.failed_syncs]
    ids = successes + failures
    if len(set(ids)) < len(ids):
        raise invalid({"_schema": ["An object is listed twice."]})
    unready = ids if kind is None else kind.unready(world, business, successes, failures)
    if unready:
        listed = ", ".join(dict.fromkeys(unready))
        raise ApiError(
            400, "DEVELOPER_7062", f"The following objects are not ready for sync: {listed}"
        )
    if kind and (refusal := kind.refusal(world, business, successes)):
        raise refusal


def _coded(world: World, business: str, object_type: str, ids: Iterable[str]) -> list[Coded]:
    table: Table[Any] = world.transactions if object_type == "TRANSACTION" else world.reimbursements
    found = (table.get(row_id, business) for row_id in dict.fromkeys(ids))
    return [row for row in found if row is not None]


def _key_id(business: str, key: str) -> str:
    return f"{business}/{key}"


def _digest(call: Call) -> str:
    return hashlib.sha256(call.body).hexdigest()
