"""How often a connection is polled, and when exactly. Pure.

Ramp asks for one to four hours on weekdays and twelve at weekends (R-78). Inside that band the
pace follows the need: webhooks that work let us ask less, webhooks that miss something, the turn
of the month and much spend make us ask more.
"""

import calendar
import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = 3600
FAST, USUAL, SLOW, WEEKEND = 1 * HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR
BUSY_PULL = 100
"""New objects in one pull from which on a connection counts as busy: a full page."""
_DAYS_BEFORE, _DAYS_AFTER = 2, 3
"""The books are closed around the turn of the month, and then everybody looks."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What is known of a connection when its next poll is planned."""

    time_zone: str
    spread: int
    """Any number that stays the same for the connection and differs between connections."""
    webhooks_work: bool = False
    """Subscribed, and the polls found nothing that no event had announced."""
    is_missing_events: bool = False
    is_busy: bool = False
    """The last poll brought `BUSY_PULL` or more."""
    hook_is_quiet: bool = False
    """Subscribed, and Ramp has told of nothing for longer than it tries to."""


def spread_of(connection_id: uuid.UUID) -> int:
    """A connection's own number, the same in every process and for ever."""
    return int.from_bytes(hashlib.sha256(connection_id.bytes).digest()[:8])


def seconds_between(local_day: date, habits: Habits) -> int:
    """The pace of a day, in seconds between two polls."""
    if local_day.weekday() >= 5:
        return WEEKEND
    if habits.is_missing_events or habits.is_busy or _is_turn_of_month(local_day):
        return FAST
    return SLOW if habits.webhooks_work else USUAL


def next_poll_in(habits: Habits, *, now: datetime, every: int | None = None) -> timedelta:
    """Time to the connection's next slot, never zero.

    Slots are spread over the interval, so that a thousand customers do not ask at once, and stand
    still while the pace does, however long a pull takes. A weekend's slot never reaches into
    Monday.

    :param now: aware
    :param every: seconds between polls whatever the day, where somebody has said so
    """
    local = now.astimezone(ZoneInfo(habits.time_zone))
    wait = _to_slot(now, every or seconds_between(local.date(), habits), habits.spread)
    if every:
        return wait
    monday = _monday_after(local, habits)
    return min(wait, monday - now) if monday else wait


def next_night_in(habits: Habits, *, now: datetime) -> timedelta:
    """Time to the next night's slot, between two and five in the customer's time zone.

    :param now: aware
    """
    local = now.astimezone(ZoneInfo(habits.time_zone))
    slot = timedelta(hours=2, seconds=habits.spread % (3 * HOUR))
    for days in (0, 1):
        day = local.date() + timedelta(days=days)
        at = datetime(day.year, day.month, day.day, tzinfo=local.tzinfo) + slot
        if at > local:
            return at - now
    raise AssertionError("a night follows every day")


def _to_slot(now: datetime, seconds: int, spread: int) -> timedelta:
    elapsed = (int(now.timestamp()) - spread % seconds) % seconds
    return timedelta(seconds=seconds - elapsed)


def _monday_after(local: datetime, habits: Habits) -> datetime | None:
    """At a weekend, the first slot after it."""
    if local.weekday() < 5:
        return None
    day = local.date() + timedelta(days=7 - local.weekday())
    midnight = datetime(day.year, day.month, day.day, tzinfo=local.tzinfo)
    return midnight + timedelta(seconds=habits.spread % seconds_between(day, habits))


def _is_turn_of_month(day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    return day.day <= _DAYS_AFTER or day.day > last - _DAYS_BEFORE
