"""What Ramp's answer to a report does to the items in it, in one transaction per batch."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.db.models import F

from rampbridge.lib import failpoints
from syncing import reports
from syncing.models import AckBatch, SyncItem
from syncing.reports import Line
from syncing.statements import as_json, execute

MOST_REFUSALS = 4
"""So often may Ramp refuse an item although it calls it ready; then a person looks."""


class Verdict(StrEnum):
    """What is known of a member of a batch that Ramp did not take."""

    SYNCED = "synced"
    READY = "ready"
    NOT_READY = "not_ready"
    GONE = "gone"
    TOLD = "told"
    REFUSED = "refused"
    NEIGHBOUR = "neighbour"
    """Refused only because another member was."""


@transaction.atomic
def accept(batch: AckBatch, *, sync_id: str, trace_id: str) -> bool:
    """Ramp took the batch: its items are through, or their error stands in Ramp.

    False if another worker closed the batch first.
    """
    if not _close(batch, AckBatch.State.ACCEPTED, sync_id=sync_id, trace_id=trace_id):
        return False
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        _acked(batch, reports.members(batch), trace_id=trace_id)
    else:
        _told(batch, reports.members(batch), trace_id=trace_id)
    failpoints.hit("before_acked_commit")
    return True


@transaction.atomic
def reject(batch: AckBatch, verdicts: Mapping[uuid.UUID, Verdict], *, why: str) -> bool:
    """Ramp refused the batch: do with each member what its verdict says, queue the others again.

    False if another worker closed the batch first.
    """
    if not _close(batch, AckBatch.State.REJECTED, problem=why[:2000]):
        return False
    groups: dict[Verdict, list[uuid.UUID]] = {verdict: [] for verdict in Verdict}
    for ramp_id in reports.members(batch):
        groups[verdicts.get(ramp_id, Verdict.NEIGHBOUR)].append(ramp_id)
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        _settle_successes(batch, groups, why)
    else:
        _settle_failures(batch, groups, why)
    failpoints.hit("before_rejected_commit")
    return True


@transaction.atomic
def replace(
    batch: AckBatch, successors: Iterable[tuple[AckBatch, Sequence[Line]]], *, why: str
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
    closed = mine.update(
        state=state, closed_at=TransactionNow(), lease_token=None, lease_until=None, **changes
    )
    return closed == 1


def _settle_successes(
    batch: AckBatch, groups: Mapping[Verdict, Sequence[uuid.UUID]], why: str
) -> None:
    _acked(batch, groups[Verdict.SYNCED], note="Ramp had it as synced already.")
    _again(batch, groups[Verdict.NEIGHBOUR], why)
    _again(batch, groups[Verdict.READY], why, at_most=MOST_REFUSALS)
    _mismatch(batch, groups[Verdict.READY], _IS_REFUSED, why)
    _mismatch(batch, groups[Verdict.REFUSED], _IS_REFUSED, why)
    _mismatch(batch, groups[Verdict.NOT_READY], _IS_NOT_READY, why)
    _mismatch(batch, groups[Verdict.GONE], _IS_GONE, why)


_IS_REFUSED = "It is posted in the ERP, but Ramp refuses the report."
_IS_NOT_READY = "It is posted in the ERP, but in Ramp it is no longer ready to sync."
_IS_GONE = "It is posted in the ERP, but Ramp no longer has it."


def _settle_failures(
    batch: AckBatch, groups: Mapping[Verdict, Sequence[uuid.UUID]], why: str
) -> None:
    """An item may have moved on since: whatever became of it, nothing of this batch stays open."""
    _told(batch, groups[Verdict.TOLD], trace_id="")
    _leave(batch, groups[Verdict.SYNCED], "EXTERNAL", "Synced in Ramp by someone else.")
    gone = [*groups[Verdict.NOT_READY], *groups[Verdict.GONE]]
    _leave(batch, gone, "WITHDRAWN", "No longer ready to sync in Ramp.")
    _tell_again(batch, groups[Verdict.NEIGHBOUR], why)
    _tell_again(batch, groups[Verdict.READY], why, at_most=MOST_REFUSALS)
    _change(
        batch,
        reports.members(batch),
        where=_IS_SENDING,
        to="failure_telling = ''",
        event="report_refused",
        text=why,
    )


_IS_SENDING = "failure_telling = 'sending'"
_NAMED_BEFORE = """
    (SELECT count(*) FROM syncing_itemevent e WHERE e.item_id = syncing_syncitem.id
     AND e.kind = 'report_refused' AND e.data ->> 'named' = 'true')
"""


def _acked(
    batch: AckBatch, ids: Sequence[uuid.UUID], *, note: str = "", trace_id: str = ""
) -> None:
    _change(
        batch,
        ids,
        where="state IN ('ACKING', 'ACKED')",
        to="state = 'ACKED', state_at = now(), acked_at = coalesce(acked_at, now()), due_at = NULL",
        event="reported",
        text=note,
        data={"trace": trace_id, "batch": str(batch.pk)},
        also="UPDATE syncing_schedule SET last_acked_at = now() WHERE connection_id = %(whose)s",
        whose=batch.connection_id,
    )


def _mismatch(batch: AckBatch, ids: Sequence[uuid.UUID], reason: str, why: str) -> None:
    _change(
        batch,
        ids,
        where="state = 'ACKING'",
        to="state = 'MISMATCH', state_at = now(), due_at = NULL, error_at = now(),"
        " error_category = 'needs_integrator', error_origin = 'ramp',"
        " error_code = 'ramp.report_refused', error_title = %(reason)s, error_fix = '',"
        " error_detail = left(%(text)s, 4000)",
        event="held",
        text=why,
        reason=reason,
    )


def _again(batch: AckBatch, ids: Sequence[uuid.UUID], why: str, *, at_most: int = 0) -> None:
    """Back to POSTED for a new batch; `at_most` bounds how often the item itself is refused."""
    _change(
        batch,
        ids,
        where="state = 'ACKING'" + _bound(at_most),
        to="state = 'POSTED', state_at = now(), ack_batch_id = NULL",
        event="report_refused",
        text=why,
        data={"named": bool(at_most)},
        at_most=at_most,
    )


def _tell_again(batch: AckBatch, ids: Sequence[uuid.UUID], why: str, *, at_most: int = 0) -> None:
    _change(
        batch,
        ids,
        where=_IS_SENDING + _bound(at_most),
        to="failure_telling = CASE WHEN state = 'FAILED' THEN 'due' ELSE '' END",
        event="report_refused",
        text=why,
        data={"named": bool(at_most)},
        at_most=at_most,
    )


def _bound(at_most: int) -> str:
    return f" AND {_NAMED_BEFORE} + 1 < %(at_most)s" if at_most else ""


def _told(batch: AckBatch, ids: Sequence[uuid.UUID], *, trace_id: str) -> None:
    """The error stands in Ramp, unless another one has come up since the batch was frozen."""
    says = {line.ramp_id: line.says for line in reports.lines_of(batch)}
    now_says = dict(reports.items_in(batch).values_list("ramp_id", "error_text"))
    current = [ramp_id for ramp_id in ids if now_says.get(ramp_id) == says.get(ramp_id)]
    data = {"trace": trace_id, "batch": str(batch.pk)}
    _change(
        batch,
        current,
        where=_IS_SENDING,
        to="failure_telling = 'told'",
        event="failure_told",
        data=data,
    )
    _change(
        batch,
        [ramp_id for ramp_id in ids if ramp_id not in set(current)],
        where=_IS_SENDING,
        to="failure_telling = CASE WHEN state = 'FAILED' THEN 'due' ELSE '' END",
        event="failure_told",
        data=data,
    )


def _leave(batch: AckBatch, ids: Sequence[uuid.UUID], state: str, why: str) -> None:
    _change(
        batch,
        ids,
        where="state IN ('READY', 'FAILED')",
        to="state = %(to_state)s, state_at = now(), due_at = NULL, failure_telling = '',"
        " error_category = '', error_origin = '', error_code = '', error_title = '',"
        " error_fix = '', error_text = '', error_detail = '', blocked_by = ''",
        event=state.lower(),
        text=why,
        to_state=state,
    )


def _change(
    batch: AckBatch,
    ids: Sequence[uuid.UUID],
    *,
    where: str,
    to: str,
    event: str,
    text: str = "",
    data: Mapping[str, Any] | None = None,
    also: str = "SELECT",
    **params: Any,
) -> None:
    """Change members of a batch and write one line on each timeline. `where` guards the old state.

    `where`, `to` and `also`, a statement that goes with it, are SQL of this file.
    """
    if not ids:
        return
    link = "ack_batch_id" if batch.outcome == AckBatch.Outcome.SUCCESS else "failure_batch_id"
    execute(
        f"""
        WITH moved AS (
            UPDATE syncing_syncitem SET {to}
            WHERE {link} = %(batch)s AND ramp_id = ANY(%(ids)s) AND {where} RETURNING id
        ), also AS (
            {also}
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), %(event)s, %(text)s, %(data)s::jsonb, '' FROM moved ORDER BY id
        """,  # noqa: S608  the pieces are constants of this file
        {
            "batch": batch.pk,
            "ids": list(ids),
            "event": event,
            "text": text,
            "data": as_json(data or {}),
            **params,
        },
    )
