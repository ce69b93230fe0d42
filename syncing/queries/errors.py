"""The list of error groups: what is wrong, at how many customers, with how much money, since when.

Counts and groups only; no item is read. The list is bounded by how many causes there are, which the
fingerprint keeps few, whatever the number of items.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rampbridge.lib.charts import Spark, spark
from rampbridge.lib.money import Money
from syncing.models.errors import heading
from syncing.queries.group_states import LOOKS, Facts, GroupState, open_since, state_of
from syncing.queries.words import Look
from syncing.statements import from_json, rows

PAGE_SIZE = 50
CUSTOMERS_COUNTED = 500
"""Of one group; beyond that only that there are more."""
TREND_HOURS = 24
TREND_MOST = 1000
"""Occurrences of one group that its small chart looks at."""

CATEGORIES: Mapping[str, Look] = {
    "user_actionable": Look("User-actionable", "customer", "hand", "The customer can fix it."),
    "transient": Look("Transient", "retry", "rotate-ccw", "Time fixes it: it is tried again."),
    "needs_integrator": Look("Needs integrator", "person", "wrench", "We must act."),
}
ORIGINS: Mapping[str, str] = {"data": "Data", "erp": "ERP", "ramp": "Ramp", "us": "rampbridge"}
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class ErrorFilter:
    """What the list is narrowed to. Nothing given is every group with something open."""

    state: GroupState | None = None
    customer: str = ""
    category: str = ""
    origin: str = ""
    owner: str = ""
    """A user name, or `nobody`."""
    erp: str = ""
    text: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether it is more than a choice of state."""
        return bool(
            self.customer or self.category or self.origin or self.owner or self.erp or self.text
        )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group as lists show it."""

    fingerprint: str
    code: str
    title: str
    category: str
    origin: str
    owner: str
    state: GroupState
    customers: int
    items: int
    sums: Sequence[Money]
    weight: int
    """Of all currencies, in minor units: rough, but it ranks."""
    first_seen_at: datetime
    last_seen_at: datetime
    since: datetime
    has_more_customers: bool = False
    """Than `customers`, which is as far as they are counted."""
    is_ruled: bool = False
    proof_id: int | None = None
    why: str = ""
    """What put it where it is: the reason of a snooze, or what woke it."""

    @property
    def heading(self) -> str:
        return heading(self.title)

    @property
    def look(self) -> Look:
        return LOOKS[self.state]

    @property
    def category_look(self) -> Look:
        return category_look(self.category)

    @property
    def origin_label(self) -> str:
        return ORIGINS.get(self.origin, self.origin)


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One page of the list, and what stands behind it."""

    rows: Sequence[GroupRow]
    counts: Mapping[GroupState, int]
    """By state, of all that the filter lets through."""
    hidden: int
    """Groups with something open that the filter leaves out."""
    start: int
    total: int
    owners: Sequence[str] = field(default_factory=list)

    @property
    def next_start(self) -> int | None:
        end = self.start + len(self.rows)
        return end if end < self.total else None


def category_look(category: str) -> Look:
    """How a category is shown; one that we do not know keeps its name."""
    return CATEGORIES.get(category, Look(category.replace("_", " "), "neutral", "circle-help"))


def page_of_groups(
    chosen: ErrorFilter, *, now: datetime, start: int = 0, size: int = PAGE_SIZE
) -> GroupPage:
    """One page: regressed first, then by money times age; snoozed last. Two or three statements."""
    found = _open_groups(chosen, now)
    passed = [row for row in found if _passes(row, chosen)]
    counts = dict.fromkeys(GroupState, 0)
    for row in passed:
        counts[row.state] += 1
    if chosen.state is GroupState.RESOLVED:
        shown = _resolved_groups(chosen, start + size + 1)
    else:
        shown = sorted(
            (row for row in passed if chosen.state in (None, row.state)),
            key=lambda row: _rank(row, now),
        )
    everything = _open_count() if _is_of_some(chosen) else len(found)
    unresolved = sum(counts.values()) if chosen.state in (None, GroupState.RESOLVED) else len(shown)
    return GroupPage(
        rows=_with_customers(shown[start : start + size], chosen),
        counts=counts,
        hidden=max(0, everything - unresolved),
        start=start,
        total=len(shown),
        owners=sorted({row.owner for row in found if row.owner}),
    )


def open_groups(chosen: ErrorFilter, *, now: datetime) -> list[GroupRow]:
    """Every group in the filter with something open, in no order. At how many customers each is
    stays uncounted. One statement.
    """
    return [row for row in _open_groups(chosen, now) if _passes(row, chosen)]


def _rank(row: GroupRow, now: datetime) -> tuple[int, float, str]:
    order = {GroupState.REGRESSED: 0, GroupState.SNOOZED: 2}
    hours = max((now - row.since) / timedelta(hours=1), 0.01)
    return order.get(row.state, 1), -row.weight * hours, row.fingerprint


def _passes(row: GroupRow, chosen: ErrorFilter) -> bool:
    text = chosen.text.lower()
    return (
        chosen.category in ("", row.category)
        and chosen.origin in ("", row.origin)
        and chosen.owner in ("", row.owner or NOBODY)
        and (not text or text in row.title.lower() or text in row.code.lower())
    )


def _open_groups(chosen: ErrorFilter, now: datetime) -> list[GroupRow]:
    """Every group with something open at the customers that the filter names.

    Of all customers together the sums are kept; of some of them their counts are added up.
    """
    found = rows(
        f"""
        WITH mine AS MATERIALIZED ({_AT_SOME if _is_of_some(chosen) else _EVERYWHERE}
        ), heads AS (
            SELECT fingerprint, sum(items) AS items, max(seen_at) AS seen_at
            FROM mine GROUP BY fingerprint HAVING sum(items) > 0
        ), money AS (
            SELECT fingerprint, sum(abs(minor)) AS weight,
                   jsonb_agg(jsonb_build_array(minor, currency, exponent)
                             ORDER BY abs(minor) DESC, currency) AS sums
            FROM (
                SELECT fingerprint, currency, exponent, sum(amount_minor) AS minor
                FROM mine GROUP BY fingerprint, currency, exponent
            ) of_each GROUP BY fingerprint
        ), kinds AS (
            SELECT DISTINCT ON (fingerprint) fingerprint, error_category AS category
            FROM (
                SELECT fingerprint, error_category, sum(items) AS items
                FROM mine GROUP BY fingerprint, error_category
            ) by_category ORDER BY fingerprint, items DESC, error_category
        )
        SELECT g.fingerprint, g.code, g.title, coalesce(r.category, k.category), g.origin, g.owner,
               g.first_seen_at, g.resolved_at, g.regressed_at, g.snoozed_at IS NOT NULL,
               CASE WHEN g.snoozed_at IS NULL THEN g.woken_because ELSE g.snooze_reason END,
               h.items, h.seen_at, m.weight, m.sums::text, r.id IS NOT NULL
        FROM heads h
        JOIN syncing_errorgroup g USING (fingerprint)
        JOIN money m USING (fingerprint)
        JOIN kinds k USING (fingerprint)
        LEFT JOIN syncing_ruling r
            ON r.fingerprint = g.fingerprint AND r.withdrawn_at IS NULL
        """,  # noqa: S608  constants of this file
        {"customer": chosen.customer, "erp": chosen.erp},
    )
    return [_open_row(row, now) for row in found]


def _is_of_some(chosen: ErrorFilter) -> bool:
    return bool(chosen.customer or chosen.erp)


_EVERYWHERE = """
    SELECT fingerprint, error_category, currency, exponent, sum(items) AS items,
        sum(amount_minor) AS amount_minor, max(last_seen_at) AS seen_at
    FROM syncing_errortotal GROUP BY 1, 2, 3, 4
"""
_SOME = """
    SELECT id FROM connections_connection
    WHERE (%(customer)s = '' OR slug = %(customer)s) AND (%(erp)s = '' OR erp_kind = %(erp)s)
"""
_AT_SOME = f"""
    SELECT fingerprint, error_category, currency, exponent, sum(items) AS items,
        sum(amount_minor) AS amount_minor, max(last_seen_at) AS seen_at
    FROM syncing_errorcount
    WHERE items > 0 AND connection_id IN ({_SOME}) GROUP BY 1, 2, 3, 4
"""  # noqa: S608  a constant of this file


def _with_customers(found: Sequence[GroupRow], chosen: ErrorFilter) -> list[GroupRow]:
    """The same rows, each with at how many customers it is. More than so many are not counted."""
    if not found:
        return []
    condition = f"AND connection_id IN ({_SOME})" if _is_of_some(chosen) else ""
    counted = dict(
        rows(
            f"""
            SELECT f.fingerprint, (
                SELECT count(*) FROM (
                    SELECT DISTINCT connection_id FROM syncing_errorcount
                    WHERE fingerprint = f.fingerprint AND items > 0 {condition}
                    LIMIT %(most)s
                ) customers
            )
            FROM unnest(%(fingerprints)s::text[]) AS f(fingerprint)
            """,  # noqa: S608  constants of this file
            {
                "fingerprints": [row.fingerprint for row in found],
                "most": CUSTOMERS_COUNTED + 1,
                "customer": chosen.customer,
                "erp": chosen.erp,
            },
        )
    )
    return [
        replace(
            row,
            customers=min(counted[row.fingerprint], CUSTOMERS_COUNTED),
            has_more_customers=counted[row.fingerprint] > CUSTOMERS_COUNTED,
        )
        for row in found
    ]


def _open_row(row: Sequence[Any], now: datetime) -> GroupRow:
    (fingerprint, code, title, category, origin, owner, first, resolved, regressed, is_snoozed,
     why, items, seen, weight, sums, is_ruled) = row  # fmt: skip
    facts = Facts(int(items), first, resolved, regressed, is_snoozed)
    return GroupRow(
        fingerprint=fingerprint,
        code=code,
        title=title,
        category=category,
        origin=origin,
        owner=owner,
        state=state_of(facts, now),
        customers=0,
        items=int(items),
        sums=moneys(from_json(sums)),
        weight=int(weight),
        first_seen_at=first,
        last_seen_at=seen,
        since=open_since(facts),
        is_ruled=is_ruled,
        why=why,
    )


def pulse() -> tuple[Any, ...]:
    """What changes whenever the list may, for far less than the list costs."""
    (found,) = rows(
        """
        SELECT (
            SELECT sum(hashtextextended(concat_ws('|', fingerprint, items, minor, seen_at), 0))
            FROM (
                SELECT fingerprint, error_category, currency, sum(items) AS items,
                    sum(amount_minor) AS minor, max(last_seen_at) AS seen_at
                FROM syncing_errortotal GROUP BY 1, 2, 3 HAVING sum(items) <> 0
            ) totals
        ), (
            SELECT sum(hashtextextended(concat_ws('|', fingerprint, owner, snoozed_at, resolved_at,
                regressed_at, resolved_by_item_id), 0)) FROM syncing_errorgroup
        ), (
            SELECT array_agg(id ORDER BY id) FROM syncing_ruling WHERE withdrawn_at IS NULL
        )
        """,
        {},
    )
    return found


def _open_count() -> int:
    ((count,),) = rows(
        """
        SELECT count(*) FROM (
            SELECT FROM syncing_errortotal GROUP BY fingerprint HAVING sum(items) > 0
        ) open
        """,
        {},
    )
    return int(count)


def _resolved_groups(chosen: ErrorFilter, most: int) -> list[GroupRow]:
    """Groups of which nothing is open, those that ended last first."""
    found = rows(
        """
        SELECT g.fingerprint, g.code, g.title, coalesce(r.category, g.category), g.origin, g.owner,
               g.first_seen_at, g.resolved_at, g.resolved_by_item_id, r.id IS NOT NULL,
               coalesce(ended.last_at, g.first_seen_at)
        FROM syncing_errorgroup g
        LEFT JOIN syncing_ruling r ON r.fingerprint = g.fingerprint AND r.withdrawn_at IS NULL
        LEFT JOIN LATERAL (
            SELECT o.last_at FROM syncing_occurrence o WHERE o.fingerprint = g.fingerprint
            ORDER BY o.last_at DESC LIMIT 1
        ) ended ON true
        WHERE NOT EXISTS (SELECT FROM syncing_errorcount c
                          WHERE c.fingerprint = g.fingerprint AND c.items > 0)
          AND (%(category)s = '' OR coalesce(r.category, g.category) = %(category)s)
          AND (%(origin)s = '' OR g.origin = %(origin)s)
          AND (%(owner)s = '' OR coalesce(nullif(g.owner, ''), 'nobody') = %(owner)s)
          AND (%(text)s = '' OR g.title ILIKE %(like)s OR g.code ILIKE %(like)s)
          AND (%(all)s OR EXISTS (
              SELECT FROM syncing_occurrence o JOIN connections_connection k
                  ON k.id = o.connection_id
              WHERE o.fingerprint = g.fingerprint AND (%(customer)s = '' OR k.slug = %(customer)s)
                AND (%(erp)s = '' OR k.erp_kind = %(erp)s)))
        ORDER BY coalesce(g.resolved_at, ended.last_at) DESC NULLS LAST, g.fingerprint
        LIMIT %(most)s
        """,
        {
            "category": chosen.category,
            "origin": chosen.origin,
            "owner": chosen.owner,
            "text": chosen.text,
            "like": f"%{_escaped(chosen.text)}%",
            "all": not (chosen.customer or chosen.erp),
            "customer": chosen.customer,
            "erp": chosen.erp,
            "most": most,
        },
    )
    return [
        GroupRow(
            fingerprint=fingerprint, code=code, title=title, category=category, origin=origin,
            owner=owner, state=GroupState.RESOLVED, customers=0, items=0, sums=(), weight=0,
            first_seen_at=first, last_seen_at=seen, since=resolved or seen, is_ruled=is_ruled,
            proof_id=proof,
        )
        for fingerprint, code, title, category, origin, owner, first, resolved, proof, is_ruled,
            seen in found
    ]  # fmt: skip


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def moneys(sums: Iterable[tuple[int, str, int]]) -> list[Money]:
    """Amounts as the database gives them, without those that come to nothing."""
    return [Money(int(minor), currency, exponent) for minor, currency, exponent in sums if minor]


def trends(fingerprints: Sequence[str], *, now: datetime) -> dict[str, Spark]:
    """How many items failed last in each of the past 24 hours, by group. One statement."""
    found = rows(
        """
        SELECT f.fingerprint, floor(extract(epoch FROM %(now)s - o.last_at) / 3600)::int, count(*)
        FROM unnest(%(fingerprints)s::text[]) AS f(fingerprint)
        JOIN LATERAL (
            SELECT last_at FROM syncing_occurrence
            WHERE fingerprint = f.fingerprint AND last_at > %(now)s - interval '24 hours'
            ORDER BY last_at DESC LIMIT %(most)s
        ) o ON true
        GROUP BY 1, 2
        """,
        {"fingerprints": list(fingerprints), "now": now, "most": TREND_MOST},
    )
    hours: dict[str, list[int]] = {one: [0] * TREND_HOURS for one in fingerprints}
    for fingerprint, ago, items in found:
        hours[fingerprint][TREND_HOURS - 1 - min(max(ago, 0), TREND_HOURS - 1)] += items
    return {one: spark(values) for one, values in hours.items()}
