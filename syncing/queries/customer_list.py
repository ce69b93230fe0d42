"""The list of customers: pages of lines as the fleet's task has left them, narrowed, in order."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import F, Max, Q, QuerySet

from connections.models import Connection, Mirror, Pin
from rampbridge.lib.charts import up_and_down
from rampbridge.lib.money import Money
from syncing.models import CustomerStanding, FleetRound, Schedule
from syncing.queries import health
from syncing.queries.words import PARTY_LABELS, Party, Word
from syncing.statements import rows as sql_rows

PAGE_SIZE = 50
NOBODY = "-"
"""The owner of customers that nobody owns, in addresses."""
EXPIRES_SOON = timedelta(days=30)
STALE_AFTER = timedelta(seconds=30)
"""Without a round for so long, the list may be wrong and must say so."""


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of the list; among equals the customer's id decides."""

    label: str
    column: str
    descending: bool
    parse: type[float] | type[int] | type[str]


SORTS: Mapping[str, Sort] = {
    "risk": Sort("Most at risk", "risk", descending=True, parse=float),
    "oldest": Sort("Oldest item", "oldest_at", descending=False, parse=str),
    "amount": Sort("Most unsynced", "worth", descending=True, parse=float),
    "failed": Sort("Most failed", "failed_items", descending=True, parse=int),
    "name": Sort("Name", "connection__name", descending=False, parse=str),
}
BY_RISK = "risk"


@dataclass(frozen=True, slots=True)
class FleetFilter:
    """What the list is narrowed to. Nothing given is every customer that is not closed."""

    text: str = ""
    health: str = ""
    erp: str = ""
    owner: str = ""
    tag: str = ""
    party: str = ""
    has_button: bool = False

    @property
    def is_narrowed(self) -> bool:
        return self != FleetFilter()

    def condition(self) -> Q:
        """The lines in it."""
        chosen = Q()
        if self.text:
            chosen &= Q(connection__name__icontains=self.text) | Q(
                connection__slug__startswith=self.text.lower()
            )
        if self.health:
            chosen &= Q(health=self.health)
        if self.erp:
            chosen &= Q(connection__erp_name=self.erp)
        if self.owner:
            chosen &= Q(connection__owner="" if self.owner == NOBODY else self.owner)
        if self.tag:
            chosen &= Q(connection__tags__contains=[self.tag])
        if self.party:
            chosen &= Q(party=self.party)
        if self.has_button:
            chosen &= ~Q(connection__button_types=[])
        return chosen


@dataclass(frozen=True, slots=True)
class ListRow:
    """One customer as the list shows it."""

    standing: CustomerStanding
    connection: Connection
    schedule: Schedule | None
    mirror: Mirror | None
    health: health.Health
    party_label: str
    oldest_at: datetime | None
    words: Mapping[str, int]
    open_items: int
    queued: int
    waiting: int
    needs_person: int
    uncertain: int
    unsynced: Sequence[Money]
    drifting: int
    expires_at: datetime | None
    """When the first of its credentials ends, if that is soon, or was."""
    is_expired: bool
    days: Sequence[tuple[int, int]]
    """Done and failed on each of the last days, the oldest first."""
    done_lately: int
    failed_lately: int
    is_pinned: bool

    @property
    def spark(self) -> tuple[str, str]:
        """Done and failed, each as the path of its bars."""
        return up_and_down(self.days)


def _row(line: CustomerStanding, now: datetime, *, is_pinned: bool = False) -> ListRow:
    """What a template asks for many times, worked out once."""
    words = Counter(line.words)
    ends_at = line.expires_at
    ends_soon = ends_at is not None and ends_at - now < EXPIRES_SOON
    return ListRow(
        standing=line,
        connection=line.connection,
        schedule=getattr(line.connection, "schedule", None),
        mirror=getattr(line.connection, "mirror", None),
        health=health.look(line.health, line.meaning, line.severity),
        party_label=PARTY_LABELS[Party(line.party)],
        oldest_at=line.oldest_at,
        words=words,
        open_items=line.open_items,
        queued=words[Word.QUEUED] + words[Word.WORKING] + words[Word.RETRYING],
        waiting=words[Word.CUSTOMER],
        needs_person=words[Word.NEEDS_PERSON],
        uncertain=line.uncertain_items,
        unsynced=[Money(*one) for one in line.unsynced],
        drifting=line.drifting,
        expires_at=ends_at if ends_soon else None,
        is_expired=ends_at is not None and ends_at <= now,
        days=line.days,
        done_lately=sum(done for done, _ in line.days),
        failed_lately=sum(failed for _, failed in line.days),
        is_pinned=is_pinned,
    )


@dataclass(frozen=True, slots=True)
class FleetPage:
    """One page of the list, and where the next one starts if there is one."""

    rows: Sequence[ListRow]
    pinned: Sequence[ListRow]
    next: str
    is_first: bool


def page(
    chosen: FleetFilter,
    sort: str,
    *,
    after: str,
    viewer: str,
    now: datetime,
    size: int = PAGE_SIZE,
) -> FleetPage:
    """A page of the list; what the viewer has pinned comes before the first one. Two statements.

    :param sort: one of `SORTS`
    :param after: as `FleetPage.next` gave it; nonsense is the first page
    """
    pins = list(Pin.objects.filter(owner=viewer).values_list("connection_id", flat=True))
    lines = _lines().filter(chosen.condition())
    place = _place(after, sort)
    found = list(_beyond(lines.exclude(pk__in=pins), sort, place)[: size + 1])
    pinned = list(_in_order(lines.filter(pk__in=pins), sort)) if pins and place is None else []
    rows = found[:size]
    return FleetPage(
        rows=[_row(one, now) for one in rows],
        pinned=[_row(one, now, is_pinned=True) for one in pinned],
        next=_cursor(rows[-1], sort) if len(found) > size else "",
        is_first=place is None,
    )


def pulse(
    chosen: FleetFilter, sort: str, *, after: str, viewer: str, now: datetime, size: int = PAGE_SIZE
) -> tuple[Any, ...]:
    """What changes whenever such a page, the figures above it or the viewer's pins do. One
    statement; no line of the page leaves the database.

    The figures of the whole fleet change with a round that found something else than the last one.
    """
    sql, params = _shape(chosen, sort, after, size)
    ((shown, pins, fleet, at),) = sql_rows(
        f"""
        SELECT (SELECT md5(string_agg(shown::text, '|')) FROM ({sql}) shown), (
            SELECT md5(string_agg(concat(p.connection_id, s.health, s.meaning, s.party, s.oldest_at,
                s.words, s.unsynced, s.drifting, s.days), '|' ORDER BY p.connection_id))
            FROM connections_pin p JOIN syncing_customerstanding s USING (connection_id)
            WHERE p.owner = %s
        ), (
            SELECT concat_ws(' ', customers, severities, failed_items) FROM syncing_fleetround
        ), (SELECT at FROM syncing_fleetround)
        """,  # noqa: S608  the ORM's text
        [*params, viewer],
    )
    return shown, pins, fleet, at is None or now - at > STALE_AFTER


@lru_cache(1_000)
def _shape(chosen: FleetFilter, sort: str, after: str, size: int) -> tuple[str, tuple[Any, ...]]:
    """The statement for the lines of a page. Kept, for a tab asks the same every few seconds and
    the ORM takes longer to put it into words than the database to answer.
    """
    page = _beyond(_lines().filter(chosen.condition()), sort, _place(after, sort))[: size + 1]
    return page.values_list(*_SHOWN).query.sql_with_params()


_SHOWN = (
    "connection", "connection__name", "connection__owner", "connection__tags", "health", "meaning",
    "party", "oldest_at", "words", "unsynced", "drifting", "days", "expires_at",
    "connection__schedule__last_posted_at", "connection__schedule__last_acked_at",
    "connection__mirror__last_push_at",
)  # fmt: skip


def every(chosen: FleetFilter, sort: str, *, now: datetime) -> Iterator[ListRow]:
    """All lines of a filter, in order, for a file."""
    lines = _in_order(_lines().filter(chosen.condition()), sort)
    for one in lines.iterator(chunk_size=1000):
        yield _row(one, now)


def first(limit: int, *, sort: str, now: datetime) -> list[ListRow]:
    """The first few of all customers, in one of `SORTS`."""
    return [_row(one, now) for one in _in_order(_lines(), sort)[:limit]]


@dataclass(frozen=True, slots=True)
class Totals:
    """The fleet in figures, as its task has added them up."""

    customers: int
    found: int
    """Of them in a filter."""
    in_trouble: int
    as_of: datetime | None
    """The moment of which all lines tell; None if nobody has ever looked."""


def totals(chosen: FleetFilter | None = None) -> Totals:
    """How many customers there are. One statement; another one counts what a filter leaves."""
    known = FleetRound.objects.first()
    if known is None:
        return Totals(0, 0, 0, None)
    found = known.customers
    if chosen is not None and chosen.is_narrowed:
        found = CustomerStanding.objects.filter(chosen.condition()).count()
    return Totals(known.customers, found, known.in_trouble, known.at)


def last_read_at() -> datetime | None:
    """When Ramp was last read for anybody."""
    latest: datetime | None = Schedule.objects.aggregate(at=Max("last_poll_at"))["at"]
    return latest


def _lines() -> QuerySet[CustomerStanding]:
    return CustomerStanding.objects.select_related("connection__schedule", "connection__mirror")


def _in_order(lines: QuerySet[CustomerStanding], sort: str) -> QuerySet[CustomerStanding]:
    by = SORTS[sort]
    column = F(by.column).desc() if by.descending else F(by.column).asc(nulls_last=True)
    return lines.order_by(column, "connection")


_Place = tuple[Any, uuid.UUID]


def _beyond(
    lines: QuerySet[CustomerStanding], sort: str, place: _Place | None
) -> QuerySet[CustomerStanding]:
    """What comes after a place, in order."""
    ordered = _in_order(lines, sort)
    if place is None:
        return ordered
    by, (value, pk) = SORTS[sort], place
    if value is None:  # behind all that have a value
        return ordered.filter(Q(**{f"{by.column}__isnull": True}), connection__gt=pk)
    beyond = "lt" if by.descending else "gt"
    equal = Q(**{by.column: value}, connection__gt=pk)
    further = Q(**{f"{by.column}__{beyond}": value}) | equal
    if sort == "oldest":
        return ordered.filter(further | Q(oldest_at=None))
    # The second condition says nothing new, but lets the index start at the right place.
    return ordered.filter(further, **{f"{by.column}__{beyond}e": value})


def _cursor(line: CustomerStanding, sort: str) -> str:
    value: Any = line.connection.name if sort == "name" else getattr(line, SORTS[sort].column)
    if isinstance(value, datetime):
        value = value.isoformat()
    return f"{line.pk}~{'' if value is None else value}"


def _place(after: str, sort: str) -> _Place | None:
    """The value and the customer behind which to go on; None for what is no cursor."""
    pk, separator, value = after.partition("~")
    try:
        where = uuid.UUID(pk)
        if sort == "oldest":
            at = datetime.fromisoformat(value.replace(" ", "+")) if value else None
            return (at, where) if at is None or at.tzinfo else None
        return (SORTS[sort].parse(value), where) if separator else None
    except ValueError:
        return None
