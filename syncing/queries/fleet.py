"""Every customer with its health, or one: is it working, what is stuck, whose move."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.models import Schedule, SyncItem
from syncing.queries import standing as standings
from syncing.queries.words import OPEN, OPEN_WORDS, PARTY_LABELS, Look, Party, Word
from syncing.states import ItemState

SLOW_AFTER = timedelta(minutes=15)
"""Due for longer than this and still not taken: something is slow."""
POLLS_UNTIL_WORRY = 3


@dataclass(frozen=True, slots=True)
class Health(Look):
    """How a connection is doing as a whole; the higher the severity, the sooner to look."""

    severity: int = 0


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer as the fleet list shows it."""

    connection: Connection
    schedule: Schedule | None
    health: Health
    party: Party
    oldest_at: datetime | None
    words: Counter[Word]
    unsynced: Sequence[Money]

    @property
    def party_label(self) -> str:
        return PARTY_LABELS[self.party]

    @property
    def open_items(self) -> int:
        return sum(self.words[word] for word in OPEN_WORDS)

    @property
    def queued(self) -> int:
        return self.words[Word.QUEUED] + self.words[Word.WORKING] + self.words[Word.RETRYING]

    @property
    def waiting(self) -> int:
        return self.words[Word.CUSTOMER]

    @property
    def needs_person(self) -> int:
        return self.words[Word.NEEDS_PERSON]

    @property
    def uncertain(self) -> int:
        return self.words[Word.UNCERTAIN]


def fleet(*, now: datetime) -> list[CustomerRow]:
    """All open connections, the one at most risk first. Three queries, however many there are."""
    lines = standings.per_connection(standings.standings(now=now, per_connection=True))
    connections = with_oldest(Connection.objects.exclude(stage=Connection.Stage.CLOSED))
    rows = [_row(connection, lines.get(connection.pk, []), now) for connection in connections]
    return sorted(rows, key=lambda row: _risk(row, now), reverse=True)


def customer(*, slug: str, now: datetime) -> tuple[CustomerRow, list[standings.Standing]]:
    """One customer's row and what stands where.

    :raises Connection.DoesNotExist: if there is none of that name
    """
    connection = with_oldest(Connection.objects.filter(slug=slug)).get()
    lines = standings.standings(now=now, connection_id=connection.pk)
    return _row(connection, lines, now), lines


def with_oldest(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Connections with their oldest open item and what is most overdue: two index probes each."""
    mine = SyncItem.objects.filter(connection=OuterRef("pk"))
    oldest = mine.filter(OPEN).order_by("ready_at")
    overdue = mine.filter(state=ItemState.READY).order_by("due_at")
    return connections.select_related("schedule").annotate(
        oldest_at=Subquery(oldest.values("ready_at")[:1]),
        overdue_since=Subquery(overdue.values("due_at")[:1]),
    )


def _row(connection: Connection, lines: Sequence[standings.Standing], now: datetime) -> CustomerRow:
    schedule = getattr(connection, "schedule", None)
    words = standings.by_word(lines)
    oldest_at: datetime | None = getattr(connection, "oldest_at", None)
    health = health_of(connection, schedule, getattr(connection, "overdue_since", None), now)
    return CustomerRow(
        connection=connection,
        schedule=schedule,
        health=health,
        party=_whose_move(schedule, words),
        oldest_at=oldest_at,
        words=words,
        unsynced=standings.sums(line for line in lines if standings.is_open(line)),
    )


def health_of(
    connection: Connection,
    schedule: Schedule | None,
    overdue_since: datetime | None,
    now: datetime,
) -> Health:
    """The word for a connection as a whole, and the sentence that explains it."""
    stage = Connection.Stage
    if connection.stage == stage.SETTING_UP:
        return Health("Setting up", "neutral", "wrench", "Nothing is exported yet.", 1)
    if connection.stage == stage.CLOSED:
        return Health("Closed", "neutral", "circle-slash", "This connection is closed.")
    if connection.stage == stage.PAUSED:
        reason = connection.paused_reason or "No reason was given."
        return Health("Paused", "neutral", "pause", f"Exports are paused. {reason}", 3)
    if schedule is None:
        return Health("Not connected", "neutral", "unplug", "It has never been scheduled.", 3)
    if schedule.blocked_at:
        title = schedule.blocked_title or "Something stops this connection."
        return Health("Blocked", "person", "octagon-alert", title, 5)
    if schedule.resume_at and schedule.resume_at > now:
        meaning = f"{connection.erp_name} does not answer. We try again by ourselves."
        return Health("ERP silent", "retry", "rotate-ccw", meaning, 4)
    if schedule.poll_failures >= POLLS_UNTIL_WORRY:
        return Health("Ramp silent", "retry", "rotate-ccw", "Ramp does not answer our polls.", 4)
    if overdue_since and now - overdue_since > SLOW_AFTER:
        meaning = "Items have been due for over a quarter of an hour."
        return Health("Slow", "customer", "hourglass", meaning, 2)
    return Health("Working", "done", "circle-check", "Items go through.")


def _whose_move(schedule: Schedule | None, words: Counter[Word]) -> Party:
    if schedule and schedule.blocked_at:
        return Party.US
    if words[Word.NEEDS_PERSON] or words[Word.UNCERTAIN]:
        return Party.US
    if words[Word.CUSTOMER]:
        return Party.CUSTOMER
    if words[Word.RETRYING]:
        return Party.ERP
    return Party.NOBODY


def _risk(row: CustomerRow, now: datetime) -> tuple[int, int, float, str]:
    """Broken connections first, then what people must do, then what waits longest."""
    age = (now - row.oldest_at).total_seconds() if row.oldest_at else -1.0
    broken = row.health.severity if row.health.severity >= 3 else 0
    people = 2 if row.needs_person or row.uncertain else 1 if row.waiting else 0
    return broken, people, age, row.connection.name
