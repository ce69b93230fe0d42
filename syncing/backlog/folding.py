"""Fold what the items' triggers have written into buckets of a minute, an hour and a day."""

from rampbridge.metrics import flow as metrics
from syncing.statements import execute, rows

MINUTES_KEPT = "3 days"
CUSTOMER_HOURS_KEPT = "3 days"
CUSTOMER_DAYS_KEPT = "90 days"
HOURS_KEPT = "60 days"
DAYS_KEPT = "400 days"

LATENCY_HOURS_KEPT = "10 days"
CUSTOMER_LATENCY_KEPT = "14 days"

_HOUR = "date_trunc('hour', e.at, 'UTC')"
_DAY = "date_trunc('day', e.at, 'UTC')"

_FLOW = f"""
    INSERT INTO syncing_flowbucket (span, at, connection_id, erp_name, owner, entity_ramp_id,
        object_type, change, detail, currency, exponent, items, amount_minor)
    SELECT s.span, s.at, s.connection_id, s.erp_name, s.owner, s.entity_ramp_id,
        s.object_type, e.change, e.detail, e.currency, e.exponent, sum(e.items),
        sum(e.amount_minor)
    FROM source e
    JOIN connections_connection c ON c.id = e.connection_id
    CROSS JOIN LATERAL (VALUES
        ('minute', e.at, NULL::uuid, c.erp_name, c.owner, NULL::uuid, e.object_type,
            interval '{MINUTES_KEPT}'),
        ('hour', {_HOUR}, NULL, c.erp_name, c.owner, NULL, e.object_type, interval '{HOURS_KEPT}'),
        ('day', {_DAY}, NULL, c.erp_name, c.owner, NULL, e.object_type, interval '{DAYS_KEPT}'),
        ('hours', {_HOUR}, NULL, '', '', NULL, '', interval '{HOURS_KEPT}'),
        ('hours', {_HOUR}, NULL, nullif(c.erp_name, ''), '', NULL, '', interval '{HOURS_KEPT}'),
        ('hours', {_HOUR}, NULL, '', nullif(c.owner, ''), NULL, '', interval '{HOURS_KEPT}'),
        ('all', {_DAY}, NULL, '', '', NULL, '', interval '{DAYS_KEPT}'),
        ('all', {_DAY}, NULL, nullif(c.erp_name, ''), '', NULL, '', interval '{DAYS_KEPT}'),
        ('all', {_DAY}, NULL, '', nullif(c.owner, ''), NULL, '', interval '{DAYS_KEPT}'),
        ('hour', {_HOUR}, c.id, '', '', e.entity_ramp_id, e.object_type,
            interval '{CUSTOMER_HOURS_KEPT}'),
        ('day', {_DAY}, c.id, '', '', e.entity_ramp_id, e.object_type,
            interval '{CUSTOMER_DAYS_KEPT}')
    ) s (span, at, connection_id, erp_name, owner, entity_ramp_id, object_type, kept)
    WHERE e.at > now() - s.kept
      AND (e.change <> 'moved' OR s.connection_id IS NULL AND s.span NOT IN ('all', 'hours'))
      AND s.erp_name IS NOT NULL AND s.owner IS NOT NULL
    GROUP BY s.span, s.at, s.connection_id, s.erp_name, s.owner, s.entity_ramp_id, s.object_type,
        e.change, e.detail, e.currency, e.exponent
"""  # noqa: S608  constants of this file
_LATENCY = f"""
    INSERT INTO syncing_latencybucket (span, at, connection_id, erp_name, owner, object_type,
        arrived_by, bin, items)
    SELECT s.span, s.at, s.connection_id, s.erp_name, s.owner, s.object_type, s.arrived_by, e.bin,
        sum(e.items)
    FROM source e
    JOIN connections_connection c ON c.id = e.connection_id
    CROSS JOIN LATERAL (VALUES
        ('hour', {_HOUR}, NULL::uuid, c.erp_name, c.owner, e.object_type, e.arrived_by,
            interval '{LATENCY_HOURS_KEPT}'),
        ('hours', {_HOUR}, NULL, '', '', '', '', interval '{LATENCY_HOURS_KEPT}'),
        ('hours', {_HOUR}, NULL, nullif(c.erp_name, ''), '', '', '',
            interval '{LATENCY_HOURS_KEPT}'),
        ('hours', {_HOUR}, NULL, '', nullif(c.owner, ''), '', '',
            interval '{LATENCY_HOURS_KEPT}'),
        ('day', {_DAY}, NULL, c.erp_name, c.owner, e.object_type, e.arrived_by,
            interval '{DAYS_KEPT}'),
        ('day', {_DAY}, c.id, '', '', e.object_type, e.arrived_by,
            interval '{CUSTOMER_LATENCY_KEPT}')
    ) s (span, at, connection_id, erp_name, owner, object_type, arrived_by, kept)
    WHERE e.at > now() - s.kept AND e.change = 'done'
      AND s.erp_name IS NOT NULL AND s.owner IS NOT NULL
    GROUP BY s.span, s.at, s.connection_id, s.erp_name, s.owner, s.object_type, s.arrived_by, e.bin
    HAVING sum(e.items) <> 0
"""  # noqa: S608  constants of this file
_ADD_FLOW = """
    ON CONFLICT (connection_id, span, at, change, object_type, detail, erp_name, owner,
        entity_ramp_id, currency, exponent)
    DO UPDATE SET items = syncing_flowbucket.items + excluded.items,
        amount_minor = syncing_flowbucket.amount_minor + excluded.amount_minor
"""
_ADD_LATENCY = """
    ON CONFLICT (connection_id, span, at, object_type, arrived_by, erp_name, owner, bin)
    DO UPDATE SET items = syncing_latencybucket.items + excluded.items
"""

_FOLD = f"""
    WITH source AS (
        DELETE FROM syncing_flowentry WHERE id IN (
            SELECT id FROM syncing_flowentry ORDER BY id LIMIT %(most)s)
        RETURNING *
    ), flow AS (
        {_FLOW} {_ADD_FLOW}
    ), latency AS (
        {_LATENCY} {_ADD_LATENCY}
    ), figures AS (
        {metrics.KEEP}
    )
    SELECT count(*) FROM source
"""  # noqa: S608  constants of this file
MOST_AT_ONCE = 20_000


def fold() -> int:
    """Move entries into buckets; how many were moved. Whoever adds entries to buckets sees the same
    sums before and after.

    Only one may be at it: two would wait for each other at the same buckets.
    """
    moved: int = 0
    while True:
        ((taken,),) = rows(_FOLD, {"most": MOST_AT_ONCE})
        moved += int(taken)
        if taken < MOST_AT_ONCE:
            return moved


def rebuild(source: str) -> None:
    """Make the buckets of an empty table from items that no trigger has counted.

    :param source: a SELECT as `flow_triggers.by_their_times` makes it
    """
    execute(_SOURCE.format(counted=source), {})
    execute("ANALYZE source", {})
    execute(_FLOW, {})
    execute(_LATENCY, {})
    execute("DROP TABLE source", {})


# Of what is older only days of the fleet are kept, so any customer of the same ERP and owner may
# stand for all of them: years of items become few rows before they are told apart by span.
_SOURCE = f"""
    CREATE TEMPORARY TABLE source AS
    SELECT connection_id, entity_ramp_id, object_type, change, detail, arrived_by, bin, currency,
        exponent, at, n AS items, n * amount_minor AS amount_minor
    FROM ({{counted}}) counted WHERE at > now() - interval '{CUSTOMER_DAYS_KEPT}'
    UNION ALL
    SELECT c.alike, NULL, object_type, change, detail, arrived_by, bin, currency, exponent, {_DAY},
        sum(n), sum(n * amount_minor)
    FROM ({{counted}}) e JOIN (
        SELECT id, first_value(id) OVER (PARTITION BY erp_name, owner ORDER BY id) AS alike
        FROM connections_connection
    ) c ON c.id = e.connection_id
    WHERE at <= now() - interval '{CUSTOMER_DAYS_KEPT}'
    GROUP BY 1, 3, 4, 5, 6, 7, 8, 9, 10
"""  # noqa: S608  constants of this file
