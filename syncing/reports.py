"""What is told to Ramp: which results go into a batch, what it says, and whose turn it is to send.

A batch says the same bytes under the same key for ever. The key is computed from what the batch
says and from each item's report attempt, so a later report of the same item is never taken for a
repeat.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.contrib.postgres.functions import TransactionNow
from django.db.models import QuerySet

from connections.models import Connection
from syncing.models import AckBatch, SyncItem
from syncing.statements import execute, rows

NAMESPACE = uuid.UUID("6d3f4f0e-58cf-5b0c-9f3d-0f1f6c2b7a11")
LEASE_SECONDS = 90
"""Longer than Ramp's longest answer (60 s) and our time-out (65 s)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item's part of a batch."""

    id: int
    ramp_id: uuid.UUID
    says: str
    """Our reference for a success, the words for a failure."""
    attempt: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a connection has to tell Ramp now."""

    results: frozenset[str]
    """The outcomes (see `AckBatch.Outcome`) that go into new batches."""
    batches: bool
    """Whether a batch that exists is to be sent, perhaps again."""

    def __bool__(self) -> bool:
        return bool(self.results) or self.batches


def due(connection_id: uuid.UUID, full: int, patience_seconds: float) -> Due:
    """What to report now. Results: once nothing else is being posted, or a batch is full, or one
    waits long."""
    ((successes, failures, batches),) = rows(
        """
        WITH now_or_later AS MATERIALIZED (
            SELECT NOT EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                               AND state = 'READY' AND due_at <= now()
                               AND snapshot_at > now() - interval '15 minutes')
                AND NOT EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                                AND state = 'POSTING' AND lease_until > now())
                OR EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                           AND state = 'POSTED'
                           AND posted_at < now() - %(patience)s * interval '1s')
                OR EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                           AND failure_telling = 'due' AND state = 'FAILED'
                           AND error_at < now() - %(patience)s * interval '1s')
                OR (SELECT count(*) FROM (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                    AND state = 'POSTED' LIMIT %(full)s) posted) >= %(full)s AS now
        )
        SELECT now AND (EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                                AND state = 'POSTED')
                     OR EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                                AND reack_due)),
               now AND EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                               AND failure_telling = 'due' AND state = 'FAILED'),
               EXISTS (SELECT FROM syncing_ackbatch WHERE connection_id = %(c)s
                       AND state = 'open' AND due_at <= now())
        FROM now_or_later
        """,
        {"c": connection_id, "full": full, "patience": patience_seconds},
    )
    outcomes = {AckBatch.Outcome.SUCCESS: successes, AckBatch.Outcome.FAILURE: failures}
    return Due(frozenset(str(one) for one, waits in outcomes.items() if waits), bool(batches))


def lock_lines(connection_id: uuid.UUID, object_type: str, outcome: str, limit: int) -> list[Line]:
    """Lock the results that wait to be told, oldest first; only inside a transaction.

    A success waits while a failure of the same item is on its way, so that the last word is the
    success (fault K16).
    """
    items = SyncItem.objects.filter(connection_id=connection_id, object_type=object_type)
    success = outcome == AckBatch.Outcome.SUCCESS
    if success:
        due = items.filter(state=SyncItem.State.POSTED) | items.filter(reack_due=True)
        due = due.exclude(failure_telling=SyncItem.Telling.SENDING)
    else:
        due = items.filter(state=SyncItem.State.FAILED, failure_telling=SyncItem.Telling.DUE)
    found = (
        due.order_by("id")
        .select_for_update(skip_locked=True)
        .values_list("id", "ramp_id", "erp_number", "erp_id", "error_text", "report_attempt")
    )
    return [
        Line(id_, ramp_id, (number or erp_id) if success else text, attempt + 1)
        for id_, ramp_id, number, erp_id, text, attempt in found[:limit]
    ]


def new_batch(
    connection: Connection, sync_type: str, outcome: str, lines: Sequence[Line]
) -> AckBatch:
    """A batch that says these lines, not saved yet; due from when it is."""
    key = _key(connection, sync_type, outcome, lines)
    return AckBatch(
        connection=connection,
        sync_type=sync_type,
        outcome=outcome,
        key=key,
        body=_body(key, sync_type, outcome, lines),
        size=len(lines),
        created_at=TransactionNow(),  # the database's clock, which it is taken by (fault T6)
        due_at=TransactionNow(),
    )


def _key(connection: Connection, sync_type: str, outcome: str, lines: Sequence[Line]) -> uuid.UUID:
    """Computed, never drawn: after a total loss of the database the same keys come out again."""
    said = [[str(line.ramp_id), line.says, line.attempt] for line in lines]
    content = orjson.dumps([str(connection.ramp_business_id), sync_type, outcome, said])
    return uuid.uuid5(NAMESPACE, hashlib.sha256(content).hexdigest())


def _body(key: uuid.UUID, sync_type: str, outcome: str, lines: Sequence[Line]) -> bytes:
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


def enter(batch: AckBatch, lines: Sequence[Line]) -> None:
    """Make the lines' items members of a frozen batch."""
    if batch.outcome == AckBatch.Outcome.FAILURE:
        changes, where = "failure_telling = 'sending', failure_batch_id = %(batch)s", "true"
    else:
        changes, where = _ENTER_SUCCESS, "state IN ('POSTED', 'ACKED')"
    execute(
        f"UPDATE syncing_syncitem SET report_attempt = report_attempt + 1, {changes}"  # noqa: S608
        f" WHERE id = ANY(%(ids)s) AND {where}",
        {"batch": batch.pk, "ids": [line.id for line in lines]},
    )


# What is reported once more (fault K18) stays ACKED.
_ENTER_SUCCESS = """
    ack_batch_id = %(batch)s,
    reack_due = reack_due AND state <> 'ACKED',
    state_at = CASE WHEN state = 'POSTED' THEN now() ELSE state_at END,
    state = CASE WHEN state = 'POSTED' THEN 'ACKING' ELSE state END
"""


def take_open_batch(connection_id: uuid.UUID) -> AckBatch | None:
    """Take the oldest open batch that is due; nobody else sends it until the lease is over."""
    taken = AckBatch.objects.raw(
        """
        UPDATE syncing_ackbatch
        SET lease_token = %s, lease_until = now() + %s * interval '1s', tries = tries + 1
        WHERE id = (
            SELECT id FROM syncing_ackbatch
            WHERE connection_id = %s AND state = 'open' AND due_at <= now()
              AND (lease_until IS NULL OR lease_until < now())
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        [uuid.uuid4(), LEASE_SECONDS, connection_id],
    )
    return next(iter(taken), None)


def members(batch: AckBatch) -> list[uuid.UUID]:
    """The Ramp ids a batch speaks of, from its frozen body."""
    return list(_says(batch))


def lines_of(batch: AckBatch) -> list[Line]:
    """A batch's lines as they would stand in a next batch: one report attempt later."""
    says = _says(batch)
    found = items_in(batch).order_by("id").values_list("id", "ramp_id", "report_attempt")
    return [Line(id_, ramp_id, says[ramp_id], attempt + 1) for id_, ramp_id, attempt in found]


def items_in(batch: AckBatch) -> QuerySet[SyncItem]:
    """The items that are members of a batch."""
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        return SyncItem.objects.filter(ack_batch=batch)
    return SyncItem.objects.filter(failure_batch=batch)


def _says(batch: AckBatch) -> dict[uuid.UUID, str]:
    body = orjson.loads(bytes(batch.body))
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        return {uuid.UUID(line["id"]): line["reference_id"] for line in body["successful_syncs"]}
    return {uuid.UUID(line["id"]): line["error"]["message"] for line in body["failed_syncs"]}
