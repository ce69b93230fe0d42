"""What Ramp's answer to a report means for the items in it, in one transaction per batch."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.db.models import F

from rampbridge.lib import failpoints
from syncing import report_effects as effects
from syncing import reports
from syncing.models import AckBatch, SyncItem
from syncing.report_body import Line

MOST_REFUSALS = 4
"""So often may Ramp refuse an item although it calls it ready; then a person looks."""


class Verdict(StrEnum):
    """What is known of a member of a batch that Ramp did not take."""

    SYNCED = "synced"
    READY = "ready"
    NOT_READY = "not_ready"
    NOT_PAID = "not_paid"
    """A payment that Ramp has not completed yet (fault K12): it will be ready in time."""
    GONE = "gone"
    TOLD = "told"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """Ramp says of it what this version does not know."""
    NEIGHBOUR = "neighbour"
    """Refused only because another member was."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, and what Ramp says where nobody knows what that means."""

    verdict: Verdict
    word: str = ""


@transaction.atomic
def accept(batch: AckBatch, *, sync_id: str, trace_id: str) -> bool:
    """Ramp took the batch: its items are through, or their error stands in Ramp.

    False if another worker closed the batch first.
    """
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        if not effects.accepted(batch, sync_id=sync_id, trace_id=trace_id):
            return False
        batch.state = AckBatch.State.ACCEPTED
    else:
        if not _close(batch, AckBatch.State.ACCEPTED, sync_id=sync_id, trace_id=trace_id):
            return False
        effects.told(batch, reports.members(batch), trace_id=trace_id)
    failpoints.hit("before_acked_commit")
    return True


@transaction.atomic
def reject(batch: AckBatch, findings: Mapping[uuid.UUID, Finding], *, why: str) -> bool:
    """Ramp refused the batch: do with each member what was found, queue the others again.

    False if another worker closed the batch first.
    """
    if not _close(batch, AckBatch.State.REJECTED, problem=why[:2000]):
        return False
    neighbour = Finding(Verdict.NEIGHBOUR)
    groups: dict[Verdict, list[uuid.UUID]] = {verdict: [] for verdict in Verdict}
    unknown: dict[str, list[uuid.UUID]] = {}
    for ramp_id in reports.members(batch):
        found = findings.get(ramp_id, neighbour)
        groups[found.verdict].append(ramp_id)
        if found.verdict is Verdict.UNKNOWN:
            unknown.setdefault(found.word, []).append(ramp_id)
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        _settle_successes(batch, groups, unknown, why)
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
    batch: AckBatch,
    groups: Mapping[Verdict, Sequence[uuid.UUID]],
    unknown: Mapping[str, Sequence[uuid.UUID]],
    why: str,
) -> None:
    effects.acked(batch, groups[Verdict.SYNCED], note="Ramp had it as synced already.")
    effects.again(batch, groups[Verdict.NEIGHBOUR], why)
    effects.again(batch, groups[Verdict.READY], why, at_most=MOST_REFUSALS)
    effects.wait_for_payment(batch, groups[Verdict.NOT_PAID], why)
    for verdict, (code, reason) in _MISMATCHES.items():
        effects.mismatch(batch, groups[verdict], code, reason, why)
    for word, ids in unknown.items():
        reason = f"It is posted in the ERP. {word}"
        effects.mismatch(batch, ids, effects.UNKNOWN_STATE, reason, why)


_IS_REFUSED = (effects.REPORT_REFUSED, "It is posted in the ERP, but Ramp refuses the report.")
_MISMATCHES = {
    Verdict.READY: _IS_REFUSED,  # those that were refused too often to go out again
    Verdict.REFUSED: _IS_REFUSED,
    Verdict.NOT_READY: (
        effects.NO_LONGER_READY,
        "It is posted in the ERP, but in Ramp it is no longer ready to sync.",
    ),
    Verdict.NOT_PAID: (
        effects.NO_LONGER_READY,
        "The payment is posted in the ERP, but Ramp has not completed it for a month.",
    ),
    Verdict.GONE: (effects.GONE, "It is posted in the ERP, but Ramp no longer has it."),
}


def _settle_failures(
    batch: AckBatch, groups: Mapping[Verdict, Sequence[uuid.UUID]], why: str
) -> None:
    """An item may have moved on since: whatever became of it, nothing of this batch stays open."""
    effects.told(batch, groups[Verdict.TOLD], trace_id="")
    effects.leave(batch, groups[Verdict.SYNCED], "EXTERNAL", "Synced in Ramp by someone else.")
    gone = [*groups[Verdict.NOT_READY], *groups[Verdict.GONE]]
    effects.leave(batch, gone, "WITHDRAWN", "No longer ready to sync in Ramp.")
    effects.tell_again(batch, groups[Verdict.NEIGHBOUR], why)
    effects.tell_again(batch, groups[Verdict.READY], why, at_most=MOST_REFUSALS)
    effects.give_up_telling(batch, reports.members(batch), why)
