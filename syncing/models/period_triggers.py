"""Triggers that count items by the month they belong to, in the transaction that moves the items.

What is under way counts as one standing from its arrival to Ramp's confirmation, so that most steps
of an item change no row here.
"""

import pgtrigger

STANDING = """
    CASE
        WHEN state = 'ACKED' THEN 'done'
        WHEN state IN ('EXTERNAL', 'WITHDRAWN') THEN 'aside'
        WHEN state IN ('POSTING', 'POSTED', 'ACKING') OR state = 'READY' AND error_category = ''
            THEN 'moving'
        WHEN state = 'READY' OR state = 'FAILED' AND error_category = 'transient' THEN 'retrying'
        WHEN state = 'FAILED' AND error_category = 'user_actionable' THEN 'customer'
        WHEN state = 'REVIEW' THEN 'uncertain'
        ELSE 'person'
    END
"""
"""Who has to move for an item, as `syncing.queries.words` says it, by state and category alone."""
BOOKED_ON = "coalesce(accounting_date, (ready_at AT TIME ZONE 'UTC')::date)"
"""The day that an item is booked on; without a date, the one it came in."""
PERIOD = f"""
    date_trunc('month', {BOOKED_ON})::date
"""
"""The first day of the month that an item is booked in."""
ENTITY = "coalesce(entity_ramp_id, '00000000-0000-0000-0000-000000000000')"

_OF = "connection_id, entity_ramp_id, period"
KEYS = f"{_OF}, standing, currency, exponent"


def by_period(rows: str) -> str:
    """The SELECT that gives each of some rows of items its place in the roll-up.

    :param rows: a table, or a transition table, of items
    """
    return f"""
        SELECT connection_id, {ENTITY} AS entity_ramp_id, {PERIOD} AS period,
            {STANDING} AS standing, currency, exponent, amount_minor
        FROM {rows}
    """  # noqa: S608  constants of this file


# A period has changed if another set of items is in it, or an amount differs, or something that
# was through is open again. That an item goes through is no change.
_COUNT = f"""
    WITH deltas AS (%s), counted AS (
        INSERT INTO syncing_periodcount ({KEYS}, items, amount_minor)
        SELECT {KEYS}, sum(n), sum(n * amount_minor)
        FROM deltas
        GROUP BY {KEYS}
        HAVING sum(n) <> 0 OR sum(n * amount_minor) <> 0
        ORDER BY {KEYS}
        ON CONFLICT ({KEYS}) DO UPDATE
        SET items = syncing_periodcount.items + excluded.items,
            amount_minor = syncing_periodcount.amount_minor + excluded.amount_minor
    )
    INSERT INTO syncing_periodchange ({_OF}, changes, changed_at)
    SELECT {_OF}, 1, now()
    FROM (
        SELECT {_OF}, sum(n) AS items, sum(n * amount_minor) AS minor,
            sum(n) FILTER (WHERE standing NOT IN ('done', 'aside')) AS opened
        FROM deltas
        GROUP BY {_OF}, currency, exponent
    ) moved
    GROUP BY {_OF}
    HAVING bool_or(items <> 0 OR minor <> 0) OR sum(opened) > 0
    ORDER BY {_OF}
    ON CONFLICT ({_OF}) DO UPDATE
    SET changes = syncing_periodchange.changes + 1, changed_at = excluded.changed_at;
    RETURN NULL;
"""  # noqa: S608  constants of this file
_NEW = f"SELECT *, 1 AS n FROM ({by_period('new_rows')}) new_ones"  # noqa: S608
_OLD = f"SELECT *, -1 AS n FROM ({by_period('old_rows')}) old_ones"  # noqa: S608


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, rows: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=pgtrigger.Func(_COUNT % rows),
    )


# By their names they come after the customer's other counts, always: one order of locks.
PERIOD_TRIGGERS = (
    _trigger("periods_of_inserts", pgtrigger.Insert, pgtrigger.Referencing(new="new_rows"), _NEW),
    _trigger(
        "periods_of_updates",
        pgtrigger.Update,
        pgtrigger.Referencing(new="new_rows", old="old_rows"),
        f"{_NEW} UNION ALL {_OLD}",
    ),
    _trigger("periods_of_deletes", pgtrigger.Delete, pgtrigger.Referencing(old="old_rows"), _OLD),
)
