"""How fast work comes and goes: arrivals against drain, and how long an item takes."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database

from rampbridge.lib.charts import Columns, columns_and_line
from syncing.models import Span
from syncing.queries import buckets


@dataclass(frozen=True, slots=True)
class Flow:
    """Items per hour: became ready, and confirmed by Ramp."""

    hours: Sequence[datetime]
    arrived: Sequence[int]
    drained: Sequence[int]

    @property
    def labels(self) -> list[str]:
        return [f"{hour:%H:%M}" for hour in self.hours]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """The same as text, the newest hour first."""
        return list(reversed(list(zip(self.labels, self.arrived, self.drained, strict=True))))

    @property
    def has_any(self) -> bool:
        return any(self.arrived) or any(self.drained)

    def chart(self) -> Columns:
        return columns_and_line(self.arrived, self.drained, self.labels, tone="neutral")


@dataclass(frozen=True, slots=True)
class Latency:
    """From ready in Ramp to confirmed by Ramp, over the last hour."""

    median: timedelta
    p95: timedelta
    items: int


def flow(*, now: datetime, hours: int = 24) -> Flow:
    """Arrivals and drain of the last hours, from their buckets. One statement."""
    last = now.replace(minute=0, second=0, microsecond=0)
    slots = [last - timedelta(hours=back) for back in reversed(range(hours))]
    found: Counter[tuple[str, datetime]] = Counter()
    for line in buckets.flow(Span.HOUR, since=slots[0], changes=("arrived", "done")):
        found[line.change, line.at] += line.items
    return Flow(
        hours=slots,
        arrived=[found["arrived", slot] for slot in slots],
        drained=[found["done", slot] for slot in slots],
    )


def latency(*, now: datetime, connection_id: uuid.UUID | None = None) -> Latency | None:
    """Median and 95th percentile of the items confirmed in the last hour, if there were any."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY acked_at - ready_at),
                   percentile_cont(0.95) WITHIN GROUP (ORDER BY acked_at - ready_at),
                   count(*)
            FROM syncing_syncitem
            WHERE state = 'ACKED' AND acked_at >= %(since)s
              AND (%(connection)s::uuid IS NULL OR connection_id = %(connection)s)
            """,
            {"since": now - timedelta(hours=1), "connection": connection_id},
        )
        median, p95, items = cursor.fetchone()
    return Latency(median, p95, items) if items else None
