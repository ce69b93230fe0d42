"""The lines of an item's timeline, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncing.models import ItemEvent, SyncItem
from syncing.queries.words import event_title
from syncing.views.item_steps import Mapped, Step

Kind = ItemEvent.Kind

_LOOKS: Mapping[str, tuple[str, str]] = {
    Kind.READY: ("neutral", "flag"),
    Kind.CHANGED: ("neutral", "pencil"),
    Kind.SENT: ("work", "send"),
    Kind.POSTED: ("done", "file-check-2"),
    Kind.FOUND: ("done", "search"),
    Kind.LOOKED: ("uncertain", "search"),
    Kind.SETTLED: ("neutral", "badge-check"),
    Kind.REFUSED: ("customer", "circle-slash"),
    Kind.RETRYING: ("retry", "rotate-ccw"),
    Kind.UNCERTAIN: ("uncertain", "circle-help"),
    Kind.HELD: ("person", "hand"),
    Kind.REPORTED: ("done", "check-check"),
    Kind.FAILURE_TOLD: ("customer", "message-square-warning"),
    Kind.REPORT_REFUSED: ("person", "octagon-alert"),
    Kind.RELEASED: ("neutral", "undo-2"),
    Kind.EXTERNAL: ("neutral", "external-link"),
    Kind.WITHDRAWN: ("neutral", "undo-2"),
    Kind.WAITING: ("neutral", "hourglass"),
    Kind.ATTACHED: ("done", "file-text"),
    Kind.NOT_ATTACHED: ("customer", "file-text"),
    Kind.RECONCILED: ("customer", "scale"),
    Kind.NOTE: ("neutral", "info"),
}
_DATA_LABELS = {
    "attempt": "Attempt",
    "hash": "Document",
    "number": "Document",
    "total": "Total there",
    "ms": "Call took",
    "code": "Code",
    "detail": "In its own words",
    "said": "In Ramp's words",
    "reason": "Because",
    "searched": "Searched by",
    "late": "Came after posting",
    "next": "Next try",
    "until": "Until",
    "sync_id": "Ramp sync",
    "sync_request_id": "Sync request",
    "trace": "Trace",
    "batch": "Report",
}
_TIMES = {"next": "%H:%M:%S", "until": "%-d %b, %H:%M"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    event: ItemEvent
    title: str
    tone: str
    icon: str
    since_last: Any
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    new_day: str = ""
    mapped: Sequence[Mapped] = ()
    """Of a mapping: each coding and where it led."""
    notes: Sequence[str] = ()
    """Defaults and fallbacks, and what was searched."""
    run_id: int | None = None


def moments(
    item: SyncItem, events: Sequence[ItemEvent], steps: Sequence[Step] = ()
) -> Iterator[Moment]:
    """The timeline, newest first, with the time that passed since the line before.

    :param steps: lines that no event tells, each beside its event
    """
    zone = ZoneInfo(item.connection.time_zone)
    earlier = [None, *events][: len(events)]
    last_day = ""
    for event, before in reversed(list(zip(events, earlier, strict=True))):
        day = f"{event.at.astimezone(zone):%A, %-d %B %Y}"
        mine = [step for step in steps if step.event == event.pk]
        lines = [_of_step(item, event, step) for step in reversed(mine)]
        own = _of_event(item, event, before, zone)
        lines = [own, *lines] if any(step.comes_before for step in mine) else [*lines, own]
        for line in lines:
            yield replace(line, new_day=day) if day != last_day else line
            last_day = day


def _of_event(item: SyncItem, event: ItemEvent, before: ItemEvent | None, zone: ZoneInfo) -> Moment:
    tone, icon = _look_of(event)
    return Moment(
        event=event,
        title=event_title(event.kind, item.object_type),
        tone=tone,
        icon=icon,
        since_last=event.at - before.at if before else None,
        facts=list(_facts(event, zone)),
        notes=[str(asked) for asked in event.data.get("asked_for", ())],
    )


def _of_step(item: SyncItem, event: ItemEvent, step: Step) -> Moment:
    return Moment(
        event=ItemEvent(item=item, at=event.at, kind=Kind.NOTE, text=step.text),
        title=step.title,
        tone=step.tone,
        icon=step.icon,
        since_last=None,
        facts=step.facts,
        mapped=step.mapped,
        notes=step.notes,
        run_id=step.run_id,
    )


def _facts(event: ItemEvent, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for name, value in event.data.items():
        if name not in _DATA_LABELS or value is None or value is False or value == "":
            continue
        yield _DATA_LABELS[name], "yes" if value is True else _text(name, str(value), zone)


def _text(name: str, value: str, zone: ZoneInfo) -> str:
    if name == "ms":
        return f"{value} ms"
    if name not in _TIMES:
        return value
    return f"{datetime.fromisoformat(value).astimezone(zone):{_TIMES[name]}}"


def _look_of(event: ItemEvent) -> tuple[str, str]:
    tone, icon = _LOOKS.get(event.kind, ("neutral", "info"))  # newer code may know more kinds
    if event.kind == Kind.REFUSED and event.data.get("category") == "needs_integrator":
        return "person", icon
    if event.kind == Kind.RECONCILED and event.data.get("code"):
        return "person", icon
    return tone, icon
