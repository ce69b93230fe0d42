"""Tell Ramp what became of items: freeze a batch, send it as often as needed.

    POSTED --freeze--> ACKING --[POST /accounting/syncs]--> ACKED

What Ramp does not take is settled in `syncing.refused_reports`.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from rampbridge.lib import failpoints
from rampbridge.lib.backoff import full_jitter
from syncing import circuit, refused_reports, reports, verdicts
from syncing.classifier import classify_ramp
from syncing.models import AckBatch, SyncItem

FLUSH_SECONDS = 15
"""A POSTED item waits for company at most this long; not at all once nothing else is due."""
SYNC_TYPES = {SyncItem.ObjectType.TRANSACTION.value: "TRANSACTION_SYNC"}


def report_results(connection: Connection, ramp: Callable[[], RampClient], *, jitter: float) -> int:
    """Freeze what is due, send every open batch of the connection. Returns how many were sent.

    :param ramp: makes the client, once it is known that there is something to send
    """
    due = what_is_due(connection)
    if not due:
        return 0
    client = ramp()
    freeze_batches(connection, due)
    sent = 0
    while (batch := reports.take_open_batch(connection.pk)) is not None:
        sent += 1
        if not send_batch(batch, client, jitter=jitter):
            break
    return sent


def what_is_due(connection: Connection) -> reports.Due:
    """What is to be told to Ramp now.

    No new results while the connection is still posting, unless a batch is full or a result has
    waited long: a report of 500 costs Ramp's budget as much as one of 1.
    """
    return reports.due(connection.pk, connection.ack_batch_size, FLUSH_SECONDS)


def freeze_batches(connection: Connection, due: reports.Due) -> list[AckBatch]:
    """Freeze all results that are due, successes and failures apart, one batch per sync type."""
    frozen = []
    for object_type, sync_type in SYNC_TYPES.items():
        for outcome in AckBatch.Outcome:
            if outcome not in due.results:
                continue
            while batch := _freeze(connection, object_type, sync_type, outcome):
                failpoints.hit("after_freeze_commit")
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
) -> AckBatch | None:
    lines = reports.lock_lines(connection.pk, object_type, outcome, connection.ack_batch_size)
    if not lines:
        return None
    batch = reports.new_batch(connection, sync_type, outcome, lines)
    batch.save(force_insert=True)
    reports.enter(batch, lines)
    failpoints.hit("before_freeze_commit")
    return batch


def send_batch(batch: AckBatch, ramp: RampClient, *, jitter: float) -> bool:
    """Send one open batch and write what Ramp said. False if it is no use to send others now."""
    try:
        _send(batch, ramp)
    except errors.RampError as failure:
        _wait(batch, failure, jitter=jitter)
        return False
    circuit.ramp_took_report(batch.connection_id)
    return True


def _send(batch: AckBatch, ramp: RampClient) -> None:
    failpoints.hit("before_report")
    try:
        result = ramp.post_syncs(bytes(batch.body))
        failpoints.hit("after_report")
    except errors.NotReadyForSync as refusal:
        named = [uuid.UUID(ramp_id) for ramp_id in refusal.ids]
        refused_reports.settle_not_ready(batch, ramp, named, why=str(refusal))
    except errors.KeyAlreadyUsed as refusal:
        refused_reports.settle_used_key(batch, ramp, why=str(refusal))
    except errors.InvalidRequest as refusal:
        refused_reports.split(batch, why=str(refusal))
    else:
        verdicts.accept(batch, sync_id=result.sync_id, trace_id=result.trace_id)
        failpoints.hit("after_acked_commit")


def _wait(batch: AckBatch, failure: errors.RampError, *, jitter: float) -> None:
    """The batch stays as it is and goes out again under the same key (faults K2, K14, K17)."""
    judged = classify_ramp(failure)
    if judged.stops_connection:
        circuit.block(batch.connection_id, judged, side=circuit.RAMP)
    wait = full_jitter(
        batch.tries,
        base=timedelta(seconds=2),
        ceiling=timedelta(minutes=10),
        minimum=timedelta(seconds=judged.retry_after or 1),
        jitter=jitter,
    )
    AckBatch.objects.filter(pk=batch.pk, lease_token=batch.lease_token).update(
        due_at=TransactionNow() + wait,
        lease_token=None,
        lease_until=None,
        problem=judged.title[:1000],
    )
