"""Where a group of errors stands: new, ongoing, regressed, snoozed or resolved. Pure.

Nothing of it is stored: it follows from what is open, what people decided, and the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syncing.queries.words import Look

NEW_FOR = timedelta(hours=24)
"""After its first sight."""
REGRESSED_FOR = timedelta(days=7)
"""After it came back. Then it is ongoing, or the top of the list would fill up."""


class GroupState(StrEnum):
    """A state on screen, as it stands in URLs; the more urgent before the less."""

    REGRESSED = "regressed"
    NEW = "new"
    ONGOING = "ongoing"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


LOOKS: Mapping[GroupState, Look] = {
    GroupState.REGRESSED: Look(
        "Regressed", "person", "rotate-ccw", "It was over, or put off, and has come back."
    ),
    GroupState.NEW: Look("New", "work", "zap", "Seen for the first time within the last 24 hours."),
    GroupState.ONGOING: Look(
        "Ongoing", "customer", "activity", "Known for longer, and still open."
    ),
    GroupState.SNOOZED: Look("Snoozed", "neutral", "alarm-clock", "Put off by somebody for now."),
    GroupState.RESOLVED: Look("Resolved", "done", "badge-check", "No item of it is open."),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the state of a group follows from."""

    open_items: int
    first_seen_at: datetime
    resolved_at: datetime | None = None
    regressed_at: datetime | None = None
    is_snoozed: bool = False


def state_of(facts: Facts, now: datetime) -> GroupState:
    """The state of a group at a moment.

    Resolved is at once what has nothing open. What is open again after it was resolved is
    regressed even before anybody has written down when it came back.
    """
    if facts.open_items <= 0:
        return GroupState.RESOLVED
    if facts.is_snoozed:
        return GroupState.SNOOZED
    if came_back_at(facts, now) > now - REGRESSED_FOR:
        return GroupState.REGRESSED
    if facts.first_seen_at > now - NEW_FOR:
        return GroupState.NEW
    return GroupState.ONGOING


def came_back_at(facts: Facts, now: datetime) -> datetime:
    """When it was last open anew: as written down, or just now; else when it was first seen."""
    if facts.regressed_at is not None:
        return facts.regressed_at
    if facts.resolved_at is not None:
        return now
    return datetime.min.replace(tzinfo=now.tzinfo)


def open_since(facts: Facts) -> datetime:
    """Since when it has to be ended, for the order by age."""
    return facts.regressed_at or facts.resolved_at or facts.first_seen_at
