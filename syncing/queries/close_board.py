"""The close board: each customer's month, the worst first, from roll-ups and a few dates."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol

from rampbridge.lib.money import Money
from syncing import close_rules
from syncing.close_rules import Facts, Forecast
from syncing.models import PeriodStanding
from syncing.models.period_triggers import BOOKED_ON, PERIOD
from syncing.queries.close_facts import CustomerFacts, Part, facts_of, parts_of
from syncing.queries.risk import DOLLARS
from syncing.queries.words import LOOKS, Look, Word
from syncing.statements import rows as sql_rows

PAGE_SIZE = 25
NOBODY = "-"
"""The owner of customers that nobody owns, in addresses."""

STATES: Mapping[str, Look] = {
    "red": Look("Red", "person", "octagon-alert", "Unsynced, and the close is near or over."),
    "flagged": Look("Changed since", "uncertain", "flag", "Something arrived after it was clean."),
    "open": Look("Unsynced", "customer", "hourglass", "Something is unsynced; there is time."),
    "ready": Look("Nothing unsynced", "work", "circle-dashed", "Nobody has called it clean yet."),
    "clean": Look("Clean", "done", "badge-check", "Somebody has called it clean, and it still is."),
}
"""The worst first, as the board orders them."""
_RANKS: Sequence[str] = tuple(reversed(list(STATES)))
UNSYNCED: Mapping[str, tuple[Look, str]] = {
    "person": (LOOKS[Word.NEEDS_PERSON], Word.NEEDS_PERSON),
    "uncertain": (LOOKS[Word.UNCERTAIN], Word.UNCERTAIN),
    "customer": (LOOKS[Word.CUSTOMER], Word.CUSTOMER),
    "retrying": (LOOKS[Word.RETRYING], Word.RETRYING),
    "moving": (Look("Under way", "work", "send", "Queued, or on its way."), ""),
}
"""Standings of what is not through, the gravest first: how each is shown, and the word that lists
of items know it by; what is under way is two words there."""
OUTLOOKS: Mapping[str, Look] = {
    "clean": Look("All synced", "done", "circle-check"),
    "on-time": Look("In time", "done", "clock"),
    "late": Look("Too late", "person", "alarm-clock"),
    "held": Look("Held", "customer", "hand"),
    "stopped": Look("Stopped", "person", "pause"),
    "unknown": Look("Unknown", "neutral", "circle-help"),
}


@dataclass(frozen=True, slots=True)
class Blocker:
    """Who holds a month, with how much."""

    look: Look
    word: str
    items: int


def blockers(parts: Iterable[Part]) -> list[Blocker]:
    """Who holds something of these, the gravest first."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts[part.standing] += part.items
    return [
        Blocker(look, word, counts[one]) for one, (look, word) in UNSYNCED.items() if counts[one]
    ]


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What the board is narrowed to. The month is always one."""

    period: date
    text: str = ""
    erp: str = ""
    owner: str = ""
    state: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.erp or self.owner or self.state)

    def as_json(self) -> dict[str, str]:
        """As a snapshot keeps it, and an address says it."""
        named = {
            "period": f"{self.period:%Y-%m}",
            "q": self.text,
            "erp": self.erp,
            "owner": self.owner,
            "state": self.state,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One customer's month."""

    connection_id: uuid.UUID
    slug: str
    name: str
    erp_name: str
    owner: str
    time_zone: str
    period: date
    unsynced: int
    worth: int
    """What is unsynced, roughly in US dollars: for the order, never to show."""
    working_day: int
    close_on: date
    close_at: datetime
    payable_on: date | None
    """Of its unsynced bills that must be paid soon, the first day."""
    bills_due: int
    is_asked: bool
    """Somebody wants to call it clean all the same, and a second person has not answered."""
    rank: int
    parts: Sequence[Part] = ()
    forecast: Forecast | None = None
    earlier: int = 0
    """Unsynced items of earlier months on the board."""

    @property
    def state(self) -> str:
        return _RANKS[self.rank]

    @property
    def look(self) -> Look:
        return STATES[self.state]

    @property
    def month(self) -> str:
        """As addresses name it."""
        return f"{self.period:%Y-%m}"

    @property
    def done(self) -> int:
        return sum(part.items for part in self.parts if part.standing == PeriodStanding.DONE)

    @property
    def sums(self) -> list[Money]:
        """What is unsynced, per currency."""
        return sums_of(part for part in self.parts if part.standing in UNSYNCED)

    @property
    def entities(self) -> int:
        """In how many of the customer's entities anything is."""
        return len({part.entity_id for part in self.parts})

    @property
    def blockers(self) -> list[Blocker]:
        return blockers(self.parts)

    @property
    def outlook(self) -> Look | None:
        return OUTLOOKS[self.forecast.outlook] if self.forecast else None


@dataclass(frozen=True, slots=True)
class BoardPage:
    """One page of the board, where the next one starts, and how many rows each state has."""

    rows: Sequence[BoardRow]
    next: str = ""
    is_first: bool = True
    counts: Mapping[str, int] = field(default_factory=dict)
    """By state, of the month as it is narrowed but for the state."""


class _HasMoney(Protocol):
    @property
    def money(self) -> Money: ...


def sums_of(parts: Iterable[_HasMoney]) -> list[Money]:
    """Amounts per currency, in the order of their codes. Currencies are never added up."""
    found: dict[str, Money] = {}
    for part in parts:
        known = found.get(part.money.currency)
        found[part.money.currency] = known + part.money if known else part.money
    return [found[code] for code in sorted(found)]


def page(
    chosen: BoardFilter, *, after: str = "", now: datetime, size: int = PAGE_SIZE
) -> BoardPage:
    """A page of one month's board, the worst first. Four statements, none of them counts items.

    :param after: as `BoardPage.next` gave it; nonsense is the first page
    """
    place = _place(after)
    found, counts = _lines(chosen, now=now, place=place, limit=size + 1)
    rows = found[:size]
    return BoardPage(
        rows=list(_told(rows, now)),
        next=_cursor(rows[-1]) if len(found) > size else "",
        is_first=place is None,
        counts=counts,
    )


def every(chosen: BoardFilter, *, now: datetime) -> list[BoardRow]:
    """All rows of a month as it is narrowed, in order, for a file."""
    found, _ = _lines(chosen, now=now, place=None, limit=None)
    return list(_told(found, now))


def of_customer(connection_id: uuid.UUID, *, now: datetime) -> list[BoardRow]:
    """A customer's months on the board that anything is in, the newest first."""
    scope = "connection_id = %(connection)s AND period = ANY(%(periods)s)"
    periods = close_rules.months(now.date())
    found, _ = _read(
        scope,
        {"connection": connection_id, "periods": periods},
        periods,
        now=now,
        bills="connection_id = %(connection)s",
    )
    return list(_told(sorted(found, key=lambda row: row.period, reverse=True), now))


def _lines(
    chosen: BoardFilter, *, now: datetime, place: tuple[Any, ...] | None, limit: int | None
) -> tuple[list[BoardRow], Mapping[str, int]]:
    wheres, params = ["true"], {"period": chosen.period}
    more: dict[str, Any] = {}
    if chosen.text:
        wheres.append("(c.name ILIKE %(text)s OR c.slug LIKE %(slug)s)")
        more |= {"text": f"%{_literal(chosen.text)}%", "slug": f"{_literal(chosen.text.lower())}%"}
    if chosen.erp:
        wheres.append("c.erp_name = %(erp)s")
        more["erp"] = chosen.erp
    if chosen.owner:
        wheres.append("c.owner = %(owner)s")
        more["owner"] = "" if chosen.owner == NOBODY else chosen.owner
    shown = "true"
    if chosen.state:
        shown = "rank = %(rank)s"
        more["rank"] = _RANKS.index(chosen.state)
    if place:
        shown += f" AND ({_ORDER}) > (%(p0)s, %(p1)s, %(p2)s, %(p3)s)"
        more |= {f"p{n}": value for n, value in enumerate(place)}
    return _read(
        "period = %(period)s",
        params | more | {"limit": limit},
        [chosen.period],
        now=now,
        bills=f"{BOOKED_ON} >= %(period)s AND {BOOKED_ON} < {_NEXT_MONTH}",
        customers=" AND ".join(wheres),
        shown=shown,
        limit=limit is not None,
    )


def _literal(text: str) -> str:
    """A text as a pattern that matches nothing but itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _read(
    scope: str,
    params: Mapping[str, Any],
    periods: Sequence[date],
    *,
    now: datetime,
    bills: str = "true",
    customers: str = "true",
    shown: str = "true",
    limit: bool = False,
) -> tuple[list[BoardRow], Mapping[str, int]]:
    found = sql_rows(
        _BOARD.format(
            scope=scope,
            bills=bills,
            customers=customers,
            shown=shown,
            limit="LIMIT %(limit)s" if limit else "",
        ),
        {
            **params,
            "codes": list(DOLLARS),
            "dollars": [float(one) for one in DOLLARS.values()],
            "usual": close_rules.USUAL_DAY,
            "months": list(periods),
            "days": [day for one in periods for day in close_rules.close_days(one).values()],
            "latest": close_rules.LATEST_DAY,
            "soon": now.date() + close_rules.DUE_SOON,
            "red": now + close_rules.RED_BEFORE,
        },
    )
    ranks: dict[int, int] = dict(found[0][-1]) if found else {}
    rows = [BoardRow(*row[:-1]) for row in found if row[0] is not None]
    return rows, {_RANKS[int(rank)]: n for rank, n in ranks.items()}


def _told(found: Sequence[BoardRow], now: datetime) -> Iterator[BoardRow]:
    """The rows with what the roll-up says of each, and the forecast. Three statements for all."""
    if not found:
        return
    ids = sorted({row.connection_id for row in found})
    periods = sorted({row.period for row in found})
    parts: dict[tuple[uuid.UUID, date], list[Part]] = defaultdict(list)
    for part in parts_of(ids, periods, now=now):
        parts[part.connection_id, part.period].append(part)
    facts = facts_of(ids, since=close_rules.months(now.date())[-1])
    for row in found:
        of_month = parts[row.connection_id, row.period]
        yield _with(row, of_month, facts.get(row.connection_id, CustomerFacts()), now)


def _with(row: BoardRow, parts: Sequence[Part], known: CustomerFacts, now: datetime) -> BoardRow:
    counts: Counter[str] = Counter()
    for part in parts:
        counts[part.standing] += part.items
    facts = Facts(
        close_at=row.close_at,
        customer=counts[PeriodStanding.CUSTOMER],
        people=counts[PeriodStanding.PERSON] + counts[PeriodStanding.UNCERTAIN],
        moving=counts[PeriodStanding.MOVING] + counts[PeriodStanding.RETRYING],
        queue=known.queue,
        per_second=known.per_second,
        stopped=known.stopped,
    )
    earlier = sum(n for period, n in known.unsynced.items() if period < row.period)
    forecast = close_rules.forecast(facts, now=now)
    return replace(row, parts=parts, forecast=forecast, earlier=earlier)


def _cursor(row: BoardRow) -> str:
    due = row.payable_on.isoformat() if row.payable_on else ""
    return f"{row.rank}~{due}~{row.worth}~{row.connection_id}"


def _place(after: str) -> tuple[Any, ...] | None:
    """Behind what to go on; None for what is no cursor."""
    try:
        rank, due, worth, pk = after.split("~")
        day = date.fromisoformat(due) if due else date.max
        return -int(rank), day, -int(worth), uuid.UUID(pk)
    except ValueError:
        return None


_ORDER = "-rank, coalesce(payable_on, '9999-12-31'::date), -worth, id"
# By its first and last day, not as a month: that would be told of each bill in the fleet.
_NEXT_MONTH = "(%(period)s + interval '1 month')::date"
_UNSYNCED = "standing NOT IN ('done', 'aside')"
_ENDS = "(close_on + 1)::timestamp AT TIME ZONE time_zone"
# The closing days are looked up by their place and not joined: joined, the planner would take the
# customers for a few, and look for them one by one.
_BOARD = f"""
    WITH counted AS (
        SELECT connection_id, period,
            coalesce(sum(items) FILTER (WHERE {_UNSYNCED}), 0)::bigint AS unsynced,
            round(coalesce(sum(
                abs(amount_minor)::float8 / 10::float8 ^ exponent * coalesce(
                    (%(dollars)s::float8[])[array_position(%(codes)s::text[], currency::text)], 1)
            ) FILTER (WHERE {_UNSYNCED}), 0))::bigint AS worth
        FROM syncing_periodcount
        WHERE items > 0 AND {{scope}}
        GROUP BY connection_id, period
    ), due AS (
        SELECT connection_id, {PERIOD} AS period, min(payable_on) AS payable_on, count(*) AS bills
        FROM syncing_syncitem
        WHERE object_type = 'bill' AND payable_on IS NOT NULL AND payable_on <= %(soon)s
            AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN') AND {{bills}}
        GROUP BY 1, 2
    ), stamp AS (
        SELECT s.connection_id, s.period, s.entity_ramp_id, s.state,
            s.changes <> coalesce(sum(c.changes), 0) AS is_broken
        FROM (
            SELECT id, connection_id, period, entity_ramp_id, state, changes
            FROM syncing_periodstamp WHERE state IN ('asked', 'standing') AND {{scope}}
        ) s LEFT JOIN (
            SELECT connection_id, period, entity_ramp_id, changes
            FROM syncing_periodchange WHERE {{scope}}
        ) c ON c.connection_id = s.connection_id AND c.period = s.period
            AND (s.entity_ramp_id IS NULL OR c.entity_ramp_id = s.entity_ramp_id)
        GROUP BY s.id, s.connection_id, s.period, s.entity_ramp_id, s.state, s.changes
    ), stamped AS (
        SELECT connection_id, period, bool_or(state = 'asked') AS is_asked,
            bool_or(state = 'standing' AND is_broken) AS is_broken,
            bool_or(state = 'standing' AND entity_ramp_id IS NULL) AS is_whole,
            count(*) FILTER (WHERE state = 'standing' AND entity_ramp_id IS NOT NULL) AS parts
        FROM stamp
        GROUP BY connection_id, period
    ), dated AS (
        SELECT c.id, c.time_zone, n.period, n.unsynced, n.worth,
            coalesce(d.working_day, %(usual)s) AS working_day, (%(days)s::date[])[
                (array_position(%(months)s::date[], n.period) - 1) * %(latest)s
                + coalesce(d.working_day, %(usual)s)
            ] AS close_on,
            due.payable_on, coalesce(due.bills, 0) AS bills_due,
            coalesce(s.is_asked, false) AS is_asked, coalesce(s.is_broken, false) AS is_broken,
            CASE WHEN s.is_whole THEN true WHEN s.parts > 0 THEN s.parts >= (
                SELECT count(DISTINCT entity_ramp_id) FROM syncing_periodcount p
                WHERE p.connection_id = n.connection_id AND p.period = n.period AND p.items > 0
            ) ELSE false END AS is_stamped
        FROM counted n
        JOIN connections_connection c ON c.id = n.connection_id AND c.stage <> 'closed'
        LEFT JOIN syncing_closeday d ON d.connection_id = c.id
        LEFT JOIN due ON due.connection_id = c.id AND due.period = n.period
        LEFT JOIN stamped s ON s.connection_id = c.id AND s.period = n.period
        WHERE {{customers}}
    ), ranked AS (
        SELECT id, time_zone, period, unsynced, worth, working_day, close_on, payable_on, bills_due,
            is_asked, CASE
                WHEN is_stamped AND NOT is_broken THEN 0
                WHEN unsynced > 0 AND {_ENDS} <= %(red)s THEN 4
                WHEN is_broken THEN 3
                WHEN unsynced > 0 THEN 2
                ELSE 1
            END AS rank
        FROM dated
    ), chosen AS (
        SELECT * FROM ranked
        WHERE {{shown}}
        ORDER BY {_ORDER}
        {{limit}}
    ), shown AS (
        SELECT id, c.slug, c.name, c.erp_name, c.owner, c.time_zone, r.period, r.unsynced,
            r.worth, r.working_day, r.close_on,
            (r.close_on + 1)::timestamp AT TIME ZONE r.time_zone AS close_at,
            r.payable_on, r.bills_due, r.is_asked, r.rank
        FROM chosen r JOIN connections_connection c USING (id)
    )
    SELECT shown.*, counts.of_ranks
    FROM (
        SELECT array(SELECT ARRAY[rank, count(*)] FROM ranked GROUP BY rank ORDER BY rank)
    ) AS counts(of_ranks)
    LEFT JOIN shown ON true
    ORDER BY {_ORDER}
"""  # noqa: S608  constants, and conditions of this file
