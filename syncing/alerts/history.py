"""What was measured, kept by five minutes for a month: a preview is made of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from syncing.alert_kinds import KINDS, Reading
from syncing.models import AlertHour
from syncing.statements import as_json, execute

KEPT = timedelta(days=31)
SLOT = timedelta(minutes=5)
SLOTS = 12
"""Of an hour."""


def keep(readings: Mapping[str, Sequence[Reading]], *, now: datetime) -> int:
    """Write down what is worth it; one statement. Returns how many readings that were."""
    worth = [
        (key, reading)
        for key, found in readings.items()
        for reading in found
        if not KINDS[key].is_worse(KINDS[key].keep_from, reading.value)
    ]
    if not worth:
        return 0
    slot = now.minute * 60 // int(SLOT.total_seconds())
    return execute(
        """
        INSERT INTO syncing_alerthour AS kept (kind, subject, name, at, "values", worst, facts)
        SELECT kind, subject, name, %(hour)s,
            jsonb_set(%(nothing)s::jsonb, ARRAY[%(slot)s], to_jsonb(value)), value, facts::jsonb
        FROM unnest(%(kinds)s::text[], %(subjects)s::text[], %(names)s::text[],
                    %(values)s::float8[], %(facts)s::text[]) AS r(kind, subject, name, value, facts)
        ORDER BY kind, subject
        ON CONFLICT (kind, subject, at) DO UPDATE
        SET "values" = jsonb_set(kept."values", ARRAY[%(slot)s], to_jsonb(excluded.worst)),
            worst = CASE WHEN excluded.kind = ANY(%(falling)s)
                THEN least(kept.worst, excluded.worst)
                ELSE greatest(kept.worst, excluded.worst) END,
            facts = excluded.facts, name = excluded.name
        """,
        {
            "hour": now.replace(minute=0, second=0, microsecond=0),
            "slot": str(slot),
            "nothing": as_json([None] * SLOTS),
            "kinds": [key for key, _ in worth],
            "subjects": [reading.subject for _, reading in worth],
            "names": [reading.name[:200] for _, reading in worth],
            "values": [reading.value for _, reading in worth],
            "facts": [as_json(dict(reading.facts)) for _, reading in worth],
            "falling": [key for key, kind in KINDS.items() if kind.is_falling],
        },
    )


def thin(*, now: datetime) -> int:
    """Forget what is older than a month."""
    return AlertHour.objects.filter(at__lt=now - KEPT).delete()[0]
