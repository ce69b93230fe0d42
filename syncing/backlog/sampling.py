"""Look at what is open once a minute, and at each customer once an hour."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from syncing.age_bands import SQL_BAND
from syncing.latency_bins import BOUNDS, SQL_BOUNDS
from syncing.models import BacklogSample, SampleRound
from syncing.queries.words import Word, party_of, word_of
from syncing.statements import execute, rows

_CATEGORIES = "i.object_type, i.state, i.error_category, i.currency, i.exponent"
_BAND = f"({SQL_BAND})"
_LATE = "(i.state = 'POSTING' AND i.lease_until < %(now)s)"
# The last bin has no upper end: its lower one.
_BOUND = f"({SQL_BOUNDS})[least(bin + 1, {len(BOUNDS)})]"
# Word for word the condition of the index `item_open_by_age`.
_OPEN = "NOT (i.state IN ('ACKED', 'EXTERNAL', 'WITHDRAWN'))"


@transaction.atomic
def sample(*, now: datetime) -> bool:
    """Sample the minute if nobody has; whether it was done.

    The first round of an hour samples each customer too. An hour in which nothing ran leaves a gap,
    and charts show it as one.
    """
    minute = now.replace(second=0, microsecond=0)
    hour = minute.replace(minute=0)
    is_hourly = not SampleRound.objects.filter(at__gte=hour, has_customers=True).exists()
    if not execute(
        "INSERT INTO syncing_sampleround (at, has_customers) VALUES (%s, %s)"
        " ON CONFLICT DO NOTHING",
        [minute, is_hourly],
    ):
        return False
    _keep(_fleet(now), at=minute)
    add_up(minute, minute)
    if is_hourly:
        _keep(_customers(now), at=minute)
        _note_days(now)
    return True


def add_up(since: datetime, until: datetime) -> None:
    """Keep what all customers have together, and those of each ERP and each owner, in the rounds
    between two moments, both within."""
    execute(
        """
        INSERT INTO syncing_fleetsample (at, erp_name, owner, object_type, error_category, band,
            currency, exponent, items, amount_minor)
        SELECT at, coalesce(erp_name, ''), coalesce(owner, ''), coalesce(object_type, ''),
            coalesce(error_category, ''), band, currency, exponent, sum(items), sum(amount_minor)
        FROM syncing_backlogsample
        WHERE connection_id IS NULL AND at BETWEEN %s AND %s
        GROUP BY at, band, currency, exponent, GROUPING SETS (
            (), (object_type, error_category), (erp_name), (owner))
        HAVING coalesce(erp_name, owner) IS DISTINCT FROM '' -- or it would pass for everybody's
        """,
        [since, until],
    )


def _fleet(now: datetime) -> Iterable[tuple[Any, ...]]:
    return rows(
        f"""
        SELECT NULL, c.erp_name, c.owner, NULL, {_CATEGORIES}, {_LATE}, {_BAND}, count(*),
            sum(i.amount_minor)::bigint
        FROM syncing_syncitem i JOIN connections_connection c ON c.id = i.connection_id
        WHERE {_OPEN}
        GROUP BY c.erp_name, c.owner, {_CATEGORIES}, {_LATE}, {_BAND}
        """,  # noqa: S608  constants of this file
        {"now": now},
    )


def _customers(now: datetime) -> Iterable[tuple[Any, ...]]:
    return rows(
        f"""
        SELECT i.connection_id, '', '', i.entity_ramp_id, {_CATEGORIES}, {_LATE}, {_BAND},
            count(*), sum(i.amount_minor)::bigint
        FROM syncing_syncitem i WHERE {_OPEN}
        GROUP BY i.connection_id, i.entity_ramp_id, {_CATEGORIES}, {_LATE}, {_BAND}
        """,  # noqa: S608  constants of this file
        {"now": now},
    )


def _keep(found: Iterable[tuple[Any, ...]], *, at: datetime) -> None:
    BacklogSample.objects.bulk_create([_sample(at, *line) for line in found], batch_size=5000)


def _sample(
    at: datetime,
    connection_id: Any,
    erp_name: str,
    owner: str,
    entity: Any,
    object_type: str,
    state: str,
    category: str,
    currency: str,
    exponent: int,
    is_late: bool,  # noqa: FBT001  a column of the statements above
    band: int,
    items: int,
    minor: int,
) -> BacklogSample:
    word = Word.UNCERTAIN if is_late else word_of(state, category)
    return BacklogSample(
        at=at,
        connection_id=connection_id,
        erp_name=erp_name,
        owner=owner,
        entity_ramp_id=entity,
        object_type=object_type,
        word=word,
        party=party_of(word, state),
        error_category=category,
        band=band,
        currency=currency,
        exponent=exponent,
        items=items,
        amount_minor=minor,
    )


def _note_days(now: datetime) -> None:
    """Of each customer with anything open, or done today, how long things have waited."""
    execute(
        f"""
        INSERT INTO syncing_customerday
            (connection_id, day, open_items, p95_open_seconds, p95_done_seconds)
        SELECT connection_id, (%(now)s AT TIME ZONE 'UTC')::date, sum(open_items),
            max(p95_open), max(p95_done)
        FROM (
            SELECT i.connection_id, count(*) AS open_items, percentile_disc(0.95)
                WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - i.ready_at)) AS p95_open,
                0 AS p95_done
            FROM syncing_syncitem i WHERE {_OPEN} GROUP BY i.connection_id
            UNION ALL
            SELECT connection_id, 0, 0, {_BOUND}
            FROM (
                SELECT connection_id, min(bin) FILTER (WHERE upto >= 0.95 * total) AS bin
                FROM (
                    SELECT connection_id, bin, sum(items) OVER so_far AS upto,
                        sum(items) OVER (PARTITION BY connection_id) AS total
                    FROM (
                        SELECT connection_id, bin, sum(items) AS items FROM syncing_latencybucket
                        WHERE span = 'day' AND at = date_trunc('day', %(now)s, 'UTC')
                          AND connection_id IS NOT NULL
                        GROUP BY connection_id, bin HAVING sum(items) > 0
                    ) bins
                    WINDOW so_far AS (PARTITION BY connection_id ORDER BY bin)
                ) sums GROUP BY connection_id
            ) done
        ) waits
        GROUP BY connection_id
        ON CONFLICT (connection_id, day) DO UPDATE SET open_items = excluded.open_items,
            p95_open_seconds = greatest(syncing_customerday.p95_open_seconds,
                excluded.p95_open_seconds),
            p95_done_seconds = excluded.p95_done_seconds
        """,  # noqa: S608  constants of this file
        {"now": now},
    )
