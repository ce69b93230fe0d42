"""What a row of readings says: whether it is drained, how fast it goes, and how long it may take.

Pure: readings in, words out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

APART = timedelta(minutes=15)
"""Zero has to be seen twice, so far apart: lists lag, and people mark things ready meanwhile."""
FRESH = timedelta(minutes=10)
"""A reading that is older proves nothing at the click."""
TREND = timedelta(minutes=60)
"""How far back a pace is measured."""


class Reading(Protocol):
    """What was ready at one moment."""

    @property
    def at(self) -> datetime: ...
    @property
    def total(self) -> int: ...
    @property
    def ready(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Zero:
    """How long nothing has been ready."""

    since: datetime
    last: datetime

    @property
    def is_proven(self) -> bool:
        return self.last - self.since >= APART

    @property
    def proven_at(self) -> datetime:
        """From when on a reading of nothing is the second that counts."""
        return self.since + APART


def refused(reading: Reading) -> list[str]:
    """Types that Ramp refused to list. What is not seen is not zero."""
    return [name for name, ready in reading.ready.items() if ready.get("refused")]


def is_zero(reading: Reading) -> bool:
    return reading.total == 0 and not refused(reading)


def zero_run(newest_first: Sequence[Reading]) -> Zero | None:
    """The unbroken run of zeros that the newest reading ends; None if something is ready."""
    since = last = None
    for reading in newest_first:
        if not is_zero(reading):
            break
        since, last = reading.at, last or reading.at
    return Zero(since, last) if since and last else None


@dataclass(frozen=True, slots=True)
class Pace:
    """Objects that fewer are ready each hour, over the last hour at most; negative: more."""

    per_hour: float
    measured: timedelta

    @property
    def is_falling(self) -> bool:
        return self.per_hour > 0

    def left(self, total: int) -> timedelta | None:
        """How long it takes if it goes on like this; None if it does not."""
        return timedelta(hours=total / self.per_hour) if self.is_falling else None


def pace(newest_first: Sequence[Reading]) -> Pace | None:
    """None until two readings tell."""
    if len(newest_first) < 2:
        return None
    newest = newest_first[0]
    recent = [one for one in newest_first if newest.at - one.at <= TREND]
    oldest = recent[-1] if len(recent) > 1 else newest_first[1]
    took = newest.at - oldest.at
    if not took:
        return None
    return Pace((oldest.total - newest.total) / (took / timedelta(hours=1)), took)


def pause_for(total: int) -> timedelta:
    """How long to wait after a reading. A long list is not read every minute: its calls would be
    taken from what syncs."""
    return min(timedelta(minutes=max(1, total // 1000)), timedelta(minutes=5))
