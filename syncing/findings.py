"""What the daily comparison finds becomes the state of an item and a line of its timeline.

One statement per kind of finding and chunk. Each guards the state it was found in, so that an item
that moved on meanwhile is left alone. Each returns the ids that it changed.
"""

import uuid
from collections.abc import Mapping, Sequence

from syncing import releases
from syncing.statements import rows, storable

BOOKED_OTHERWISE = "erp.booked_otherwise"
CHANGED_IN_RAMP = "ramp.changed_after_posting"


def disagree(
    found: Mapping[int, str], *, code: str, seen: Mapping[int, str] | None = None
) -> list[int]:
    """Reported items whose two sides no longer agree: a person decides (faults X22, X25).

    Nothing is posted again by itself, for the difference may be somebody's intention. The very
    difference that a person has accepted (`syncing.settling.disagreements`) is not raised again.

    :param seen: what tells apart differences of the same words, such as a digest of the content
    """
    seen = seen or {}
    return _ids(
        """
        WITH found AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(seen)s::text[])
                AS f(id, reason, seen)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'MISMATCH', state_at = now(), due_at = NULL, error_at = now(),
                error_category = 'needs_integrator', error_origin = split_part(%(code)s, '.', 1),
                error_code = %(code)s, error_title = f.reason, error_fix = '', error_text = '',
                error_detail = f.seen
            FROM found f WHERE i.id = f.id AND i.state = 'ACKED' AND NOT EXISTS (
                SELECT FROM syncing_settlement s WHERE s.item_id = f.id AND s.act = 'agree'
                AND s.state = 'done' AND s.about = left(concat_ws(' ', %(code)s, f.reason,
                                                                  nullif(f.seen, '')), 400))
            RETURNING i.id, f.reason
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'reconciled', reason, jsonb_build_object('code', %(code)s), ''
        FROM moved ORDER BY id RETURNING item_id
        """,
        {
            "ids": list(found),
            "reasons": [storable(reason)[:300] for reason in found.values()],
            "seen": [seen.get(item_id, "") for item_id in found],
            "code": code,
        },
    )


def renumber(found: Mapping[int, tuple[str, str]]) -> list[int]:
    """Documents that the ERP has given another number: ours follows, for people search by it.

    :param found: number so far and number now, by item
    """
    return _ids(
        """
        WITH found AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(before)s::text[], %(after)s::text[])
                AS f(id, before, after)
        ), moved AS (
            UPDATE syncing_syncitem i SET erp_number = f.after
            FROM found f WHERE i.id = f.id AND i.erp_number = f.before
            RETURNING i.id, f.before, f.after
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'reconciled', 'The ERP has renumbered it from ' || before || ' to '
            || after || '.', '{}', ''
        FROM moved ORDER BY id RETURNING item_id
        """,
        {
            "ids": list(found),
            "before": [before for before, _ in found.values()],
            "after": [storable(after)[:100] for _, after in found.values()],
        },
    )


def synced_outside(connection_id: uuid.UUID, object_type: str, ids: Sequence[uuid.UUID]) -> int:
    """Items that Ramp has as synced, though nothing was sent for them (R-65)."""
    moved = _ids(
        f"""
        WITH moved AS (
            UPDATE syncing_syncitem i
            SET state = 'EXTERNAL', state_at = now(), due_at = NULL, blocked_by = '',
                error_category = '', error_origin = '', error_code = '', error_title = '',
                error_fix = '', error_text = '', error_detail = '', failure_telling =
                    CASE WHEN failure_telling = 'sending' THEN 'sending' ELSE '' END
            WHERE connection_id = %(connection)s AND object_type = %(type)s
              AND ramp_id = ANY(%(ids)s) AND state IN ('READY', 'FAILED', 'WITHDRAWN')
            RETURNING id, connection_id, object_type, ramp_id
        ), {releases.PAYMENTS_OF_MOVED}
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'external', %(why)s, '{{}}', '' FROM moved ORDER BY id RETURNING item_id
        """,  # noqa: S608  a constant of this program
        {"connection": connection_id, "type": object_type, "ids": list(ids), "why": SYNCED_OUTSIDE},
    )
    return len(moved)


SYNCED_OUTSIDE = (
    "Ramp has it as synced, and it was not posted by rampbridge: the Export button,"
    " or another tool. Found by the daily comparison."
)


def note_unreported(connection_id: uuid.UUID, *, after_hours: int) -> int:
    """Items that have been in the ERP for hours and are not reported yet get a line that says so.

    At most one line a day each: what keeps the report stands on its batch.
    """
    return len(
        _ids(
            """
            WITH late AS (
                SELECT i.id, i.erp_number, i.posted_at, coalesce(b.problem, '') AS problem
                FROM syncing_syncitem i LEFT JOIN syncing_ackbatch b ON b.id = i.ack_batch_id
                WHERE i.connection_id = %(connection)s AND i.state IN ('POSTED', 'ACKING')
                  AND i.posted_at < now() - %(hours)s * interval '1 hour'
                  AND NOT EXISTS (
                    SELECT FROM syncing_itemevent e WHERE e.item_id = i.id
                    AND e.kind = 'reconciled' AND e.at > now() - interval '20 hours')
                ORDER BY i.id LIMIT 1000
            )
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT id, now(), 'reconciled', 'It has been in the ERP as ' || erp_number || ' since '
                || to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
                || ' UTC, and Ramp has not been told yet. ' || problem, '{}', ''
            FROM late ORDER BY id RETURNING item_id
            """,
            {"connection": connection_id, "hours": after_hours},
        )
    )


def _ids(sql: str, params: Mapping[str, object]) -> list[int]:
    return [item_id for (item_id,) in rows(sql, params)]
