"""How the backlog went: by age from the samples, and what came and went from the buckets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncing.age_bands import BANDS
from syncing.latency_bins import percentile
from syncing.models import Span
from syncing.queries import buckets
from syncing.queries.backlog.periods import Period
from syncing.queries.backlog.scope import Scope, parameters
from syncing.statements import rows

LAST_HOUR, LAST_MINUTES = timedelta(hours=1), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was open at the end of a slot, by band; None where nobody looked."""

    at: datetime
    items: Sequence[int]
    minor: Sequence[int]


def by_age(scope: Scope, period: Period, *, currency: str, now: datetime) -> list[Sampled | None]:
    """The last sample of each slot, in items and in minor units of a currency. One statement.

    Of one customer the full hours are kept, and after three days the days' first.
    """
    starts = period.starts(now)
    at = "r.at"
    if scope.connection_id:
        at = f"date_trunc('{'hour' if period.key == '24h' else 'day'}', r.at, 'UTC')"
    found = rows(
        f"""
        WITH slot AS MATERIALIZED (
            SELECT s.n, (
                SELECT {at} FROM syncing_sampleround r
                WHERE r.at >= s.starts AND r.at < s.starts + %(step)s
                ORDER BY r.at DESC LIMIT 1
            ) AS at
            FROM unnest(%(starts)s::timestamptz[]) WITH ORDINALITY s (starts, n)
        )
        SELECT slot.n, slot.at, sampled.band, coalesce(sampled.items, 0),
            coalesce(sampled.minor, 0)
        FROM slot LEFT JOIN LATERAL (
            SELECT b.band, sum(b.items)::bigint AS items,
                (sum(b.amount_minor) FILTER (WHERE b.currency = %(currency)s))::bigint AS minor
            FROM {_samples(scope)} b WHERE b.at = slot.at AND {_narrowed(scope)} GROUP BY 1
        ) sampled ON true
        WHERE slot.at IS NOT NULL
        """,  # noqa: S608  conditions of this file
        {**parameters(scope), "currency": currency, "starts": starts, "step": period.step},
    )
    sampled: list[Sampled | None] = [None] * len(starts)
    items: dict[int, list[int]] = {}
    minor: dict[int, list[int]] = {}
    for number, moment, band, count, amount in found:
        slot = number - 1
        items.setdefault(slot, [0] * len(BANDS))
        minor.setdefault(slot, [0] * len(BANDS))
        if band is not None:
            items[slot][band], minor[slot][band] = count, amount
        sampled[slot] = Sampled(moment, items[slot], minor[slot])
    return sampled


def _is_added_up(scope: Scope) -> bool:
    """Whether rounds keep the sums: of all customers, or of those of one ERP or one owner."""
    if scope.connection_id or (scope.erp and scope.owner):
        return False
    return not (scope.is_of_some_customers and (scope.object_type or scope.category))


def _samples(scope: Scope) -> str:
    return "syncing_fleetsample" if _is_added_up(scope) else "syncing_backlogsample"


def _narrowed(scope: Scope) -> str:
    if scope.connection_id:
        narrowed = ["b.connection_id = %(connection)s"]
        narrowed += ["b.entity_ramp_id = %(entity)s"] if scope.entity_id else []
    elif _is_added_up(scope):
        is_of_all_types = not (scope.object_type or scope.category)
        narrowed = [
            "b.object_type = ''" if is_of_all_types else "b.object_type <> ''",
            "b.erp_name = %(erp)s",
            "b.owner = %(owner)s",
        ]
    else:
        narrowed = ["b.connection_id IS NULL"]
        narrowed += ["b.erp_name = %(erp)s"] if scope.erp else []
        narrowed += ["b.owner = %(owner)s"] if scope.owner else []
    narrowed += ["b.object_type = %(type)s"] if scope.object_type else []
    narrowed += ["b.error_category = %(category)s"] if scope.category else []
    return " AND ".join(narrowed)


@dataclass(frozen=True, slots=True)
class Came:
    """What came and went by slot, and how much of it at the first try."""

    starts: Sequence[datetime]
    arrived: Sequence[int]
    done: Sequence[int]
    first: int
    """Of what is done, what went through at the first try."""

    @property
    def again(self) -> int:
        return sum(self.done) - self.first


def came_and_went(scope: Scope, period: Period, *, now: datetime) -> Came:
    """From the buckets. One statement."""
    starts = period.starts(now)
    slots: dict[str, list[int]] = {name: [0] * len(starts) for name in ("arrived", "done")}
    first = 0
    for line in buckets.flow(
        period.span,
        since=starts[0],
        scope=scope.of_buckets,
        changes=["arrived", "done"],
        step=period.step,
    ):
        slot = (line.at - starts[0]) // period.step
        if slot < len(starts):
            slots[line.change][slot] += line.items
            first += line.items if line.detail == "first" else 0
    return Came(starts, slots["arrived"], slots["done"], first)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go lately, in items per minute."""

    since: datetime
    arrived: float
    done: float
    failed: float
    failed_now: float | None
    """Of the last five minutes; None where no minutes are kept."""


def pace_since(scope: Scope, now: datetime) -> datetime:
    """From when on `pace` counts: of the fleet by the minute, of one customer by the hour."""
    begins = (now - LAST_HOUR).replace(second=0, microsecond=0)
    return begins.replace(minute=0) if scope.connection_id else begins


def pace(scope: Scope, *, now: datetime) -> Pace:
    """The last hour's. One statement."""
    since = pace_since(scope, now)
    span = Span.HOUR if scope.connection_id else Span.MINUTE
    counts: Counter[str] = Counter()
    lately = 0
    for line in buckets.flow(span, since=since, scope=scope.of_buckets):
        if line.change == "failed" and scope.category not in ("", line.detail):
            continue
        counts[line.change] += line.items
        if line.change == "failed" and line.at > now - LAST_MINUTES:
            lately += line.items
    minutes = max((now - since) / timedelta(minutes=1), 1)
    return Pace(
        since=since,
        arrived=counts["arrived"] / minutes,
        done=counts["done"] / minutes,
        failed=counts["failed"] / minutes,
        failed_now=None if scope.connection_id else lately / (LAST_MINUTES / timedelta(minutes=1)),
    )


@dataclass(frozen=True, slots=True)
class Took:
    """About how long items took from ready in Ramp to confirmed by Ramp, since a moment."""

    since: datetime
    items: int
    median: timedelta | None
    p95: timedelta | None


def latencies(scope: Scope, *, now: datetime) -> tuple[Took, Took]:
    """Of about a day and of about a week. One statement. Of one customer days are kept."""
    is_customer = scope.connection_id is not None
    hour = now.replace(minute=0, second=0, microsecond=0)
    midnight = hour.replace(hour=0)
    day = midnight - timedelta(days=1) if is_customer else hour - timedelta(hours=23)
    week = midnight - timedelta(days=6) if is_customer else hour - timedelta(hours=7 * 24 - 1)
    found = buckets.latencies(
        Span.DAY if is_customer else Span.HOUR,
        since=week,
        scope=scope.of_buckets,
        step=timedelta(days=1),  # of which both are so many
    )

    def took(since: datetime) -> Took:
        bins: Counter[int] = Counter()
        for at, counted in found.items():
            if at >= since:
                bins.update(counted)
        return Took(since, sum(bins.values()), percentile(bins, 0.5), percentile(bins, 0.95))

    return took(day), took(week)
