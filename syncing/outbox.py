"""Tell Ramp what became of items: freeze a batch, send it as often as needed.

    POSTED --freeze--> ACKING --[POST /accounting/syncs]--> ACKED

What Ramp does not take is settled in `syncing.refused_reports`.
"""

import uuid
from collections.abc import Callable, Sequence
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
from syncing.models import AckBatch
from syncing.report_body import Request, Subject, new_batch

FLUSH = reports.Patience(ordinary=15, backlog=60, button=2, many=100)
"""A POSTED item waits for company at most this long; not at all once nothing else is due. Hardly at
all while somebody waits at Ramp's sync button and watches a bar move (R-83)."""

SMALL_SIZE = 500
"""Every account takes so many items in a report: the older guide's limit (R-59)."""


def report_results(connection: Connection, ramp: Callable[[], RampClient], *, jitter: float) -> int:
    """Freeze what is due, send every open batch of the connection. Returns how many were sent.

    :param ramp: makes the client, once it is known that there is something to send
    """
    due = what_is_due(connection)
    if due.untold:
        reports.finish_untold(connection.pk)
    if not due:
        return 0
    client = ramp()
    # What waits in a batch already goes before what is put into one now.
    frozen = freeze_batches(connection, due, take_first=not due.batches)
    sent = 0
    batch = frozen[0] if frozen and frozen[0].lease_token else _next(connection)
    while batch is not None:
        sent += 1
        if not send_batch(batch, client, jitter=jitter):
            break
        is_all = sent == len(frozen) == 1 and batch.state == AckBatch.State.ACCEPTED
        batch = None if is_all and not due.batches else _next(connection)
    return sent


def _next(connection: Connection) -> AckBatch | None:
    return reports.take_open_batch(connection.pk)


def what_is_due(connection: Connection) -> reports.Due:
    """What is to be told to Ramp now.

    No new results while the connection is still posting, unless a batch is full or a result has
    waited long: a report of 500 costs Ramp's budget as much as one of 1.
    """
    return reports.due(connection.pk, connection.ack_batch_size, FLUSH)


def freeze_batches(
    connection: Connection, due: reports.Due, *, take_first: bool = False
) -> list[AckBatch]:
    """Freeze all results that are due: successes and failures apart, and each sync type, and what
    answers one press of the sync button.

    :param take_first: have the lease on the first, which is then to be sent before any other
    """
    frozen: list[AckBatch] = []
    for outcome in AckBatch.Outcome:
        if outcome not in due.results:
            continue
        while batches := _freeze(
            connection, outcome, due.requests, take_first=take_first and not frozen
        ):
            failpoints.hit("after_freeze_commit")
            frozen += batches
            if sum(batch.size for batch in batches) < connection.ack_batch_size:
                break
    return frozen


@transaction.atomic
def _freeze(
    connection: Connection,
    outcome: AckBatch.Outcome,
    requests: Sequence[Request],
    *,
    take_first: bool,
) -> list[AckBatch]:
    frozen: list[AckBatch] = []
    together = reports.lock_lines(connection.pk, outcome, connection.ack_batch_size, requests)
    for object_type, request, lines in together:
        about = Subject(connection, reports.SYNC_TYPES[object_type], outcome, request)
        batch = new_batch(about, lines)
        reports.freeze(batch, lines, take=take_first and not frozen)
        failpoints.hit("before_freeze_commit")
        frozen.append(batch)
    return frozen


def send_batch(batch: AckBatch, ramp: RampClient, *, jitter: float) -> bool:
    """Send one open batch and write what Ramp said. False if it is no use to send others now."""
    try:
        _send(batch, ramp)
    except errors.RampError as failure:
        _wait(batch, failure, jitter=jitter)
        return False
    if batch.state != AckBatch.State.ACCEPTED:  # what closed successes has said so already
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
        if batch.size > SMALL_SIZE:
            _cap_size(batch.connection_id)
            refused_reports.split(batch, why=str(refusal), into=SMALL_SIZE)
        else:
            refused_reports.split(batch, why=str(refusal))
    else:
        verdicts.accept(batch, sync_id=result.sync_id, trace_id=result.trace_id)
        failpoints.hit("after_acked_commit")


def _cap_size(connection_id: uuid.UUID) -> None:
    """Ramp refused a large report and did not name its size as the reason; parts will show. If it
    was another, smaller reports do no harm."""
    Connection.objects.filter(pk=connection_id).update(ack_batch_size=SMALL_SIZE)


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
