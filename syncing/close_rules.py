"""When months are closed, and whether one will be clean by then. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

USUAL_DAY = 5
"""The working day after a month's end on which most customers close it."""
LATEST_DAY = 20
MONTHS = 13
"""So many months back, the running one among them, are on the board: the same one of last year."""
RED_BEFORE = timedelta(days=3)
DUE_SOON = timedelta(days=7)
"""A bill that must be paid within this, and is not in the ERP, outranks larger sums (R-148)."""
_SATURDAY = 5


def months(today: date) -> list[date]:
    """The first days of the months on the board, the newest first."""
    found = [today.replace(day=1)]
    while len(found) < MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


def month_after(period: date) -> date:
    """The first day of the month after the one that begins so."""
    return (period + timedelta(days=32)).replace(day=1)


def last_ended(today: date) -> date:
    """The month that is being closed: the one before the running one."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def close_on(period: date, working_day: int) -> date:
    """The n-th working day after a month's end. Monday to Friday; no holidays are known."""
    day = month_after(period)
    left = working_day
    while True:
        if day.weekday() < _SATURDAY:
            left -= 1
            if left <= 0:
                return day
        day += timedelta(days=1)


def close_days(period: date) -> Mapping[int, date]:
    """Of a month, every day on which somebody may close it, by its number."""
    return {number: close_on(period, number) for number in range(1, LATEST_DAY + 1)}


def end_of(day: date, zone: str) -> datetime:
    """The midnight that ends a day where the customer is."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return midnight.astimezone(UTC)


class Outlook(StrEnum):
    """Whether a month will be clean before it is closed."""

    CLEAN = "clean"
    ON_TIME = "on-time"
    LATE = "late"
    HELD = "held"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a forecast follows from."""

    close_at: datetime
    customer: int = 0
    """Items of the month that wait for the customer."""
    people: int = 0
    """That need a person here, or are uncertain."""
    moving: int = 0
    """That go on by themselves: queued, under way, tried again."""
    queue: int = 0
    """Everything of the customer that goes on by itself, of whatever month: one queue."""
    per_second: float | None = None
    """Documents that the ERP takes, as learnt."""
    stopped: str = ""
    """What keeps the customer from posting at all, in words."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether it will be clean in time, in words, and when if that can be worked out."""

    outlook: Outlook
    text: str
    clean_at: datetime | None = None


def forecast(facts: Facts, *, now: datetime) -> Forecast:
    """What will become of a month if nobody does anything else. What waits for people is never
    guessed at: it is clean once they have acted."""
    if not (facts.customer or facts.people or facts.moving):
        return Forecast(Outlook.CLEAN, "Nothing is unsynced.")
    if facts.customer or facts.people:
        return Forecast(Outlook.HELD, f"Not by itself: {' and '.join(_held(facts))}.")
    if facts.stopped:
        return Forecast(Outlook.STOPPED, f"Not by itself: {facts.stopped}")
    if not facts.per_second:
        return Forecast(Outlook.UNKNOWN, "Nobody knows yet how fast this ERP takes documents.")
    seconds = max(facts.queue, facts.moving) / facts.per_second
    clean_at = now + timedelta(seconds=seconds)
    if clean_at <= facts.close_at:
        return Forecast(
            Outlook.ON_TIME, "At the present pace it is through before the close,", clean_at
        )
    if facts.close_at <= now:
        return Forecast(
            Outlook.LATE, "The close is over. At the present pace it is through", clean_at
        )
    return Forecast(
        Outlook.LATE, "At the present pace it is not through before the close, but", clean_at
    )


def _held(facts: Facts) -> Iterator[str]:
    if facts.customer:
        yield f"{facts.customer:,} wait{'s' * (facts.customer == 1)} for the customer"
    if facts.people:
        yield f"{facts.people:,} need{'s' * (facts.people == 1)} a person here"
