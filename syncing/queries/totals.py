"""How many items a choice holds, and how much money: from roll-ups, or counted with a bound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from rampbridge.lib.money import Money
from syncing.models import SyncItem
from syncing.queries import standing
from syncing.queries.items import ItemFilter, hidden_by_snoozing, matching
from syncing.queries.words import OPEN_WORDS
from syncing.statements import rows

COUNTED = 10_000
"""Rows that are counted where no roll-up knows; the index gives them in some 20 ms."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many, and how much per currency. Currencies are never added up."""

    items: int = 0
    sums: Sequence[Money] = field(default_factory=tuple)
    is_all: bool = True
    """Whether that is all; else there are more, and the sums are of those that were counted."""

    def without(self, other: "Totals") -> "Totals":
        """What is left after others are taken out, of what was counted whole."""
        left = {money.currency: money for money in self.sums}
        for money in other.sums:
            if money.currency in left:
                left[money.currency] -= money
        sums = [money for money in left.values() if money]
        return Totals(max(self.items - other.items, 0), sums, is_all=self.is_all and other.is_all)


def counted(items: QuerySet[SyncItem], *, at_most: int = COUNTED) -> Totals:
    """Count rows, but no more than so many. One statement."""
    money = items.order_by().values("currency", "exponent", "amount_minor")
    try:
        bounded, parameters = money[: at_most + 1].query.sql_with_params()
    except EmptyResultSet:  # the choice cannot hold anything, so there is nothing to ask
        return Totals()
    found = rows(
        f"""
        SELECT count(*), currency, exponent, sum(amount_minor)::bigint FROM ({bounded}) bounded
        GROUP BY currency, exponent ORDER BY count(*) DESC, currency
        """,  # noqa: S608  the ORM's text
        list(parameters),
    )
    n = sum(count for count, *_ in found)
    sums = [Money(minor, currency, exponent) for _, currency, exponent, minor in found]
    return Totals(min(n, at_most), sums, is_all=n <= at_most)


def added_up(items: Iterable[SyncItem]) -> Totals:
    """The totals of items at hand."""
    sums: dict[str, Money] = {}
    n = 0
    for item in items:
        before = sums.get(item.currency)
        sums[item.currency] = before + item.money if before else item.money
        n += 1
    return Totals(n, sorted(sums.values(), key=lambda money: money.currency))


def totals(
    chosen: ItemFilter,
    *,
    now: datetime,
    lines: Iterable[standing.Standing] | None = None,
    hidden: Totals | None = None,
) -> Totals:
    """Everything that a filter matches, as its list shows it.

    :param lines: the roll-up of the chosen customers, if it was read already
    :param hidden: what the list leaves out as it is put off, if it was counted already
    """
    if chosen.looks_at_rows:
        return counted(matching(chosen, now))
    if lines is None:
        lines = standing.standings(
            now=now,
            connection_id=chosen.connection_id,
            erp=chosen.erp,
            customer_owner=chosen.customer_owner,
        )
    mine = [line for line in lines if _is_chosen(chosen, line)]
    known = Totals(sum(line.items for line in mine), standing.sums(mine))
    if not chosen.hides_snoozed:
        return known
    return known.without(hidden or counted(hidden_by_snoozing(chosen, now)))


def _is_chosen(chosen: ItemFilter, line: standing.Standing) -> bool:
    if chosen.object_type and line.object_type != chosen.object_type:
        return False
    if chosen.category and line.category != chosen.category:
        return False
    if chosen.party and line.party != chosen.party:
        return False
    if chosen.currency and line.money.currency != chosen.currency:
        return False
    if chosen.word:
        return line.word == chosen.word
    return chosen.everything or line.word in OPEN_WORDS
