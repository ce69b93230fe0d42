"""Keep the fleet's lines up: what changed at once, what time alone changes within minutes.

The rules are those of the single customer's page (`queries.health`, `queries.risk`); here they are
only applied to many at a time and written down.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min

from connections.mirror import plan
from connections.models import Connection, Credential
from syncing.fleet import changes, figures, history
from syncing.models import CustomerStanding
from syncing.queries import fleet, risk
from syncing.statements import only_one

AT_A_TIME = 500
WHILE_OPEN = timedelta(minutes=1)
WHILE_QUIET = timedelta(minutes=15)
"""When a line is looked at again although nothing was heard of it."""
_WRITTEN = (
    "as_of", "health", "meaning", "party", "severity", "risk", "oldest_at", "words", "open_items",
    "failed_items", "uncertain_items", "unsynced", "worth", "drifting", "days", "day",
    "expires_at", "look_again_at",
)  # fmt: skip


def keep_up(*, now: datetime) -> int:
    """Take a round; how many lines were written. Any number of beats may ring: one is at it.

    With nothing to do it costs four small statements.
    """
    with only_one("fleet") as is_mine:
        return _take_round(now) if is_mine else 0


@transaction.atomic
def _take_round(now: datetime) -> int:
    """What is read here may change meanwhile; its trigger's line then brings the next round."""
    changed = changes.take()
    waiting = dict.fromkeys([*changed, *changes.late(now)])
    written = sum(_write(ids, changed, now) for ids in _portions(list(waiting)))
    figures.keep(now, are_new=bool(waiting), are_all=changes.are_all(changed))
    return written


def _portions(ids: Sequence[uuid.UUID]) -> Sequence[Sequence[uuid.UUID]]:
    return [ids[start : start + AT_A_TIME] for start in range(0, len(ids), AT_A_TIME)]


def _write(
    ids: Sequence[uuid.UUID], changed: Mapping[uuid.UUID, changes.Change], now: datetime
) -> int:
    before = CustomerStanding.objects.in_bulk(ids)
    found = fleet.rows(ids, now=now)
    closed = [one.connection.pk for one in found if one.connection.stage == _CLOSED]
    if closed:
        CustomerStanding.objects.filter(pk__in=closed).delete()
    shown = [one for one in found if one.connection.stage != _CLOSED]
    todays = {one.connection.pk: _today(one.connection, now) for one in shown}
    newcomers = {pk: today for pk, today in todays.items() if pk not in before}
    ends = _ends([one.connection.pk for one in shown])
    begun = history.from_items(newcomers, since=history.since(now)) if newcomers else {}
    lines = [
        _line(
            row,
            before.get(row.connection.pk),
            changed.get(row.connection.pk, changes.NOTHING),
            begun.get(row.connection.pk),
            today=todays[row.connection.pk],
            expires_at=ends.get(row.connection.pk),
            now=now,
        )
        for row in shown
    ]
    CustomerStanding.objects.bulk_create(
        lines, update_conflicts=True, unique_fields=["connection"], update_fields=_WRITTEN
    )
    return len(lines)


_CLOSED = Connection.Stage.CLOSED


def _line(
    row: fleet.CustomerRow,
    before: CustomerStanding | None,
    change: changes.Change,
    begun: history.Days | None,
    *,
    today: date,
    expires_at: datetime | None,
    now: datetime,
) -> CustomerStanding:
    worth = risk.worth(row.unsynced)
    facts = risk.RiskFacts(
        severity=row.health.severity,
        oldest_at=row.oldest_at,
        worth=worth,
        needs_us=bool(row.needs_person or row.uncertain),
        needs_customer=bool(row.waiting),
    )
    is_quiet = not row.open_items and row.health.severity < risk.BROKEN_FROM
    return CustomerStanding(
        connection=row.connection,
        as_of=now,
        health=row.health.label,
        meaning=row.health.meaning[:400],
        party=row.party,
        severity=row.health.severity,
        risk=risk.risk(facts, now=now, today=today),
        oldest_at=row.oldest_at,
        words={word: items for word, items in row.words.items() if items},
        open_items=row.open_items,
        failed_items=row.needs_person + row.waiting,
        uncertain_items=row.uncertain,
        unsynced=[[one.minor, one.currency, one.exponent] for one in row.unsynced],
        worth=worth,
        drifting=_drifting(row.connection, before, change),
        days=_days(before, change, begun, today),
        day=today,
        expires_at=expires_at,
        look_again_at=now + (WHILE_QUIET if is_quiet else WHILE_OPEN),
    )


def _days(
    before: CustomerStanding | None,
    change: changes.Change,
    begun: history.Days | None,
    today: date,
) -> history.Days:
    """A new line's days are counted from its items, which hold the change already."""
    if before is None:
        return begun or history.empty()
    days = history.moved_on(before.days, before.day, today)
    return history.added(days, done=change.done, failed=change.failed)


def _drifting(
    connection: Connection, before: CustomerStanding | None, change: changes.Change
) -> int:
    """Counted only after the chart was read, uploaded or verified: it takes a statement each."""
    if change.in_chart:
        return sum(one.count for one in plan.drift_counts(connection))
    return before.drifting if before else 0


def _ends(ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, datetime]:
    """When the first of each customer's credentials ends, if one does."""
    ending = Credential.objects.filter(connection__in=ids, expires_at__isnull=False)
    first = ending.order_by().values("connection").annotate(at=Min("expires_at"))
    return dict(first.values_list("connection", "at"))


def _today(connection: Connection, now: datetime) -> date:
    return now.astimezone(ZoneInfo(connection.time_zone)).date()
