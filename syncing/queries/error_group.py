"""Everything about one group of errors: whom it hits, with which causes, since when, and what was
done about it. Each function is one statement, and none reads all items of a large group."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef

from connections.models import Connection
from rampbridge.lib.charts import Columns, columns_and_line
from rampbridge.lib.money import Money
from syncing.mapping_causes import Place, place_of
from syncing.models import ErrorCount, ErrorGroup, SyncItem
from syncing.queries.group_states import Facts, GroupState, state_of
from syncing.queries.words import OPEN
from syncing.statements import from_json, rows

CUSTOMERS_SHOWN = 20
ITEMS_SHOWN = 10
LOOKED_AT = 2000
"""Open items of a group that its causes are counted over, the longest waiting first."""
CAUSES_SHOWN = 12
DAYS = 14
LINES_SHOWN = 30
SIMILAR_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """What a group holds at one customer."""

    connection: Connection
    items: int
    sums: Sequence[Money]
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a group is open, where."""

    items: int
    categories: Sequence[str]
    """Of its open items, that of most first."""
    sums: Sequence[Money]
    hits: Sequence[Hit]
    """The customers with most items first; not all of very many."""
    customers: int
    last_seen_at: datetime | None


def standing_of(fingerprint: str) -> Standing:
    """What is open of a group, by customer. One statement, at however many customers it is. What it
    holds in all is told by the totals: customers' counts are read once, for who has most.
    """
    ((items, last_seen_at, customers, categories, sums, most_hit),) = rows(
        """
        WITH mine AS MATERIALIZED (
            SELECT connection_id, currency, exponent, items, amount_minor, last_seen_at
            FROM syncing_errorcount WHERE fingerprint = %(fingerprint)s AND items > 0
        ), kinds AS MATERIALIZED (
            SELECT error_category, currency, exponent, sum(items)::bigint AS items,
                sum(amount_minor)::bigint AS minor
            FROM syncing_errortotal WHERE fingerprint = %(fingerprint)s
            GROUP BY 1, 2, 3 HAVING sum(items) > 0
        ), hits AS MATERIALIZED (
            SELECT connection_id, sum(items)::bigint AS items, max(last_seen_at) AS seen_at
            FROM mine GROUP BY 1
        ), shown AS MATERIALIZED (
            SELECT h.*, c.slug, c.name, c.erp_name
            FROM hits h CROSS JOIN LATERAL (
                SELECT slug, name, erp_name FROM connections_connection
                WHERE id = h.connection_id LIMIT 1
            ) c
            WHERE h.items >= (SELECT min(items) FROM (
                SELECT items FROM hits ORDER BY items DESC LIMIT %(most)s) AS top)
            ORDER BY h.items DESC, c.name COLLATE "C" LIMIT %(most)s
        ), of_each AS (
            SELECT connection_id, jsonb_agg(jsonb_build_array(minor, currency, exponent)) AS sums
            FROM (
                SELECT connection_id, currency, exponent, sum(amount_minor)::bigint AS minor
                FROM mine JOIN shown USING (connection_id) GROUP BY 1, 2, 3
            ) each GROUP BY 1
        )
        SELECT (SELECT coalesce(sum(items), 0)::bigint FROM kinds),
            (SELECT max(seen_at) FROM hits), (SELECT count(*) FROM hits), (
            SELECT jsonb_agg(error_category ORDER BY items DESC, error_category) FROM (
                SELECT error_category, sum(items) AS items FROM kinds GROUP BY 1) each
        )::text, (
            SELECT jsonb_agg(jsonb_build_array(minor, currency, exponent)) FROM (
                SELECT currency, exponent, sum(minor)::bigint AS minor
                FROM kinds GROUP BY 1, 2) each
        )::text, (
            SELECT jsonb_agg(jsonb_build_array(
                connection_id, slug, name, erp_name, items, of_each.sums, seen_at))
            FROM shown JOIN of_each USING (connection_id)
        )::text
        """,
        {"fingerprint": fingerprint, "most": CUSTOMERS_SHOWN},
    )
    found = from_json(most_hit) or []
    hits = [
        Hit(_named(uuid.UUID(pk), *names), held, _sums(money), datetime.fromisoformat(at))
        for pk, *names, held, money, at in found
    ]
    return Standing(
        items=items,
        categories=from_json(categories) or [],
        sums=_sums(from_json(sums) or []),
        hits=sorted(hits, key=lambda hit: (-hit.items, hit.connection.name)),
        customers=customers,
        last_seen_at=last_seen_at,
    )


def _sums(found: Iterable[tuple[int, str, int]]) -> list[Money]:
    sums = [Money(minor, currency, exponent) for minor, currency, exponent in found if minor]
    return sorted(sums, key=lambda one: -abs(one.minor))


def _named(pk: uuid.UUID, *names: str) -> Connection:
    """A customer of which only the names are read; the rest is, if anybody asks for it."""
    return Connection.from_db(None, ["id", "slug", "name", "erp_name"], [pk, *names])


def pulse(fingerprint: str) -> tuple[Any, ...] | None:
    """What changes with the group, its ruling and `standing_of`, for far less; None if there is no
    such group. One statement.
    """
    found = rows(
        """
        SELECT md5(g::text), (
            SELECT id FROM syncing_ruling r
            WHERE r.fingerprint = g.fingerprint AND r.withdrawn_at IS NULL
        ), held.*
        FROM syncing_errorgroup g, LATERAL (
            SELECT sum(items), sum(amount_minor), max(last_seen_at),
                sum(items) FILTER (WHERE error_category = 'user_actionable'),
                sum(items) FILTER (WHERE error_category = 'transient')
            FROM syncing_errortotal t WHERE t.fingerprint = g.fingerprint
        ) held
        WHERE g.fingerprint = %(fingerprint)s
        """,
        {"fingerprint": fingerprint},
    )
    return found[0] if found else None


def state_in(group: ErrorGroup, open_items: int, now: datetime) -> GroupState:
    """Where a group stands."""
    facts = Facts(
        open_items,
        group.first_seen_at,
        group.resolved_at,
        group.regressed_at,
        group.snoozed_at is not None,
    )
    return state_of(facts, now)


def affected(fingerprint: str) -> list[SyncItem]:
    """Open items of a group, the longest waiting first. The first of them is its example."""
    return list(
        SyncItem.objects.filter(OPEN, error_fingerprint=fingerprint)
        .select_related("connection", "failure_batch")
        .order_by("ready_at", "pk")[:ITEMS_SHOWN]
    )


def last_example(fingerprint: str) -> SyncItem | None:
    """An item that had the error, where none has it now."""
    return (
        SyncItem.objects.filter(occurrences__fingerprint=fingerprint)
        .select_related("connection", "failure_batch")
        .order_by("-occurrences__last_at")
        .first()
    )


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that holds up items of a group at a customer, and where it may be mended."""

    connection: Connection
    cause: str
    items: int
    place: Place | None

    @property
    def words(self) -> str:
        """The record or the month that it is about."""
        return self.cause.partition(":")[2] or self.cause

    @property
    def kind(self) -> str:
        """What the record is: `GL account`, `period closed`."""
        return self.cause.partition(":")[0].partition(".")[2].replace("_", " ")

    @property
    def query(self) -> dict[str, str]:
        """What names the missing line of the customer's mappings in a URL."""
        if self.place is None:
            return {}
        place = self.place
        return {"kind": place.kind, "id": place.external_id, "field": place.field_erp_id}


@dataclass(frozen=True, slots=True)
class Inside:
    """What a look at many items of a group has shown."""

    causes: Sequence[Cause]
    more_causes: int
    telling: Mapping[str, int]
    """Items by how far Ramp was told."""
    looked_at: int

    @property
    def told(self) -> int:
        return self.telling.get(SyncItem.Telling.TOLD, 0)

    @property
    def to_tell(self) -> int:
        on_the_way = (SyncItem.Telling.DUE, SyncItem.Telling.SENDING)
        return sum(self.telling.get(one, 0) for one in on_the_way)


def inside(fingerprint: str, hits: Sequence[Hit]) -> Inside:
    """Which causes a group has at which customers, and how much of it stands in Ramp."""
    customers = {hit.connection.pk: hit.connection for hit in hits}
    ((telling, held_up, named),) = rows(
        """
        WITH looked_at AS MATERIALIZED (
            SELECT connection_id, blocked_by, failure_telling FROM syncing_syncitem
            WHERE error_fingerprint = %(fingerprint)s AND error_fingerprint <> ''
              AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
            ORDER BY ready_at, id LIMIT %(most)s
        ), causes AS MATERIALIZED (
            SELECT connection_id, blocked_by, count(*) AS items FROM looked_at
            WHERE blocked_by <> '' AND connection_id = ANY(%(customers)s) GROUP BY 1, 2
        )
        SELECT (
            SELECT jsonb_object_agg(failure_telling, items) FROM (
                SELECT failure_telling, count(*) AS items FROM looked_at GROUP BY 1) told
        )::text, (
            SELECT jsonb_agg(jsonb_build_array(connection_id, blocked_by, items)) FROM causes
        )::text, (
            SELECT jsonb_object_agg(connection_id, names) FROM (
                SELECT connection_id, jsonb_object_agg(erp_id, name) AS names
                FROM connections_customfield
                WHERE connection_id IN (SELECT connection_id FROM causes) GROUP BY 1) fields
        )::text
        """,
        {"fingerprint": fingerprint, "most": LOOKED_AT, "customers": list(customers)},
    )
    told: Mapping[str, int] = from_json(telling) or {}
    fields: Mapping[str, Mapping[str, str]] = from_json(named) or {}
    causes = sorted(from_json(held_up) or [], key=lambda one: (-one[2], one[1], one[0]))
    return Inside(
        causes=[
            Cause(customers[uuid.UUID(key)], cause, items, place_of(cause, fields.get(key, {})))
            for key, cause, items in causes[:CAUSES_SHOWN]
        ],
        more_causes=max(0, len(causes) - CAUSES_SHOWN),
        telling=told,
        looked_at=sum(told.values()),
    )


@dataclass(frozen=True, slots=True)
class Similar:
    """Another group with the same code, and how it ended."""

    group: ErrorGroup
    is_open: bool

    @property
    def proof(self) -> SyncItem | None:
        return self.group.resolved_by_item


def similar(group: ErrorGroup) -> list[Similar]:
    """Other groups with the same code, those that ended last first."""
    others = (
        ErrorGroup.objects.filter(code=group.code)
        .exclude(pk=group.pk)
        .select_related("resolved_by_item")
        .annotate(
            is_open=Exists(ErrorCount.objects.filter(fingerprint=OuterRef("pk"), items__gt=0))
        )
        .order_by(F("resolved_at").desc(nulls_last=True), "-first_seen_at", "pk")[:SIMILAR_SHOWN]
    )
    return [Similar(one, one.is_open) for one in others]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a group's diary: what somebody wrote, or did."""

    at: datetime
    actor: str
    text: str
    is_comment: bool


@dataclass(frozen=True, slots=True)
class Story:
    """How a group went on: items that failed with it by day, and what people did about it."""

    days: Sequence[tuple[str, int]]
    """The oldest first."""
    diary: Sequence[Entry]
    """The newest first."""

    @property
    def chart(self) -> Columns:
        labels = [day for day, _ in self.days]
        values = [items for _, items in self.days]
        return columns_and_line(values, [], labels, tone="person", label_every=3)


def story(fingerprint: str, now: datetime) -> Story:
    """The past of a group, of two weeks and some thirty acts."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=DAYS - 1)
    ((counts, lines),) = rows(
        """
        SELECT (
            SELECT jsonb_object_agg(day, items) FROM (
                SELECT (first_at AT TIME ZONE 'UTC')::date AS day, count(*) AS items
                FROM syncing_occurrence
                WHERE fingerprint = %(fingerprint)s AND last_at >= %(start)s
                  AND first_at >= %(start)s
                GROUP BY 1
            ) of_days
        )::text, (
            SELECT jsonb_agg(jsonb_build_array(at, who, text, is_comment) ORDER BY at DESC) FROM (
                (SELECT at, author AS who, text, true AS is_comment FROM syncing_comment
                 WHERE group_id = %(fingerprint)s ORDER BY id DESC LIMIT %(most)s)
                UNION ALL
                (SELECT at, actor, text, false FROM connections_auditline
                 WHERE subject = 'error' AND subject_id = %(fingerprint)s
                   AND act <> 'errors.comment'
                 ORDER BY id DESC LIMIT %(most)s)
                ORDER BY 1 DESC LIMIT %(most)s
            ) lines
        )::text
        """,
        {"fingerprint": fingerprint, "start": start, "most": LINES_SHOWN},
    )
    by_day = from_json(counts) or {}
    days = [(start + timedelta(days=day)).date() for day in range(DAYS)]
    return Story(
        days=[(f"{day:%-d %b}", by_day.get(day.isoformat(), 0)) for day in days],
        diary=[
            Entry(datetime.fromisoformat(at), who, text, is_comment)
            for at, who, text, is_comment in from_json(lines) or []
        ],
    )
