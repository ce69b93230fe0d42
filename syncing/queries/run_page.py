"""One pull from Ramp as it went, or goes: what rang, what was read, what it brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from syncing.models import PullCursor, SyncItem, SyncRun, WebhookEvent
from syncing.queries.words import type_label

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the console."""

    at: datetime
    tone: str
    icon: str
    text: str


def events_of(run: SyncRun) -> Sequence[WebhookEvent]:
    """The events that it answered, the newest first; while it runs, those that wait for it."""
    found = WebhookEvent.objects.filter(connection_id=run.connection_id)
    if run.finished_at is None:
        found = found.filter(handled_at=None, received_at__lte=run.started_at)
    else:
        found = found.filter(run=run)
    return list(found.defer("raw").order_by("-received_at", "-pk")[: SHOWN + 1])


def brought(run: SyncRun, *, now: datetime) -> Sequence[SyncItem]:
    """Items that became known by it, the newest first."""
    if not run.new:
        return []
    found = SyncItem.objects.filter(
        connection_id=run.connection_id,
        ready_at__range=(run.started_at, run.finished_at or now),
        arrived_by=run.trigger,
    )
    return list(found.select_related("connection").order_by("-ready_at", "-pk")[:SHOWN])


def cursors(run: SyncRun) -> Sequence[PullCursor]:
    """How far this pull has come with each list."""
    return list(
        PullCursor.objects.filter(connection_id=run.connection_id).order_by(
            "object_type", "entity_ramp_id"
        )
    )


def console(
    run: SyncRun, events: Sequence[WebhookEvent], lists: Sequence[PullCursor]
) -> list[Step]:
    """What happened, in its order, as far as it is known."""
    steps = [Step(run.started_at, "neutral", "flag", _why(run, events))]
    for one in lists:
        name = f"{type_label(one.object_type)}s"
        if one.began_at and one.began_at >= run.started_at and run.finished_at is None:
            pages = f"{one.pages:,} page{'' if one.pages == 1 else 's'} read so far"
            steps.append(Step(one.began_at, "work", "loader", f"{name}: {pages}."))
        if one.completed_at and run.started_at <= one.completed_at <= (
            run.finished_at or one.completed_at
        ):
            steps.append(Step(one.completed_at, "done", "check", f"{name}: read to the end."))
    steps.sort(key=lambda step: step.at)
    steps += _ending(run)
    return steps


def _why(run: SyncRun, events: Sequence[WebhookEvent]) -> str:
    match run.trigger:
        case SyncRun.Trigger.WEBHOOK if events:
            more = "more than " if len(events) > SHOWN else ""
            number = min(len(events), SHOWN)
            return f"Ramp rang: {more}{number} event{'' if number == 1 else 's'}."
        case SyncRun.Trigger.WEBHOOK:
            return "Ramp rang."
        case SyncRun.Trigger.MANUAL:
            return f"Asked for by {run.actor or 'somebody'}."
        case SyncRun.Trigger.BACKFILL:
            return f"A backfill, begun by {run.actor or 'somebody'}."
        case SyncRun.Trigger.BUTTON:
            return "The customer pressed the sync button in Ramp."
        case SyncRun.Trigger.RECONCILE:
            return "The nightly comparison."
        case _:
            return "It was time to poll."


def _ending(run: SyncRun) -> list[Step]:
    if run.finished_at is None:
        return []
    steps = [
        Step(run.finished_at, "person", "octagon-alert", line)
        for line in run.problem.splitlines()
        if line.strip()
    ]
    if run.unannounced:
        text = (
            f"{run.unannounced:,} of the new ones should have been announced by a webhook"
            " minutes before, and were not."
        )
        steps.append(Step(run.finished_at, "customer", "webhook", text))
    counts = (
        f"{run.pages:,} page{'' if run.pages == 1 else 's'}: {run.seen:,} ready,"
        f" {run.new:,} new, {run.changed:,} changed."
    )
    end = Step(run.finished_at, "done", "circle-check", f"Finished. {counts}")
    if run.problem:
        end = Step(run.finished_at, "neutral", "flag", f"Ended. What was read is kept. {counts}")
    return [*steps, end]
