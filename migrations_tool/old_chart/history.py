"""What was decided about an old record before, by whom: the database writes it down by itself."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from migrations_tool.models import OldRecord

DECIDED = (
    "state",
    "erp_id",
    "field_erp_id",
    "erp_name",
    "evidence",
    "parked_because",
    "shared_because",
    "decided_by",
    "decided_at",
)
SHOWN = 20
_READ = 200
"""Events that are read for a page: most are of a new count, not of a decision."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One standing of a record, and when it began."""

    at: datetime
    by: str
    label: str
    """The state's."""
    erp_name: str
    why: str


def history_of(row: OldRecord) -> list[Entry]:
    """Its standings, the newest first. Counting its uses anew makes none."""
    return [_entry(event) for event in _standings(row)[:SHOWN]]


def mark_of(row: OldRecord) -> str:
    """What a page that shows this decision sends back with an act, so that it is known if somebody
    has decided otherwise meanwhile."""
    told = "\n".join(str(getattr(row, name)) for name in DECIDED)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def told(row: OldRecord) -> str:
    """What is decided about it now and by whom, in a sentence."""
    who = row.decided_by or "The matching"
    if row.state == OldRecord.State.PARKED:
        what = f"it is parked: {row.parked_because}"
    elif row.erp_name:
        what = f"it leads to {row.erp_name}"
    else:
        what = "it leads nowhere"
    when = f" on {row.decided_at:%-d %b %Y, %H:%M} UTC" if row.decided_at else ""
    return f"{who} has decided about {row} meanwhile{when}: {what}."


def before_last(row: OldRecord) -> Any | None:
    """The event whose decision held before the one that holds now; None if there is none."""
    standings = _standings(row)
    return standings[1] if len(standings) > 1 else None


def _standings(row: OldRecord) -> Sequence[Any]:
    events: Any = row.events  # type: ignore[attr-defined]  # pghistory's
    found: list[Any] = []
    for event in events.order_by("-pgh_id")[:_READ]:
        decision = _decision(event)
        if found and _decision(found[-1]) == decision:
            found[-1] = event  # it began with the earliest of these
        else:
            found.append(event)
    return found


def _decision(event: Any) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in DECIDED)


def _entry(event: Any) -> Entry:
    why = event.parked_because or event.evidence
    if event.shared_because:
        why = f"{why} · {event.shared_because}".strip(" ·")
    label = OldRecord.State(event.state).label
    return Entry(event.pgh_created_at, event.decided_by, label, event.erp_name, why)
