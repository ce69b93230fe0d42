"""The lines of an item's timeline, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncing.models import ItemEvent, SyncItem
from syncing.queries.words import event_title

Kind = ItemEvent.Kind

_LOOKS: Mapping[str, tuple[str, str]] = {
    Kind.READY: ("neutral", "flag"),
    Kind.CHANGED: ("neutral", "pencil"),
    Kind.SENT: ("work", "send"),
    Kind.POSTED: ("done", "file-check-2"),
    Kind.FOUND: ("done", "search"),
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
    "number": "Document",
    "code": "Code",
    "detail": "In its own words",
    "said": "In Ramp's words",
    "late": "Came after posting",
    "next": "Next try",
    "sync_id": "Ramp sync",
    "sync_request_id": "Sync request",
    "trace": "Trace",
    "batch": "Report",
}


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


def moments(item: SyncItem, events: Sequence[ItemEvent]) -> Iterator[Moment]:
    """The timeline, newest first, with the time that passed since the line before."""
    zone = ZoneInfo(item.connection.time_zone)
    earlier = [None, *events][: len(events)]
    last_day = ""
    for event, before in reversed(list(zip(events, earlier, strict=True))):
        tone, icon = _look_of(event)
        day = f"{event.at.astimezone(zone):%A, %-d %B %Y}"
        yield Moment(
            event=event,
            title=event_title(event.kind, item.object_type),
            tone=tone,
            icon=icon,
            since_last=event.at - before.at if before else None,
            facts=list(_facts(event, zone)),
            new_day=day if day != last_day else "",
        )
        last_day = day


def _facts(event: ItemEvent, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for name, value in event.data.items():
        if name not in _DATA_LABELS or value in ("", None, False):
            continue
        yield _DATA_LABELS[name], "yes" if value is True else _text(name, str(value), zone)


def _text(name: str, value: str, zone: ZoneInfo) -> str:
    if name != "next":
        return value
    return f"{datetime.fromisoformat(value).astimezone(zone):%H:%M:%S}"


def _look_of(event: ItemEvent) -> tuple[str, str]:
    tone, icon = _LOOKS.get(event.kind, ("neutral", "info"))  # newer code may know more kinds
    if event.kind == Kind.REFUSED and event.data.get("category") == "needs_integrator":
        return "person", icon
    if event.kind == Kind.RECONCILED and event.data.get("code"):
        return "person", icon
    return tone, icon
