"""Fourteen days of a customer, done and failed, in a row of numbers that a line carries along."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from syncing.statements import rows

DAYS = 14

Days = list[list[int]]
"""Of each day, the oldest first: items done, items failed."""


def empty() -> Days:
    return [[0, 0] for _ in range(DAYS)]


def moved_on(days: Sequence[Sequence[int]], last: date | None, today: date) -> Days:
    """The same days as seen from today: the oldest leave, new ones have nothing yet."""
    known = [[int(done), int(failed)] for done, failed in days][-DAYS:]
    if last is None or len(known) < DAYS:
        known = empty()[: DAYS - len(known)] + known
    passed = min(max((today - last).days, 0), DAYS) if last else 0
    return known[passed:] + empty()[:passed]


def added(days: Days, *, done: int, failed: int) -> Days:
    """With what has just happened, today."""
    *before, (was_done, was_failed) = days
    return [*before, [was_done + done, was_failed + failed]]


def from_items(todays: Mapping[uuid.UUID, date], *, since: datetime) -> Mapping[uuid.UUID, Days]:
    """The days of customers that have no line yet, counted from their items. Two statements.

    :param todays: the date where each customer is
    :param since: a moment before the oldest of the days
    """
    found: dict[uuid.UUID, Days] = {pk: empty() for pk in todays}
    for place, counted in enumerate((_done(todays, since), _failed(todays, since))):
        for pk, days in counted.items():
            for day, items in days.items():
                back = (todays[pk] - day).days
                if 0 <= back < DAYS:
                    found[pk][DAYS - 1 - back][place] += items
    return found


def _done(ids: Collection[uuid.UUID], since: datetime) -> Mapping[uuid.UUID, dict[date, int]]:
    return _by_day(
        """
        SELECT i.connection_id, (i.acked_at AT TIME ZONE c.time_zone)::date, count(*)
        FROM syncing_syncitem i JOIN connections_connection c ON c.id = i.connection_id
        WHERE i.state = 'ACKED' AND i.acked_at >= %s AND i.connection_id = ANY(%s) GROUP BY 1, 2
        """,
        ids,
        since,
    )


def _failed(ids: Collection[uuid.UUID], since: datetime) -> Mapping[uuid.UUID, dict[date, int]]:
    return _by_day(
        """
        SELECT o.connection_id, (o.last_at AT TIME ZONE c.time_zone)::date,
            count(DISTINCT o.item_id)
        FROM syncing_occurrence o JOIN connections_connection c ON c.id = o.connection_id
        WHERE o.last_at >= %s AND o.connection_id = ANY(%s) GROUP BY 1, 2
        """,
        ids,
        since,
    )


def _by_day(
    statement: str, ids: Collection[uuid.UUID], since: datetime
) -> Mapping[uuid.UUID, dict[date, int]]:
    counted: dict[uuid.UUID, dict[date, int]] = defaultdict(dict)
    for pk, day, items in rows(statement, [since, list(ids)]):
        counted[pk][day] = items
    return counted


def since(now: datetime) -> datetime:
    """A moment before the oldest of the days, wherever a customer is."""
    return now - timedelta(days=DAYS + 1)
