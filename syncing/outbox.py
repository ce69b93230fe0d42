"""Tell Ramp what became of items: freeze a batch, send it as often as needed, settle what it refuses.

    POSTED --freeze--> ACKING --[POST /accounting/syncs]--> ACKED

A batch says the same bytes under the same key for ever. The key is computed from what the batch says
and from each item's report attempt, so a later report of the same item is never taken for a repeat.
Ramp takes a batch whole or not at all; 7062 and 7005 both mean "read again" (contract 7, C11).
"""

import hashlib
import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import orjson
from django.db import transaction
from django.db.models.functions import Now

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from rampbridge.lib.backoff import full_jitter
from syncing import reports, schedule
from syncing.classifier import classify_ramp
from syncing.models import AckBatch, SyncItem
from syncing.reports import Verdict

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 15
"""A POSTED item waits for company at most this long; not at all once nothing else is due."""
SYNC_TYPES = {SyncItem.ObjectType.TRANSACTION.value: "TRANSACTION_SYNC"}
MOST_REPORTS = 4
"""Reports of one item that Ramp may refuse although it calls the item ready; then a person looks."""


def report_results(
    connection: Connection, ramp: RampClient, *, now: datetime, jitter: float
) -> int:
    """Freeze what is due and send every open batch of the connection. Returns how many were sent."""
    freeze_batches(connection, now=now)
    sent = 0
    while (batch := reports.take_open_batch(connection.pk)) is not None:
        sent += 1
        if not send_batch(batch, ramp, now=now, jitter=jitter):
            break
    return sent


def freeze_batches(connection: Connection, *, now: datetime) -> list[AckBatch]:
    """Freeze all results that wait, successes and failures apart, one batch per sync type.

    Nothing is frozen while the connection is still posting, unless a batch is full or a result has
    waited long: a report of 500 costs Ramp's budget as much as one of 1 (performance 1.1).
    """
    if not reports.are_due(connection.pk, connection.ack_batch_size, FLUSH_SECONDS):
        return []
    frozen = []
    for object_type, sync_type in SYNC_TYPES.items():
        for outcome in (AckBatch.Outcome.SUCCESS, AckBatch.Outcome.FAILURE):
            while batch := _freeze(connection, object_type, sync_type, outcome, now):
                frozen.append(batch)
                if batch.size < connection.ack_batch_size:
                    break
    return frozen


@transaction.atomic
def _freeze(
    connection: Connection,
    object_type: str,
    sync_type: str,
    outcome: AckBatch.Outcome,
    now: datetime,
) -> AckBatch | None:
    lines = reports.lock_lines(connection.pk, object_type, outcome, connection.ack_batch_size)
    if not lines:
        return None
    batch = _new_batch(connection, sync_type, outcome, lines, now)
    batch.save(force_insert=True)
    reports.enter(batch, lines)
    return batch


def _new_batch(
    connection: Connection,
    sync_type: str,
    outcome: str,
    lines: Sequence[reports.Line],
    now: datetime,
) -> AckBatch:
    key = _key(connection, sync_type, outcome, lines)
    return AckBatch(
        connection=connection,
        sync_type=sync_type,
        outcome=outcome,
        key=key,
        body=_body(key, sync_type, outcome, lines),
        size=len(lines),
        created_at=now,
        due_at=now,
    )


def _key(
    connection: Connection, sync_type: str, outcome: str, lines: Sequence[reports.Line]
) -> uuid.UUID:
    """Computed, never drawn: after a total loss of the database the same keys come out again."""
    said = [[str(line.ramp_id), line.says, line.attempt] for line in lines]
    content = orjson.dumps([str(connection.ramp_business_id), sync_type, outcome, said])
    return uuid.uuid5(reports.NAMESPACE, hashlib.sha256(content).hexdigest())


def _body(key: uuid.UUID, sync_type: str, outcome: str, lines: Sequence[reports.Line]) -> bytes:
    """Exactly the keys Ramp knows: an empty list or an unknown key is refused (contract 7)."""
    body: dict[str, object] = {"idempotency_key": str(key), "sync_type": sync_type}
    if outcome == AckBatch.Outcome.SUCCESS:
        body["successful_syncs"] = [
            {"id": str(line.ramp_id), "reference_id": line.says} for line in lines
        ]
    else:
        body["failed_syncs"] = [
            {"id": str(line.ramp_id), "error": {"message": line.says}} for line in lines
        ]
    return orjson.dumps(body)


def send_batch(batch: AckBatch, ramp: RampClient, *, now: datetime, jitter: float) -> bool:
    """Send one open batch and write what Ramp said. False if it is no use to send others now."""
    try:
        result = ramp.post_syncs(bytes(batch.body))
    except errors.NotReadyForSync as refusal:
        named = [uuid.UUID(ramp_id) for ramp_id in refusal.ids]
        _settle(batch, ramp, named, why=str(refusal), now=now)
    except errors.KeyAlreadyUsed as refusal:
        _settle_used_key(batch, ramp, why=str(refusal))
    except errors.InvalidRequest as refusal:
        _split(batch, why=str(refusal), now=now)
    except errors.RampError as failure:
        _wait(batch, failure, now=now, jitter=jitter)
        return False
    else:
        reports.accept(batch, sync_id=result.sync_id, trace_id=result.trace_id)
    return True


def _settle(
    batch: AckBatch, ramp: RampClient, named: Iterable[uuid.UUID], *, why: str, now: datetime
) -> None:
    """7062: read the refused members again, and report the others anew (faults K6, K7, K9 to K11)."""
    members = reports.members(batch)
    suspects = set(named) & set(members)
    if not suspects:
        suspects = set(members) - _ready_now(ramp)
    if not suspects:
        _split(batch, why=why, now=now)
        return
    verdicts = {ramp_id: _reread(ramp, ramp_id) for ramp_id in suspects}
    reports.reject(batch, verdicts, why=why, most_reports=MOST_REPORTS)


def _settle_used_key(batch: AckBatch, ramp: RampClient, *, why: str) -> None:
    """7005: Ramp has seen this key, and does not say what came of it (faults K3, K4, K19)."""
    members = set(reports.members(batch))
    still_ready = members & _ready_now(ramp)
    verdicts = {ramp_id: _reread(ramp, ramp_id) for ramp_id in members - still_ready}
    if batch.outcome == AckBatch.Outcome.FAILURE:
        verdicts |= dict.fromkeys(still_ready, Verdict.TOLD)
    reports.reject(batch, verdicts, why=why, most_reports=MOST_REPORTS)


def _ready_now(ramp: RampClient) -> set[uuid.UUID]:
    pages = ramp.transactions(sync_status="SYNC_READY")
    return {
        one.id for page in pages for one in page.transactions if one.sync_status == "SYNC_READY"
    }


def _reread(ramp: RampClient, ramp_id: uuid.UUID) -> Verdict:
    """Ask the only arbiter there is (reliability finding 7)."""
    try:
        status = ramp.transaction(ramp_id).sync_status
    except errors.NotFound:
        return Verdict.GONE
    match status:
        case "SYNCED":
            return Verdict.SYNCED
        case "SYNC_READY":
            return Verdict.READY
        case _:
            return Verdict.NOT_READY


def _split(batch: AckBatch, *, why: str, now: datetime) -> None:
    """Ramp refuses the batch without naming a member: halve it until the odd one stands alone."""
    lines = reports.lines_of(batch)
    if len(lines) <= 1:
        verdicts = dict.fromkeys(reports.members(batch), Verdict.REFUSED)
        reports.reject(batch, verdicts, why=why, most_reports=MOST_REPORTS)
        return
    middle = len(lines) // 2
    halves = [lines[:middle], lines[middle:]]
    successors = [
        (_new_batch(batch.connection, batch.sync_type, batch.outcome, half, now), half)
        for half in halves
    ]
    reports.replace(batch, successors, why)


def _wait(batch: AckBatch, failure: errors.RampError, *, now: datetime, jitter: float) -> None:
    """The batch stays as it is and goes out again under the same key (faults K2, K14, K17)."""
    judged = classify_ramp(failure)
    if judged.stops_connection:
        schedule.block(batch.connection, judged, side="ramp")
    wait = full_jitter(
        batch.tries,
        base=timedelta(seconds=2),
        ceiling=timedelta(minutes=10),
        minimum=timedelta(seconds=judged.retry_after or 1),
        jitter=jitter,
    )
    AckBatch.objects.filter(pk=batch.pk, lease_token=batch.lease_token).update(
        due_at=Now() + wait, lease_token=None, lease_until=None, problem=judged.title[:1000]
    )
