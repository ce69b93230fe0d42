"""Counters of what items do. The items' own triggers count it, in the items' transaction.

What they have written lies in entries until it is folded into buckets; the same statement adds it
to the figures since the beginning. So reading both gives numbers that never go back, although
entries vanish and old buckets are thinned out.
"""

from rampbridge.lib.meters import Counter, Durations
from syncing.latency_bins import BOUNDS

TRANSITIONS = Counter(
    "item_transitions", "Steps of items from one state to another.", ("from", "to", "object_type")
)
LATENCY = Durations(
    "sync_latency_seconds",
    "From ready in Ramp to confirmed by Ramp, by what told us of the object first.",
    ("object_type", "path"),
    bounds=BOUNDS,
)
FAILED = Counter("failed_syncs", "Items that failed, by whose move it is.", ("category", "adapter"))
EXTERNAL = Counter("externally_synced", "Items that somebody else marked as synced in Ramp.")

ALL = (TRANSITIONS, LATENCY, FAILED, EXTERNAL)

AS_FIGURES = """
    SELECT figure.name, figure.labels, figure.part, sum(e.items)::float8 AS value
    FROM {entries} e
    JOIN connections_connection c ON c.id = e.connection_id
    CROSS JOIN LATERAL (VALUES
        (e.change = 'moved', 'item_transitions', jsonb_build_array(
            split_part(e.detail, '>', 1), split_part(e.detail, '>', 2), e.object_type), ''),
        (e.change = 'done', 'sync_latency_seconds',
            jsonb_build_array(e.object_type, e.arrived_by), e.bin::text),
        (e.change = 'failed', 'failed_syncs', jsonb_build_array(e.detail, c.erp_kind), ''),
        (e.change = 'external', 'externally_synced', '[]'::jsonb, '')
    ) AS figure(is_counted, name, labels, part)
    WHERE figure.is_counted AND e.items > 0
    GROUP BY figure.name, figure.labels, figure.part
"""
"""Entries as lines of `Meter`. What is taken off again, as an item was deleted or its times were
put right, did happen, and stays counted."""

KEEP = f"""
    INSERT INTO rampbridge_meter AS m (name, labels, part, value)
    {AS_FIGURES.format(entries="source")}
    ORDER BY figure.name, figure.labels, figure.part
    ON CONFLICT (name, labels, part) DO UPDATE SET value = m.value + excluded.value
"""
"""Adds what is being folded, as `source`, to the figures since the beginning."""
