"""Customers as they are this moment: is each working, what is stuck, whose move."""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject

from connections.models import Connection, VendorCreation
from connections.queries import UNFINISHED_VENDOR
from rampbridge.lib.money import Money
from syncing import pauses, silent_hosts
from syncing.claims import TYPES
from syncing.models import Flow, Pause, Schedule, SyncItem
from syncing.queries import standing as standings
from syncing.queries.health import Health, Paused, health_of, whose_move
from syncing.queries.words import OPEN, OPEN_WORDS, PARTY_LABELS, Party, Word


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One customer as it stands."""

    connection: Connection
    schedule: Schedule | None
    health: Health
    party: Party
    oldest_at: datetime | None
    words: Counter[Word]
    unsynced: Sequence[Money]
    paused: Sequence[Paused] = ()
    warned: Mapping[str, int] = field(default_factory=dict)
    """Refusals in a row for the same reason, by type, if they are many. Read for one customer."""

    @property
    def party_label(self) -> str:
        return PARTY_LABELS[self.party]

    @property
    def open_items(self) -> int:
        return sum(self.words[word] for word in OPEN_WORDS)

    @property
    def waiting(self) -> int:
        return self.words[Word.CUSTOMER]

    @property
    def needs_person(self) -> int:
        return self.words[Word.NEEDS_PERSON]

    @property
    def uncertain(self) -> int:
        return self.words[Word.UNCERTAIN]


def rows(ids: Collection[uuid.UUID], *, now: datetime) -> list[CustomerRow]:
    """Some customers, whatever their stage. Two statements, however many they are."""
    lines = standings.per_connection(standings.standings(now=now, connection_ids=ids))
    connections = with_oldest(Connection.objects.filter(pk__in=ids))
    return [_row(connection, lines.get(connection.pk, []), now) for connection in connections]


def customer(*, slug: str, now: datetime) -> tuple[CustomerRow, list[standings.Standing]]:
    """One customer's row and what stands where. Its connection tells, as `has_unfinished_vendors`,
    whether vendors are on their way: most customers have none, and are not asked for them.

    :raises Connection.DoesNotExist: if there is none of that name
    """
    warned = Flow.objects.filter(
        connection=OuterRef("pk"), warned_at__isnull=False, refused_in_a_row__gt=0
    )
    connection = (
        with_oldest(Connection.objects.filter(slug=slug))
        .select_related("mirror")
        .annotate(
            warned_now=ArraySubquery(
                warned.values_list(JSONObject(type="object_type", refused="refused_in_a_row"))
            ),
            has_unfinished_vendors=Exists(
                VendorCreation.objects.filter(UNFINISHED_VENDOR, connection=OuterRef("pk"))
            ),
        )
        .get()
    )
    lines = standings.standings(now=now, connection_id=connection.pk)
    return _row(connection, lines, now), lines


def with_oldest(connections: QuerySet[Connection]) -> QuerySet[Connection]:
    """Connections with their oldest open item, what is most overdue and what is paused: a few
    index probes each, however long their queues are."""
    oldest = SyncItem.objects.filter(OPEN, connection=OuterRef("pk")).order_by("ready_at")
    paused = Pause.objects.filter(connection=OuterRef("pk"), resumed_at=None)
    return connections.select_related("schedule").annotate(
        oldest_at=Subquery(oldest.values("ready_at")[:1]),
        host_silent_since=RawSQL(_SILENT_SINCE, [], output_field=DateTimeField()),  # noqa: S611
        overdue_since=RawSQL(_OVERDUE_SINCE, [list(TYPES)], output_field=DateTimeField()),  # noqa: S611
        pauses_now=ArraySubquery(
            paused.order_by("object_type").values_list(
                JSONObject(object_type="object_type", reason="reason", is_automatic="is_automatic")
            )
        ),
    )


_SILENT_SINCE = silent_hosts.since("connections_connection.id")
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
    silent_since = getattr(connection, "host_silent_since", None)
    health = health_of(connection, schedule, overdue_since, now, paused, silent_since)
    return CustomerRow(
        connection=connection,
        schedule=schedule,
        health=health,
        party=whose_move(schedule, words, paused),
        oldest_at=oldest_at,
        words=words,
        unsynced=standings.sums(line for line in lines if standings.is_open(line)),
        paused=paused,
        warned={one["type"]: one["refused"] for one in getattr(connection, "warned_now", ())},
    )
