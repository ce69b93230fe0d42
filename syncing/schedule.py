"""When a connection is due: one row each, changed by compare-and-set."""

import uuid
from dataclasses import dataclass

from syncing import pauses, silent_hosts
from syncing.claims import TYPES
from syncing.classifier import RAMP_REFUSES
from syncing.poll_schedule import IS_DUE
from syncing.reports import FAILURE_WAITS, SUCCESS_WAITS, UNTOLD_WAITS
from syncing.statements import execute, rows

RING_AGAIN_SECONDS = 5
"""A doorbell that brought nothing by then was lost, or its queue is long: ring again."""

WORKERS_KEPT_DAYS = 7


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


def _some_item(condition: str, *, in_order_of: str) -> str:
    """SQL: whether the connection `s` has an item `i` of which that is true.

    Reads one entry of an index, however many items there are and whoever has them. PostgreSQL would
    rather read the table until it meets one, which for a customer without any is all of it; or read
    all such items of all customers once. The order, an index's own, keeps it from the first, and
    OFFSET from the second.
    """
    return (
        "EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id"
        f" AND ({condition}) ORDER BY {in_order_of} OFFSET 0)"
    )


def _pause(condition: str) -> str:
    """SQL: whether the connection `s` has a pause `p` of which that is true."""
    return (
        "EXISTS (SELECT FROM syncing_pause p WHERE p.connection_id = s.connection_id"
        f" AND {condition})"
    )


_DUE_ITEM = "i.state = 'READY' AND i.due_at <= now()"
_LOST = "i.state = 'POSTING' AND i.may_be_in_erp_until < now()"
_LOOK_AGAIN = "i.state = 'FAILED' AND i.due_at <= now()"
_ALL_PAUSED = "p.object_type = '' AND p.resumed_at IS NULL"
# Where a type is paused each type is asked for by itself, so that its queue is not looked through.
_HAS_DUE_ITEMS = f"""
    CASE WHEN {_pause("p.resumed_at IS NULL")}
    THEN EXISTS (
        SELECT FROM unnest(%(types)s::text[]) AS t(object_type)
        WHERE (NOT {_pause(pauses.BLOCKS)}
            OR {_pause(f"p.object_type = t.object_type AND {pauses.CANARY_IS_DUE}")}
            AND NOT {_pause(_ALL_PAUSED)}
            OR {_pause(f"p.object_type = '' AND {pauses.CANARY_IS_DUE}")}
            AND NOT {_pause("p.object_type = t.object_type AND p.resumed_at IS NULL")})
        AND {_some_item(f"i.object_type = t.object_type AND {_DUE_ITEM}", in_order_of="i.due_at")})
    ELSE {
    _some_item(
        f"i.object_type = ANY(%(types)s) AND {_DUE_ITEM}",
        in_order_of="i.object_type, i.due_at",
    )
} END
"""

_RING = f"""
    WITH state AS (
        SELECT s.connection_id, s.rung_at,
            c.stage = 'live' AND ({IS_DUE}) AS poll,
            c.stage = 'live' AND (s.work_lease_until IS NULL OR s.work_lease_until < now())
                AND (s.resume_at IS NULL OR s.resume_at <= now())
                AND s.blocked_code <> ALL(%(ramp_refuses)s)
                AND ({_HAS_DUE_ITEMS} OR {
    _some_item(_LOST, in_order_of="i.may_be_in_erp_until")
}) AND NOT {silent_hosts.IS_TAKEN} AS work,
            c.stage IN ('live', 'paused')
                AND ({_some_item(SUCCESS_WAITS, in_order_of="i.object_type, i.id")}
                  OR {_some_item(UNTOLD_WAITS, in_order_of="i.object_type, i.id")}
                  OR {_some_item(FAILURE_WAITS, in_order_of="i.id")}
                  OR {_some_item("i.reack_due", in_order_of="i.id")}
                  OR EXISTS (SELECT FROM syncing_ackbatch b WHERE b.connection_id = s.connection_id
                             AND b.state = 'open' AND b.due_at <= now() OFFSET 0)) AS report,
            c.stage = 'live'
                AND (s.resume_at IS NULL OR s.resume_at <= now())
                AND {_some_item(_LOOK_AGAIN, in_order_of="i.due_at")}
                AND NOT {silent_hosts.is_silent("s.connection_id")} AS recheck
        FROM syncing_schedule s JOIN connections_connection c ON c.id = s.connection_id
        WHERE s.rung_at IS NULL OR s.rung_at < now() - %(again)s * interval '1s'
    ), due AS (
        SELECT * FROM state WHERE poll OR work OR report OR recheck
        ORDER BY rung_at NULLS FIRST LIMIT %(limit)s
    ), held AS (  -- in one order, or two beats would each wait for what the other holds (fault I3)
        SELECT s.connection_id FROM syncing_schedule s JOIN due USING (connection_id)
        ORDER BY s.connection_id FOR UPDATE OF s
    ), rung AS (
        UPDATE syncing_schedule s SET rung_at = now()
        FROM held WHERE s.connection_id = held.connection_id
            -- once more, for a second beat may have rung while this one waited for the row
            AND (s.rung_at IS NULL OR s.rung_at < now() - %(again)s * interval '1s')
        RETURNING s.connection_id
    )
    SELECT connection_id, poll, work, report, recheck FROM due JOIN rung USING (connection_id)
"""  # noqa: S608  constants of this program


def work_soon(connection_id: uuid.UUID) -> bool:
    """Let the next sweep ring for the connection, behind all that have waited longer (S1).

    Returns whether any item is due.
    """
    found = rows(
        f"""
        UPDATE syncing_schedule s SET rung_at = least(rung_at, now() - %(ago)s * interval '1s')
        WHERE connection_id = %(connection)s RETURNING {_HAS_DUE_ITEMS}
        """,  # noqa: S608  constants of this program
        {"ago": RING_AGAIN_SECONDS + 1, "connection": connection_id, "types": list(TYPES)},
    )
    return found == [(True,)]


def forget_workers() -> int:
    """Drop the beats of workers that are long gone; each process leaves one. The newest stays, for
    how old it is says that no worker is left."""
    return execute(
        "DELETE FROM syncing_workerbeat WHERE beat_at <"
        " (SELECT max(beat_at) FROM syncing_workerbeat) - %s * interval '1 day'",
        [WORKERS_KEPT_DAYS],
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
