"""Triggers that count what comes and goes, by the minute, in the transaction that moves the items.

Arrivals and what is done are counted by the item's own times, so that they always equal the lists
of these times; when a time, an amount or an entity changes, the old is taken off. Failures and
the other steps are events and are counted as they happen.
"""

import pgtrigger

from syncing.latency_bins import SQL_BOUNDS

ENTRY_KEYS = (
    "connection_id, entity_ramp_id, object_type, change, detail, arrived_by, bin, currency,"
    " exponent, at"
)
FIRST_TRY = (
    "CASE WHEN i.attempts <= 1 AND NOT EXISTS (SELECT FROM syncing_occurrence o"
    " WHERE o.item_id = i.id) THEN 'first' ELSE 'again' END"
)
LATENCY_BIN = f"width_bucket(extract(epoch FROM i.acked_at - i.ready_at)::float8, {SQL_BOUNDS})"


def _minute(column: str) -> str:
    return f"date_trunc('minute', {column}, 'UTC')"


def by_their_times(rows: str, n: int, *, arrived: str = "true", done: str = "true") -> str:
    """The SELECT of what arrived and what is done in some rows of items.

    :param rows: a table, or a transition table, of items
    :param n: 1 to count them, -1 to take them off
    :param arrived: a condition of item `i` for its arrival to count
    :param done: as `arrived`, for its end
    """
    of_item = "i.connection_id, i.entity_ramp_id, i.object_type"
    return f"""
        SELECT {of_item}, 'arrived' AS change, '' AS detail, i.arrived_by, -1 AS bin, i.currency,
            i.exponent, {_minute("i.ready_at")} AS at, i.amount_minor, {n} AS n
        FROM {rows} i WHERE {arrived}
        UNION ALL
        SELECT {of_item}, 'done', {FIRST_TRY}, i.arrived_by, {LATENCY_BIN}, i.currency,
            i.exponent, {_minute("i.acked_at")}, i.amount_minor, {n}
        FROM {rows} i WHERE i.state = 'ACKED' AND i.acked_at IS NOT NULL AND ({done})
    """  # noqa: S608  constants of this file


_STEPS = f"""
    SELECT n.connection_id, n.entity_ramp_id, n.object_type, lower(n.state) AS change,
        CASE WHEN n.state = 'FAILED' THEN n.error_category ELSE '' END AS detail,
        '' AS arrived_by, -1 AS bin, n.currency, n.exponent,
        {_minute("n.state_at")} AS at, n.amount_minor, 1 AS n
    FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE n.state <> o.state
      AND n.state IN ('FAILED', 'REVIEW', 'EXTERNAL', 'WITHDRAWN', 'MISMATCH')
    UNION ALL
    SELECT n.connection_id, NULL, n.object_type, 'moved', o.state || '>' || n.state, '', -1, '', 0,
        {_minute("n.state_at")}, 0, 1
    FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE n.state <> o.state
"""  # noqa: S608  constants of this file

_INSERT = f"""
    INSERT INTO syncing_flowentry ({ENTRY_KEYS}, items, amount_minor)
    SELECT {ENTRY_KEYS}, sum(n), sum(n * amount_minor)
    FROM (%s) counted
    GROUP BY {ENTRY_KEYS}
    HAVING sum(n) <> 0 OR sum(n * amount_minor) <> 0;
"""  # noqa: S608  constants of this file

# Most statements move items from one step to the next and change none of what is counted by time.
_IS_RETIMED = """
    SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE n.ready_at <> o.ready_at OR n.acked_at IS DISTINCT FROM o.acked_at
       OR (n.state = 'ACKED') <> (o.state = 'ACKED')
       OR n.amount_minor <> o.amount_minor OR n.currency <> o.currency
       OR n.exponent <> o.exponent OR n.entity_ramp_id IS DISTINCT FROM o.entity_ramp_id
       OR n.attempts <> o.attempts AND n.state = 'ACKED'
"""
_MOVED = """
    SELECT FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.state <> o.state
"""


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, body: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=pgtrigger.Func(f"{body} RETURN NULL;"),
    )


# Their names come before those of the error triggers, and so do they: whether an item went through
# at the first try is looked up before this statement's own failure is filed.
FLOW_TRIGGERS = (
    _trigger(
        "buckets_of_inserts",
        pgtrigger.Insert,
        pgtrigger.Referencing(new="new_rows"),
        _INSERT % by_their_times("new_rows", 1),
    ),
    _trigger(
        "buckets_of_updates",
        pgtrigger.Update,
        pgtrigger.Referencing(new="new_rows", old="old_rows"),
        f"IF EXISTS ({_IS_RETIMED}) THEN "
        + _INSERT % f"{by_their_times('new_rows', 1)} UNION ALL {by_their_times('old_rows', -1)}"
        + f" END IF; IF EXISTS ({_MOVED}) THEN {_INSERT % _STEPS} END IF;",
    ),
    _trigger(
        "buckets_of_deletes",
        pgtrigger.Delete,
        pgtrigger.Referencing(old="old_rows"),
        _INSERT % by_their_times("old_rows", -1),
    ),
)
