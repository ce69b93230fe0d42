"""When a connection is due: one row each, changed by compare-and-set."""

import uuid
from dataclasses import dataclass

from syncing import pauses
from syncing.claims import TYPES
from syncing.classifier import RAMP_REFUSES
from syncing.poll_schedule import IS_DUE
from syncing.reports import FAILURE_WAITS, SUCCESS_WAITS, UNTOLD_WAITS
from syncing.statements import execute, rows

RING_AGAIN_SECONDS = 5
"""A doorbell that brought nothing by then was lost, or its queue is long: ring again."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a connection has to do now."""

    connection_id: uuid.UUID
    poll: bool
    work: bool
    report: bool
    recheck: bool


def ring(limit: int = 500) -> list[Due]:
    """Mark and return the connections that have something to do, the longest waiting first.

    Each is returned at most once in five seconds, so a slow queue does not fill with repeats.
    """
    due = rows(
        _RING,
        {
            "again": RING_AGAIN_SECONDS,
            "limit": limit,
            "ramp_refuses": sorted(RAMP_REFUSES),
            "types": list(TYPES),
        },
    )
    return [Due(*row) for row in due]


# Each EXISTS reads one entry of an index, however long a queue is: so it must also where a type
# is paused, whose entries a plain look would go through one by one.
_HAS_DUE_ITEMS = f"""
    CASE WHEN EXISTS (SELECT FROM syncing_pause p
                      WHERE p.connection_id = s.connection_id AND p.resumed_at IS NULL)
    THEN EXISTS (
        SELECT FROM unnest(%(types)s::text[]) AS t(object_type)
        WHERE (NOT EXISTS (SELECT FROM syncing_pause p
                           WHERE p.connection_id = s.connection_id AND {pauses.BLOCKS})
            OR EXISTS (SELECT FROM syncing_pause p WHERE p.connection_id = s.connection_id
                       AND p.object_type = t.object_type AND {pauses.CANARY_IS_DUE})
            AND NOT EXISTS (SELECT FROM syncing_pause p WHERE p.connection_id = s.connection_id
                            AND p.object_type = '' AND p.resumed_at IS NULL))
        AND EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                    AND i.object_type = t.object_type AND i.state = 'READY' AND i.due_at <= now()))
    ELSE EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                 AND i.object_type = ANY(%(types)s) AND i.state = 'READY' AND i.due_at <= now())
    END
"""  # noqa: S608  constants of this program

_RING = f"""
    WITH state AS (
        SELECT s.connection_id, s.rung_at,
            c.stage = 'live' AND ({IS_DUE}) AS poll,
            c.stage = 'live' AND (s.work_lease_until IS NULL OR s.work_lease_until < now())
                AND (s.resume_at IS NULL OR s.resume_at <= now())
                AND s.blocked_code <> ALL(%(ramp_refuses)s)
                AND ({_HAS_DUE_ITEMS}
                  OR EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.state = 'POSTING' AND i.may_be_in_erp_until < now())) AS work,
            c.stage IN ('live', 'paused')
                AND (EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND {SUCCESS_WAITS})
                  OR EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND {UNTOLD_WAITS})
                  OR EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND {FAILURE_WAITS})
                  OR EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.reack_due)
                  OR EXISTS (SELECT FROM syncing_ackbatch b WHERE b.connection_id = s.connection_id
                             AND b.state = 'open' AND b.due_at <= now())) AS report,
            c.stage = 'live'
                AND (s.resume_at IS NULL OR s.resume_at <= now())
                AND EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                            AND i.state = 'FAILED' AND i.due_at <= now()) AS recheck
        FROM syncing_schedule s JOIN connections_connection c ON c.id = s.connection_id
        WHERE s.rung_at IS NULL OR s.rung_at < now() - %(again)s * interval '1s'
    ), due AS (
        SELECT * FROM state WHERE poll OR work OR report OR recheck
        ORDER BY rung_at NULLS FIRST LIMIT %(limit)s
    ), rung AS (
        UPDATE syncing_schedule s SET rung_at = now()
        FROM due WHERE s.connection_id = due.connection_id
            -- once more, for a second beat may have rung while this one waited for the row
            AND (s.rung_at IS NULL OR s.rung_at < now() - %(again)s * interval '1s')
        RETURNING s.connection_id
    )
    SELECT connection_id, poll, work, report, recheck FROM due JOIN rung USING (connection_id)
"""  # noqa: S608  constants of this program


def work_soon(connection_id: uuid.UUID) -> None:
    """Let the next sweep ring for the connection, behind all that have waited longer (S1)."""
    execute(
        "UPDATE syncing_schedule SET rung_at = least(rung_at, now() - %s * interval '1s')"
        " WHERE connection_id = %s",
        [RING_AGAIN_SECONDS + 1, connection_id],
    )


def progress(worker: str, *, doorbells: int = 1) -> None:
    """Write a worker's progress beat: it has just finished a doorbell, or several (fault I2)."""
    execute(
        """
        INSERT INTO syncing_workerbeat AS beat (worker, beat_at, started_at, tasks)
        VALUES (%s, now(), now(), %s)
        ON CONFLICT (worker) DO UPDATE SET beat_at = now(), tasks = beat.tasks + excluded.tasks
        """,
        [worker, doorbells],
    )
