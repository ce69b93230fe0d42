"""Every customer with its health, or one: is it working, what is stuck, whose move."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing import pauses
from syncing.claims import TYPES
from syncing.models import Pause, Schedule, SyncItem
from syncing.queries import standing as standings
from syncing.queries.words import (
    OPEN,
    OPEN_WORDS,
    PARTY_LABELS,
    Look,
    Party,
    Word,
    type_label,
)

SLOW_AFTER = timedelta(minutes=15)
"""Due for longer than this and still not taken: something is slow."""
POLLS_UNTIL_WORRY = 3


@dataclass(frozen=True, slots=True)
class Health(Look):
    """How a connection is doing as a whole; the higher the severity, the sooner to look."""

    severity: int = 0


@dataclass(frozen=True, slots=True)
class Paused:
    """What is not posted for a customer, and why."""

    object_type: str
    """Empty: nothing at all is."""
    reason: str
    is_automatic: bool

    @property
    def what(self) -> str:
        return f"{type_label(self.object_type)}s" if self.object_type else "Everything"


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
    paused: Sequence[Paused] = ()

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
    connection = with_oldest(Connection.objects.filter(slug=slug)).select_related("mirror").get()
    lines = standings.standings(now=now, connection_id=connection.pk)
    return _row(connection, lines, now), lines


def with_oldest(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Connections with their oldest open item, what is most overdue and what is paused: a few
    index probes each, however long their queues are."""
    oldest = SyncItem.objects.filter(OPEN, connection=OuterRef("pk")).order_by("ready_at")
    paused = Pause.objects.filter(connection=OuterRef("pk"), resumed_at=None)
    return connections.select_related("schedule").annotate(
        oldest_at=Subquery(oldest.values("ready_at")[:1]),
        overdue_since=RawSQL(_OVERDUE_SINCE, [list(TYPES)], output_field=DateTimeField()),  # noqa: S611
        pauses_now=ArraySubquery(
            paused.order_by("object_type").values_list(
                JSONObject(object_type="object_type", reason="reason", is_automatic="is_automatic")
            )
        ),
    )


# By type, as the queue's index is, and without those that wait because somebody wants them to.
_OVERDUE_SINCE = f"""
    SELECT min(first.due_at) FROM unnest(%s::text[]) AS t(object_type) CROSS JOIN LATERAL (
        SELECT i.due_at FROM syncing_syncitem i
        WHERE i.connection_id = connections_connection.id AND i.object_type = t.object_type
          AND i.state = 'READY' AND i.due_at IS NOT NULL
        ORDER BY i.due_at LIMIT 1
    ) first
    WHERE NOT EXISTS (SELECT FROM syncing_pause p
                      WHERE p.connection_id = connections_connection.id AND {pauses.BLOCKS})
"""  # noqa: S608  a constant of this program


def _paused(connection: Connection) -> list[Paused]:
    return [Paused(**one) for one in getattr(connection, "pauses_now", ())]


def _row(connection: Connection, lines: Sequence[standings.Standing], now: datetime) -> CustomerRow:
    schedule = getattr(connection, "schedule", None)
    words = standings.by_word(lines)
    oldest_at: datetime | None = getattr(connection, "oldest_at", None)
    paused = _paused(connection)
    overdue_since = getattr(connection, "overdue_since", None)
    health = health_of(connection, schedule, overdue_since, now, paused)
    return CustomerRow(
        connection=connection,
        schedule=schedule,
        health=health,
        party=_whose_move(schedule, words, paused),
        oldest_at=oldest_at,
        words=words,
        unsynced=standings.sums(line for line in lines if standings.is_open(line)),
        paused=paused,
    )


def health_of(
    connection: Connection,
    schedule: Schedule | None,
    overdue_since: datetime | None,
    now: datetime,
    paused: Sequence[Paused] = (),
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
    everything = next((one for one in paused if not one.object_type), None)
    if everything:
        return Health("Paused", "neutral", "pause", f"Nothing is posted. {everything.reason}", 3)
    if schedule.blocked_at:
        title = schedule.blocked_title or "Something stops this connection."
        return Health("Blocked", "person", "octagon-alert", title, 5)
    if schedule.resume_at and schedule.resume_at > now:
        meaning = f"{connection.erp_name} does not answer. We try again by ourselves."
        return Health("ERP silent", "retry", "rotate-ccw", meaning, 4)
    if schedule.poll_failures >= POLLS_UNTIL_WORRY:
        return Health("Ramp silent", "retry", "rotate-ccw", "Ramp does not answer our polls.", 4)
    if paused:
        return _partly_paused(paused)
    if overdue_since and now - overdue_since > SLOW_AFTER:
        meaning = "Items have been due for over a quarter of an hour."
        return Health("Slow", "customer", "hourglass", meaning, 2)
    return Health("Working", "done", "circle-check", "Items go through.")


def _partly_paused(paused: Sequence[Paused]) -> Health:
    """A pause that nobody has decided on is ours to look at, so it counts for more."""
    names = " or ".join(one.what.lower() for one in paused)
    meaning = f"No {names} are posted."
    if any(one.is_automatic for one in paused):
        return Health("Partly paused", "person", "pause", meaning, 4)
    return Health("Partly paused", "neutral", "pause", meaning, 2)


def _whose_move(schedule: Schedule | None, words: Counter[Word], paused: Sequence[Paused]) -> Party:
    if (schedule and schedule.blocked_at) or any(one.is_automatic for one in paused):
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
