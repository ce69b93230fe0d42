"""How far the charts look back, and in which steps. Pure.

Of the fleet hours are kept for two months and days for 400; of one customer hours for three days
and days for 90.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncing.models import Span

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_A_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now, cut into slots."""

    key: str
    label: str
    step: timedelta
    slots: int
    span: Span
    """The buckets that slots are made of."""

    def starts(self, now: datetime) -> list[datetime]:
        """When each slot begins, the oldest first; now is in the last one."""
        last = now - (now - _A_MONDAY) % self.step
        return [last - self.step * back for back in reversed(range(self.slots))]

    def labels(self, now: datetime) -> list[str]:
        """The slots on an axis."""
        form = "%H:%M" if self.key == "24h" else "%-d %b"
        return [f"{start:{form}}" for start in self.starts(now)]


DEFAULT = "24h"
_OF_FLEET: Sequence[Period] = (
    Period("24h", "24 hours", HOUR, 24, Span.HOUR),
    Period("7d", "7 days", 6 * HOUR, 28, Span.HOUR),
    Period("30d", "30 days", DAY, 30, Span.DAY),
    Period("90d", "90 days", DAY, 90, Span.DAY),
    Period("400d", "400 days", 7 * DAY, 57, Span.DAY),
)
_OF_CUSTOMER: Sequence[Period] = (
    _OF_FLEET[0],
    Period("7d", "7 days", DAY, 7, Span.DAY),
    *_OF_FLEET[2:4],
)
PERIODS: Mapping[bool, Mapping[str, Period]] = {
    is_customer: {one.key: one for one in kept}
    for is_customer, kept in ((False, _OF_FLEET), (True, _OF_CUSTOMER))
}
"""By whether it is about one customer."""


def period(key: str, *, is_customer: bool) -> Period:
    """The period of that name, or the longest that is kept, or the usual one."""
    offered = PERIODS[is_customer]
    if key in offered:
        return offered[key]
    is_longer = key in PERIODS[False]
    return list(offered.values())[-1] if is_longer else offered[DEFAULT]
