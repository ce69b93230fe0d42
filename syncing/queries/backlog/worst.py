"""How long the slowest items of the slowest customers waited, day by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from syncing.queries.backlog.scope import Scope, of_customers, parameters
from syncing.statements import rows

DAYS, CUSTOMERS = 14, 20
LEVELS: Sequence[timedelta] = (
    timedelta(hours=1), timedelta(hours=4), timedelta(hours=24), timedelta(days=3),
)  # fmt: skip
"""Where one shade ends and the next begins, as the bands of age do."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of one customer."""

    day: date
    p95: timedelta | None
    """None: nobody looked."""
    arrived: int

    @property
    def level(self) -> int:
        return sum((self.p95 or timedelta(0)) >= level for level in LEVELS)

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.day, time(), UTC)

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """A customer's days, the oldest first."""

    slug: str
    name: str
    cells: Sequence[Cell]


def worst(scope: Scope, *, now: datetime) -> list[Line]:
    """The customers whose items waited longest, with the worst first. Two statements.

    Whoever is among the worst of the fortnight is among those of one of its days, so that each day
    is asked for a few only.
    """
    days = [now.date() - timedelta(days=back) for back in reversed(range(DAYS))]
    found = rows(
        f"""
        WITH chosen AS (
            SELECT top.connection_id, max(top.p95) AS p95
            FROM unnest(%(days)s::date[]) AS d (day) CROSS JOIN LATERAL (
                SELECT c.connection_id, greatest(c.p95_open_seconds, c.p95_done_seconds) AS p95
                FROM syncing_customerday c JOIN connections_connection k ON k.id = c.connection_id
                WHERE c.day = d.day AND {of_customers(scope, "k")}
                ORDER BY 2 DESC LIMIT %(customers)s
            ) top
            GROUP BY top.connection_id ORDER BY 2 DESC, 1 LIMIT %(customers)s
        )
        SELECT k.id, k.slug, k.name, chosen.p95, c.day,
            greatest(c.p95_open_seconds, c.p95_done_seconds)
        FROM chosen JOIN connections_connection k ON k.id = chosen.connection_id
        JOIN syncing_customerday c ON c.connection_id = k.id AND c.day = ANY(%(days)s)
        ORDER BY chosen.p95 DESC, k.id
        """,  # noqa: S608  conditions of this program
        {**parameters(scope), "days": days, "customers": CUSTOMERS},
    )
    names = {key: (slug, name) for key, slug, name, *_ in found}
    waited = {(key, day): timedelta(seconds=seconds) for key, _, _, _, day, seconds in found}
    arrived = _arrived(scope, list(names), days)
    return [
        Line(
            slug,
            name,
            [Cell(day, waited.get((key, day)), arrived.get((key, day), 0)) for day in days],
        )
        for key, (slug, name) in names.items()
    ]


def _arrived(
    scope: Scope, customers: Sequence[UUID], days: Sequence[date]
) -> Mapping[tuple[UUID, date], int]:
    if not customers:
        return {}
    of_type = "AND object_type = %(type)s" if scope.object_type else ""
    of_entity = "AND entity_ramp_id = %(entity)s" if scope.entity_id else ""
    found = rows(
        f"""
        SELECT connection_id, at, sum(items)::bigint FROM (
            SELECT connection_id, at, items FROM syncing_flowbucket
            WHERE connection_id = ANY(%(customers)s) AND span = 'day' AND at >= %(since)s
              AND change = 'arrived' {of_type} {of_entity}
            UNION ALL
            SELECT connection_id, date_trunc('day', at, 'UTC'), items FROM syncing_flowentry
            WHERE connection_id = ANY(%(customers)s) AND at >= %(since)s
              AND change = 'arrived' {of_type} {of_entity}
        ) came GROUP BY 1, 2
        """,  # noqa: S608  conditions of this file
        {
            **parameters(scope),
            "customers": list(customers),
            "since": datetime.combine(days[0], time(), UTC),
        },
    )
    return {(key, at.astimezone(UTC).date()): items for key, at, items in found}
