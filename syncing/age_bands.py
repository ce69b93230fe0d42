"""How old open work is, in five bands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Band:
    """Ages from one up to, but not including, another."""

    label: str
    from_age: timedelta
    to_age: timedelta | None

    def ready_between(self, now: datetime) -> tuple[datetime | None, datetime]:
        """When items of this age became ready: after the first (None: any time), up to and with the
        second."""
        after = None if self.to_age is None else now - self.to_age
        return after, now - self.from_age


BANDS: Sequence[Band] = (
    Band("under 1 h", timedelta(0), timedelta(hours=1)),
    Band("1 to 4 h", timedelta(hours=1), timedelta(hours=4)),
    Band("4 to 24 h", timedelta(hours=4), timedelta(hours=24)),
    Band("1 to 3 d", timedelta(hours=24), timedelta(days=3)),
    Band("over 3 d", timedelta(days=3), None),
)

SQL_BAND = " + ".join(
    f"(i.ready_at <= (SELECT %(now)s - interval '{band.from_age.total_seconds():g} s'))::int"
    for band in BANDS[1:]
)
"""The number of the band of an item `i`, at the moment that is given as `now`. The bounds are
subqueries, worked out once: an interval is not taken off a moment in no time."""
