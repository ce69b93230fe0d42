"""The set-based SQL of reporting: which lines go into a batch, and what its answer does to items."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from syncing.models import AckBatch, Schedule, SyncItem

NAMESPACE = uuid.UUID("6d3f4f0e-58cf-5b0c-9f3d-0f1f6c2b7a11")
LEASE_SECONDS = 90
"""Longer than Ramp's longest answer (60 s) and our time-out (65 s)."""


class Verdict(StrEnum):
    """What reading a member again said about it."""

    SYNCED = "synced"
    READY = "ready"
    NOT_READY = "not_ready"
    GONE = "gone"
    TOLD = "told"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """One item's part of a batch."""

    id: int
    ramp_id: uuid.UUID
    says: str
    """Our reference for a success, the words for a failure."""
    attempt: int


def lock_lines(connection_id: uuid.UUID, object_type: str, outcome: str, limit: int) -> list[Line]:
    """Lock the results that wait to be told, oldest first; only inside a transaction.

    A success waits while a failure of the same item is on its way, so that the last word is the
    success (fault K16).
    """
    items = SyncItem.objects.filter(connection_id=connection_id, object_type=object_type)
    if outcome == AckBatch.Outcome.SUCCESS:
        due = items.filter(state=SyncItem.State.POSTED) | items.filter(reack_due=True)
        due = due.exclude(failure_telling=SyncItem.Telling.SENDING)
    else:
        due = items.filter(state=SyncItem.State.FAILED, failure_telling=SyncItem.Telling.DUE)
    rows = (
        due.order_by("id")
        .select_for_update(skip_locked=True)
        .values_list("id", "ramp_id", "erp_number", "erp_id", "error_text", "report_attempt")[
            :limit
        ]
    )
    success = outcome == AckBatch.Outcome.SUCCESS
    return [
        Line(id_, ramp_id, (number or erp_id) if success else text, attempt + 1)
        for id_, ramp_id, number, erp_id, text, attempt in rows
    ]


def are_due(connection_id: uuid.UUID, full: int, patience_seconds: float) -> bool:
    """Whether it is time to report: nothing else is being posted, a batch is full, or one waits long."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT NOT EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                               AND state = 'READY' AND due_at <= now()
                               AND snapshot_at > now() - interval '15 minutes')
                AND NOT EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                                AND state = 'POSTING' AND lease_until > now())
                OR EXISTS (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                           AND state = 'POSTED' AND posted_at < now() - %(patience)s * interval '1s')
                OR (SELECT count(*) FROM (SELECT FROM syncing_syncitem WHERE connection_id = %(c)s
                    AND state = 'POSTED' LIMIT %(full)s) posted) >= %(full)s
            """,
            {"c": connection_id, "full": full, "patience": patience_seconds},
        )
        (due,) = cursor.fetchone()
    return bool(due)


def enter(batch: AckBatch, lines: Sequence[Line]) -> None:
    """Make the lines' items members of a frozen batch."""
    items = SyncItem.objects.filter(pk__in=[line.id for line in lines])
    attempt = F("report_attempt") + 1
    if batch.outcome == AckBatch.Outcome.FAILURE:
        items.update(
            failure_telling=SyncItem.Telling.SENDING, failure_batch=batch, report_attempt=attempt
        )
        return
    items.filter(state=SyncItem.State.POSTED).update(
        state=SyncItem.State.ACKING, state_at=Now(), ack_batch=batch, report_attempt=attempt
    )
    items.filter(state=SyncItem.State.ACKED).update(
        reack_due=False, ack_batch=batch, report_attempt=attempt
    )


def take_open_batch(connection_id: uuid.UUID) -> AckBatch | None:
    """Take the oldest open batch that is due; nobody else sends it until the lease is over."""
    token = uuid.uuid4()
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE syncing_ackbatch
            SET lease_token = %s, lease_until = now() + %s * interval '1s', tries = tries + 1
            WHERE id = (
                SELECT id FROM syncing_ackbatch
                WHERE connection_id = %s AND state = 'open' AND due_at <= now()
                  AND (lease_until IS NULL OR lease_until < now())
                ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING id
            """,
            [token, LEASE_SECONDS, connection_id],
        )
        row = cursor.fetchone()
    return AckBatch.objects.select_related("connection").get(pk=row[0]) if row else None


def members(batch: AckBatch) -> list[uuid.UUID]:
    """The Ramp ids a batch speaks of, from its frozen body."""
    body = orjson.loads(bytes(batch.body))
    return [uuid.UUID(line["id"]) for line in body.get("successful_syncs") or body["failed_syncs"]]


def lines_of(batch: AckBatch) -> list[Line]:
    """A batch's lines as they would stand in a next batch: one report attempt later."""
    body = orjson.loads(bytes(batch.body))
    says = {
        uuid.UUID(line["id"]): line.get("reference_id") or line["error"]["message"]
        for line in body.get("successful_syncs") or body["failed_syncs"]
    }
    rows = _items_in(batch).order_by("id").values_list("id", "ramp_id", "report_attempt")
    return [Line(id_, ramp_id, says[ramp_id], attempt + 1) for id_, ramp_id, attempt in rows]


@transaction.atomic
def accept(batch: AckBatch, *, sync_id: str, trace_id: str) -> bool:
    """Ramp took the batch: its items are through, or their error stands in Ramp.

    False if another worker closed the batch first.
    """
    if not _close(batch, AckBatch.State.ACCEPTED, sync_id=sync_id, trace_id=trace_id):
        return False
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        _acked(batch, members(batch), note="", trace_id=trace_id)
    else:
        _told(batch, members(batch), trace_id=trace_id)
    return True


@transaction.atomic
def reject(
    batch: AckBatch, verdicts: Mapping[uuid.UUID, Verdict], *, why: str, most_reports: int
) -> bool:
    """Ramp refused the batch: do with each re-read member what its verdict says, queue the others.

    False if another worker closed the batch first.
    """
    if not _close(batch, AckBatch.State.REJECTED, problem=why[:2000]):
        return False
    groups: dict[Verdict, list[uuid.UUID]] = {}
    for ramp_id in members(batch):
        groups.setdefault(verdicts.get(ramp_id, Verdict.READY), []).append(ramp_id)
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        _settle_successes(batch, groups, why, most_reports)
    else:
        _settle_failures(batch, groups, why, most_reports)
    return True


@transaction.atomic
def replace(
    batch: AckBatch, successors: Iterable[tuple[AckBatch, Sequence[Line]]], why: str
) -> bool:
    """Close a refused batch in favour of smaller ones over the same members."""
    if not _close(batch, AckBatch.State.REJECTED, problem=why[:2000]):
        return False
    link = "ack_batch" if batch.outcome == AckBatch.Outcome.SUCCESS else "failure_batch"
    for successor, lines in successors:
        successor.save(force_insert=True)
        SyncItem.objects.filter(pk__in=[line.id for line in lines]).update(
            **{link: successor, "report_attempt": F("report_attempt") + 1}
        )
    return True


def _close(batch: AckBatch, state: AckBatch.State, **changes: str) -> bool:
    mine = AckBatch.objects.filter(
        pk=batch.pk, state=AckBatch.State.OPEN, lease_token=batch.lease_token
    )
    return (
        mine.update(state=state, closed_at=Now(), lease_token=None, lease_until=None, **changes)
        == 1
    )


def _settle_successes(
    batch: AckBatch, groups: Mapping[Verdict, list[uuid.UUID]], why: str, most_reports: int
) -> None:
    _acked(batch, groups.get(Verdict.SYNCED, []), note="Ramp had it as synced already.")
    for verdict, reason in _MISMATCHES.items():
        _mismatch(batch, groups.get(verdict, []), reason, why)
    _again(batch, groups.get(Verdict.READY, []), why, most_reports)


_MISMATCHES = {
    Verdict.NOT_READY: "It is posted in the ERP, but in Ramp it is no longer ready to sync.",
    Verdict.GONE: "It is posted in the ERP, but Ramp no longer has it.",
    Verdict.REFUSED: "It is posted in the ERP, but Ramp refuses the report.",
}


def _settle_failures(
    batch: AckBatch, groups: Mapping[Verdict, list[uuid.UUID]], why: str, most_reports: int
) -> None:
    _told(batch, groups.get(Verdict.TOLD, []), trace_id="")
    _leave(batch, groups.get(Verdict.SYNCED, []), "EXTERNAL", "Synced in Ramp by someone else.")
    gone = groups.get(Verdict.NOT_READY, []) + groups.get(Verdict.GONE, [])
    _leave(batch, gone, "WITHDRAWN", "No longer ready to sync in Ramp.")
    _members(
        batch,
        groups.get(Verdict.READY, []),
        "report_attempt < %(most)s",
        most=most_reports,
        changes="failure_telling = 'due'",
        event="report_refused",
        text=why,
    )
    tired = groups.get(Verdict.READY, []) + groups.get(Verdict.REFUSED, [])
    _members(
        batch,
        tired,
        "failure_telling = 'sending'",
        changes="failure_telling = ''",
        event="report_refused",
        text=why,
    )


def _acked(batch: AckBatch, ids: Sequence[uuid.UUID], *, note: str, trace_id: str = "") -> None:
    _members(
        batch, ids, "state IN ('ACKING', 'ACKED')",
        changes="state = 'ACKED', state_at = now(), acked_at = coalesce(acked_at, now()), due_at = NULL",
        event="reported", text=note, data={"trace": trace_id, "batch": str(batch.pk)},
    )  # fmt: skip
    if ids:
        Schedule.objects.filter(pk=batch.connection_id).update(last_acked_at=Now())


def _mismatch(batch: AckBatch, ids: Sequence[uuid.UUID], reason: str, why: str) -> None:
    _members(
        batch, ids, "state = 'ACKING'",
        changes="state = 'MISMATCH', state_at = now(), due_at = NULL, error_at = now(),"
        " error_category = 'needs_integrator', error_origin = 'ramp',"
        " error_code = 'ramp.report_refused', error_title = %(reason)s, error_fix = '',"
        " error_detail = left(%(text)s, 4000)",
        event="held", text=why, reason=reason,
    )  # fmt: skip


def _again(batch: AckBatch, ids: Sequence[uuid.UUID], why: str, most_reports: int) -> None:
    """Back to POSTED for a new batch; an item Ramp calls ready and refuses again and again is held."""
    _members(
        batch, ids, "state = 'ACKING' AND report_attempt < %(most)s", most=most_reports,
        changes="state = 'POSTED', state_at = now(), ack_batch_id = NULL",
        event="report_refused", text=why,
    )  # fmt: skip
    _mismatch(batch, ids, _MISMATCHES[Verdict.REFUSED], why)


def _told(batch: AckBatch, ids: Sequence[uuid.UUID], *, trace_id: str) -> None:
    """The error stands in Ramp, unless it has changed since the batch was frozen."""
    says = {line.id: line.says for line in lines_of(batch)}
    current = SyncItem.objects.filter(pk__in=says).values_list("id", "ramp_id", "error_text")
    same = [ramp_id for id_, ramp_id, text in current if text == says[id_] and ramp_id in set(ids)]
    changed = [
        ramp_id for id_, ramp_id, text in current if text != says[id_] and ramp_id in set(ids)
    ]
    data = {"trace": trace_id, "batch": str(batch.pk)}
    _members(
        batch,
        same,
        "failure_telling = 'sending'",
        changes="failure_telling = 'told'",
        event="failure_told",
        data=data,
    )
    _members(
        batch,
        changed,
        "failure_telling = 'sending'",
        changes="failure_telling = CASE WHEN state = 'FAILED' THEN 'due' ELSE '' END",
        event="failure_told",
        data=data,
    )


def _leave(batch: AckBatch, ids: Sequence[uuid.UUID], state: str, why: str) -> None:
    _members(
        batch, ids, "state = 'FAILED'",
        changes="state = %(to)s, state_at = now(), due_at = NULL, failure_telling = '',"
        " error_category = '', error_code = '', error_title = '', error_fix = ''",
        event=state.lower(), text=why, to=state,
    )  # fmt: skip


def _members(
    batch: AckBatch,
    ids: Sequence[uuid.UUID],
    where: str,
    *,
    changes: str,
    event: str,
    text: str = "",
    data: Mapping[str, Any] | None = None,
    **params: Any,
) -> None:
    """Change members of a batch and write one line on each timeline. `where` guards the old state."""
    if not ids:
        return
    link = "ack_batch_id" if batch.outcome == AckBatch.Outcome.SUCCESS else "failure_batch_id"
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            WITH moved AS (
                UPDATE syncing_syncitem SET {changes}
                WHERE {link} = %(batch)s AND ramp_id = ANY(%(ids)s) AND {where} RETURNING id
            )
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT id, now(), %(event)s, %(text)s, %(data)s::jsonb, '' FROM moved ORDER BY id
            """,  # noqa: S608  the pieces are constants of this file
            {
                "batch": batch.pk,
                "ids": list(ids),
                "event": event,
                "text": text,
                "data": orjson.dumps(data or {}).decode(),
                **params,
            },
        )


def _items_in(batch: AckBatch) -> Any:
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        return SyncItem.objects.filter(ack_batch=batch)
    return SyncItem.objects.filter(failure_batch=batch)
