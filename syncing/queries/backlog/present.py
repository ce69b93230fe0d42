"""How the backlog stands this moment: by state, by age, what failed lately, what is in the way.

What is older than the youngest bands is not looked at: the roll-ups know how much is open in all,
and the rest is their difference. So the page costs what came in lately, not what lies there.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from connections.egress import LIMITS
from rampbridge.lib.money import Money
from syncing.age_bands import BANDS, SQL_BAND
from syncing.queries import standing
from syncing.queries.backlog.scope import Scope, condition, of_customers, parameters
from syncing.queries.standing import Standing
from syncing.queries.words import Party, Word, party_of, word_of
from syncing.statements import from_json, rows

MOST_YOUNG = 60_000
"""Open items of the youngest bands that are looked at. Beyond this their ages are those of the last
sample: lists do not count so far either."""
MOST_FAILED = 10_000
OLDEST = len(BANDS) - 1
# Word for word the condition of the index `item_open_by_age`.
_OPEN = "NOT (i.state IN ('ACKED', 'EXTERNAL', 'WITHDRAWN'))"
_TOLD = ", object_type, state, error_category, is_late"
_COLUMNS = """, i.object_type, i.state, i.error_category,
                        i.state = 'POSTING' AND i.lease_until < %(now)s AS is_late"""


@dataclass(frozen=True, slots=True)
class Aged:
    """What is open of one age and currency."""

    band: int
    items: int
    money: Money
    line: Standing | None = None
    """What it is, where that was asked for."""


@dataclass(frozen=True, slots=True)
class Pile:
    """How many, and how much per currency."""

    items: int
    sums: Sequence[Money]

    def of(self, currency: str) -> int:
        """Minor units of one currency."""
        return sum(money.minor for money in self.sums if money.currency == currency)


@dataclass(frozen=True, slots=True)
class Present:
    """The backlog at a moment."""

    as_of: datetime
    lines: Sequence[Standing]
    """Everything open, by state and type."""
    bands: Sequence[Pile]
    """By age, the youngest first."""
    oldest_at: datetime | None
    failed: int
    """What has failed since a moment and still has."""
    failed_is_all: bool
    erps_at_limit: int
    paused: int
    ramp_frozen_until: datetime | None
    ramp_share: float
    words: Mapping[Word, int]
    parties: Mapping[Party, Pile]
    is_too_much: bool
    """Whether so much is open that nobody looks at each age now; the last sample must do."""

    @property
    def items(self) -> int:
        return sum(line.items for line in self.lines)

    @property
    def sums(self) -> list[Money]:
        return standing.sums(self.lines)

    @property
    def currencies(self) -> list[str]:
        """Those that anything open is in, the one with most items first."""
        counts: Counter[str] = Counter()
        for line in self.lines:
            counts[line.money.currency] += line.items
        return [currency for currency, _ in counts.most_common() if counts[currency] > 0]

    def of_currency(self, currency: str) -> int:
        return sum(line.items for line in self.lines if line.money.currency == currency)


def present(scope: Scope, *, now: datetime, failed_since: datetime) -> Present:
    """Read it. Two statements, or one where a single entity is looked at.

    :param now: what ages are counted from; lists that are linked to count from it, too
    """
    by_rows = scope.entity_id is not None
    lines = [] if by_rows else _open_lines(scope, now)
    young, failed, oldest_at, limits = _read(scope, now, failed_since, by_rows=by_rows)
    if by_rows:
        lines = [one.line for one in young if one.line]
    return Present(
        as_of=now,
        lines=lines,
        bands=_bands(young, lines, is_whole=by_rows),
        oldest_at=oldest_at,
        failed=min(failed, MOST_FAILED),
        failed_is_all=failed <= MOST_FAILED,
        is_too_much=not by_rows and sum(one.items for one in young) > MOST_YOUNG,
        words=standing.by_word(lines),
        parties={party: _pile(line for line in lines if line.party == party) for party in Party},
        **limits,
    )


def _open_lines(scope: Scope, now: datetime) -> list[Standing]:
    found = standing.standings(
        now=now,
        connection_id=scope.connection_id,
        erp=scope.erp,
        customer_owner=scope.owner,
        only_open=True,
        by_type=bool(scope.object_type),
    )
    return [
        line
        for line in found
        if scope.object_type in ("", line.object_type) and scope.category in ("", line.category)
    ]


def _read(
    scope: Scope, now: datetime, failed_since: datetime, *, by_rows: bool
) -> tuple[list[Aged], int, datetime | None, dict[str, Any]]:
    recent = "" if by_rows else "AND i.ready_at > %(old)s"
    # What the roll-up tells is not asked for again: a group more for each costs half as much again.
    told = _TOLD if by_rows else ""
    ((young, failed, oldest_at, at_limit, paused, frozen_until, rate),) = rows(
        f"""
        SELECT (
            SELECT jsonb_agg(to_jsonb(groups)) FROM (
                SELECT band, currency, exponent, count(*) AS n, sum(amount_minor) AS minor {told}
                FROM (
                    SELECT i.currency, i.exponent, i.amount_minor, {SQL_BAND} AS band {_COLUMNS}
                    FROM syncing_syncitem i
                    WHERE {_OPEN} AND {condition(scope)} {recent}
                    LIMIT %(most)s
                ) open GROUP BY band, currency, exponent {told}
            ) groups
        )::text, (
            SELECT count(*) FROM (
                SELECT FROM syncing_syncitem i
                WHERE i.state = 'FAILED' AND i.state_at >= %(failed_since)s AND {condition(scope)}
                LIMIT %(most_failed)s
            ) failed
        ), (
            SELECT i.ready_at FROM syncing_syncitem i WHERE {_OPEN} AND {condition(scope)}
            ORDER BY i.ready_at LIMIT 1
        ), (
            SELECT count(*) FROM syncing_schedule s
            JOIN connections_connection k ON k.id = s.connection_id
            WHERE (s.erp_limit IS NOT NULL OR s.resume_at > %(now)s) AND {of_customers(scope, "k")}
              AND EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                          AND i.state = 'READY' AND i.due_at IS NOT NULL)
        ), (
            SELECT count(DISTINCT p.connection_id) FROM syncing_pause p
            JOIN connections_connection k ON k.id = p.connection_id
            WHERE p.resumed_at IS NULL AND {of_customers(scope, "k")}
        ), bucket.frozen_until, bucket.rate
        FROM (SELECT 1) one LEFT JOIN (
            SELECT frozen_until, least(%(full_rate)s, rate + %(recovery)s
                * greatest(0, extract(epoch FROM %(now)s - refilled_at))) AS rate
            FROM connections_ratebucket WHERE egress = %(egress)s
        ) bucket ON true
        """,  # noqa: S608  conditions and constants of this program
        {
            **parameters(scope),
            "now": now,
            "old": now - BANDS[OLDEST].from_age,
            "failed_since": failed_since,
            "most": None if by_rows else MOST_YOUNG + 1,
            "most_failed": MOST_FAILED + 1,
            "egress": settings.RAMP_EGRESS,
            "full_rate": LIMITS.rate,
            "recovery": LIMITS.recovery,
        },
    )
    limits = {
        "erps_at_limit": at_limit,
        "paused": paused,
        "ramp_frozen_until": frozen_until,
        "ramp_share": 1.0 if rate is None else float(rate) / LIMITS.rate,
    }
    return [_aged(one) for one in from_json(young) or []], failed, oldest_at, limits


def _aged(found: Mapping[str, Any]) -> Aged:
    money = Money(int(found["minor"]), found["currency"], found["exponent"])
    line = _line(found, money) if "state" in found else None
    return Aged(found["band"], found["n"], money, line)


def _line(found: Mapping[str, Any], money: Money) -> Standing:
    state, category = found["state"], found["error_category"]
    word = Word.UNCERTAIN if found["is_late"] else word_of(state, category)
    return Standing(
        None, found["object_type"], word, party_of(word, state), found["n"], money, category
    )


def _bands(young: Sequence[Aged], lines: Sequence[Standing], *, is_whole: bool) -> list[Pile]:
    """By age. The oldest are what is left when the others are taken from all."""
    piles = [_pile(one for one in young if one.band == band) for band in range(len(BANDS))]
    if is_whole:
        return piles
    everything, rest = _pile(lines), piles[:OLDEST]
    known = {money.currency: money for money in everything.sums}
    for pile in rest:
        for money in pile.sums:
            if money.currency in known:
                known[money.currency] -= money
    items = everything.items - sum(pile.items for pile in rest)
    return [*rest, Pile(max(items, 0), [money for money in known.values() if money])]


def _pile(counted: Iterable[Standing | Aged]) -> Pile:
    mine = list(counted)
    return Pile(sum(one.items for one in mine), standing.sums(mine))
