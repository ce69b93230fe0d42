"""On which day to switch: between two periods, and not before all is ready (F-27). Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

AHEAD = timedelta(days=60)
"""So long a switch is planned ahead, at least."""


def proposed(today: date, period_starts: Sequence[date]) -> date:
    """The first day of a period that is at least 60 days away.

    Of the ERP's periods where it tells them so far ahead, else of the calendar's months.
    """
    earliest = today + AHEAD
    of_the_erp = [day for day in period_starts if day >= earliest]
    return min(of_the_erp) if of_the_erp else _first_of_month(earliest)


def is_boundary(day: date, period_starts: Sequence[date]) -> bool:
    """Whether a period begins on that day.

    An ERP that knows the time around the day has the last word; beyond its periods, and for one
    that tells none, it is the first of a month.
    """
    if day in period_starts:
        return True
    is_known = bool(period_starts) and min(period_starts) <= day <= max(period_starts)
    return not is_known and day.day == 1


def _first_of_month(earliest: date) -> date:
    """On or after a day."""
    if earliest.day == 1:
        return earliest
    return (earliest.replace(day=1) + timedelta(days=32)).replace(day=1)
