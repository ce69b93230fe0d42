"""What the close board tells of customers besides their order: parts of months, and what stops."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from rampbridge.lib.money import Money
from syncing.models import NO_ENTITY
from syncing.models.period_triggers import ENTITY, PERIOD
from syncing.statements import rows


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the roll-up: what stands where in one entity's month."""

    connection_id: uuid.UUID
    period: date
    entity_id: uuid.UUID
    standing: str
    items: int
    money: Money

    @property
    def is_of_no_entity(self) -> bool:
        return self.entity_id == NO_ENTITY


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What a forecast needs of a customer, whatever the month."""

    per_second: float | None = None
    stopped: str = ""
    """What keeps everything from being posted, in words."""
    queue: int = 0
    """Items that go on by themselves."""
    unsynced: Mapping[date, int] = field(default_factory=dict)
    """Of each month on the board with something unsynced."""


def parts_of(
    connection_ids: Sequence[uuid.UUID], periods: Sequence[date], *, now: datetime
) -> list[Part]:
    """The roll-up of some months of some customers. What is past its lease counts as uncertain,
    which only the clock knows. One statement.
    """
    found = rows(
        f"""
        WITH lapsed AS (
            SELECT connection_id, {PERIOD} AS period, {ENTITY} AS entity_ramp_id, currency,
                exponent, count(*) AS items, sum(amount_minor) AS minor
            FROM syncing_syncitem
            WHERE state = 'POSTING' AND lease_until < %(now)s
                AND connection_id = ANY(%(connections)s)
            GROUP BY 1, 2, 3, 4, 5
        )
        SELECT connection_id, period, entity_ramp_id, standing, sum(items)::bigint,
            sum(minor)::bigint, currency, exponent
        FROM (
            SELECT connection_id, period, entity_ramp_id, standing, items, amount_minor AS minor,
                currency, exponent
            FROM syncing_periodcount
            WHERE connection_id = ANY(%(connections)s) AND period = ANY(%(periods)s) AND items > 0
            UNION ALL
            SELECT connection_id, period, entity_ramp_id, standing, items * sign, minor * sign,
                currency, exponent
            FROM lapsed CROSS JOIN (VALUES ('moving', -1), ('uncertain', 1)) AS v(standing, sign)
            WHERE period = ANY(%(periods)s)
        ) every
        GROUP BY connection_id, period, entity_ramp_id, standing, currency, exponent
        HAVING sum(items) > 0
        ORDER BY connection_id, period, entity_ramp_id, standing, currency, exponent
        """,  # noqa: S608  constants
        {"connections": list(connection_ids), "periods": list(periods), "now": now},
    )
    return [
        Part(connection_id, period, entity_id, standing, items, Money(minor, currency, exponent))
        for connection_id, period, entity_id, standing, items, minor, currency, exponent in found
    ]


def facts_of(
    connection_ids: Sequence[uuid.UUID], *, since: date
) -> Mapping[uuid.UUID, CustomerFacts]:
    """What is known of some customers. One statement.

    :param since: the oldest month that counts
    """
    found = rows(
        """
        SELECT c.id, s.posts_per_second, CASE
            WHEN c.stage <> 'live' THEN 'The customer is not live.'
            WHEN s.blocked_at IS NOT NULL THEN s.blocked_title
            WHEN p.id IS NOT NULL THEN 'Everything is paused: ' || p.reason
            WHEN s.erp_silent_since IS NOT NULL THEN 'The ERP does not answer.'
            ELSE '' END,
            coalesce(q.queue, 0), coalesce(q.unsynced, '{}')
        FROM connections_connection c
        LEFT JOIN syncing_schedule s ON s.connection_id = c.id
        LEFT JOIN LATERAL (
            SELECT id, reason FROM syncing_pause
            WHERE connection_id = c.id AND object_type = '' AND resumed_at IS NULL
            ORDER BY id LIMIT 1
        ) p ON true
        LEFT JOIN (
            SELECT connection_id, sum(moving)::bigint AS queue,
                array_agg(ARRAY[period::text, unsynced::text]) FILTER (WHERE unsynced > 0)
                    AS unsynced
            FROM (
                SELECT connection_id, period, sum(items) AS unsynced,
                    coalesce(sum(items)
                        FILTER (WHERE standing IN ('moving', 'retrying')), 0) AS moving
                FROM syncing_periodcount
                WHERE connection_id = ANY(%(connections)s) AND items > 0 AND period >= %(since)s
                    AND standing NOT IN ('done', 'aside')
                GROUP BY connection_id, period
            ) months
            GROUP BY connection_id
        ) q ON q.connection_id = c.id
        WHERE c.id = ANY(%(connections)s)
        """,
        {"connections": list(connection_ids), "since": since},
    )
    return {
        pk: CustomerFacts(
            speed, stopped, queue, {date.fromisoformat(day): int(n) for day, n in months}
        )
        for pk, speed, stopped, queue, months in found
    }
