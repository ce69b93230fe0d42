"""When a connection is due: one row each, changed by compare-and-set."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.models import Connection
from rampbridge.lib.backoff import full_jitter
from syncing import circuit
from syncing.claims import FRESH_SECONDS
from syncing.classifier import RAMP_REFUSES, ErrorCategory, SyncFailure
from syncing.models import Schedule
from syncing.reports import FAILURE_WAITS, SUCCESS_WAITS, UNTOLD_WAITS
from syncing.statements import execute, rows

POLL_LEASE_SECONDS = 180
RING_AGAIN_SECONDS = 5
"""A doorbell that brought nothing by then was lost, or its queue is long: ring again."""
_REFRESH_PAUSE = timedelta(minutes=1)
"""Between pulls for the sake of old snapshots, in case Ramp's list does not have them."""


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
        {"again": RING_AGAIN_SECONDS, "limit": limit, "ramp_refuses": sorted(RAMP_REFUSES)},
    )
    return [Due(*row) for row in due]


_RING = f"""
    WITH state AS (
        SELECT s.connection_id, s.rung_at,
            c.stage = 'live' AND (s.poll_lease_until IS NULL OR s.poll_lease_until < now())
                AND (s.next_poll_at <= now() OR s.fetch_due_at <= now()) AS poll,
            c.stage = 'live' AND (s.work_lease_until IS NULL OR s.work_lease_until < now())
                AND (s.resume_at IS NULL OR s.resume_at <= now())
                AND s.blocked_code <> ALL(%(ramp_refuses)s)
                AND (EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.state = 'READY' AND i.due_at <= now())
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


@dataclass(slots=True)
class PollLease:
    """A connection in a poller's hands."""

    connection_id: uuid.UUID
    token: uuid.UUID
    began_at: datetime
    """By the database's clock; what rang until then is being answered."""
    is_over: bool = False

    def keep(self) -> bool:
        """Extend the lease. False if it was lost: stop."""
        return bool(
            execute(
                "UPDATE syncing_schedule SET poll_lease_until = now() + %s * interval '1s'"
                " WHERE connection_id = %s AND poll_lease = %s",
                [POLL_LEASE_SECONDS, self.connection_id, self.token],
            )
        )

    def pull_done(self, *, next_in: timedelta) -> None:
        """Plan the next poll after a complete pull, lift a block on Ramp's side; end the lease."""
        execute(
            f"""
            UPDATE syncing_schedule s
            SET last_poll_at = now(), next_poll_at = now() + %s, {circuit.RAMP_LISTED},
                poll_lease = NULL, poll_lease_until = NULL
            WHERE connection_id = %s AND poll_lease = %s
            """,  # noqa: S608  a constant of this program
            [next_in, self.connection_id, self.token],
        )
        self.is_over = True

    def give_back(self) -> None:
        """Let the next one pull."""
        execute(
            "UPDATE syncing_schedule SET poll_lease = NULL, poll_lease_until = NULL"
            " WHERE connection_id = %s AND poll_lease = %s",
            [self.connection_id, self.token],
        )
        self.is_over = True


@contextmanager
def only_poller(connection: Connection) -> Iterator[PollLease | None]:
    """Hold a connection's poll lease (fault P4). None if another worker is pulling.

    What rang so far is being answered; a webhook from now on rings anew. If this worker dies, the
    next pull is due when its lease is over (fault P1).
    """
    token = uuid.uuid4()
    taken = rows(
        """
        UPDATE syncing_schedule
        SET poll_lease = %(token)s, poll_lease_until = now() + %(seconds)s * interval '1s',
            fetch_due_at = NULL, last_pull_started_at = now(),
            next_poll_at = now() + %(seconds)s * interval '1s'
        WHERE connection_id = %(connection)s
          AND (poll_lease_until IS NULL OR poll_lease_until < now())
        RETURNING now()
        """,
        {"token": token, "seconds": POLL_LEASE_SECONDS, "connection": connection.pk},
    )
    if not taken:
        yield None
        return
    lease = PollLease(connection.pk, token, began_at=taken[0][0])
    try:
        yield lease
    finally:
        if not lease.is_over:
            lease.give_back()


def pull_failed(connection: Connection, failure: SyncFailure, *, jitter: float) -> None:
    """Plan the next try after a pull that broke off; say so if a person must act."""
    failures = Schedule.objects.values_list("poll_failures", flat=True).get(pk=connection.pk)
    if failure.category is ErrorCategory.TRANSIENT:
        wait = full_jitter(
            failures + 1,
            base=timedelta(seconds=2),
            ceiling=timedelta(seconds=64),
            minimum=timedelta(seconds=failure.retry_after or 1),
            jitter=jitter,
        )
    else:
        wait = circuit.PATIENCE
        circuit.block(connection.pk, failure, side=circuit.RAMP)
    execute(
        "UPDATE syncing_schedule SET poll_failures = poll_failures + 1, fetch_due_at = NULL,"
        " next_poll_at = now() + %s WHERE connection_id = %s",
        [wait, connection.pk],
    )


def fetch_soon(connection_id: uuid.UUID, *, wait: timedelta = timedelta(0)) -> None:
    """Ask for a pull without waiting for the poll; an earlier wish stands."""
    execute(
        "UPDATE syncing_schedule SET fetch_due_at = least(fetch_due_at, now() + %s),"
        " rung_at = NULL WHERE connection_id = %s",
        [wait, connection_id],
    )


def refresh_old_snapshots(connection_id: uuid.UUID) -> None:
    """Ask for a pull if due items were read so long ago that they must not be posted (rule 7)."""
    execute(
        """
        UPDATE syncing_schedule s
        SET fetch_due_at = least(fetch_due_at, greatest(now(), last_pull_started_at + %s))
        WHERE connection_id = %s AND EXISTS (
            SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
            AND i.state = 'READY' AND i.due_at <= now()
            AND i.snapshot_at <= now() - %s * interval '1s')
        """,
        [_REFRESH_PAUSE, connection_id, FRESH_SECONDS],
    )


def work_soon(connection_id: uuid.UUID) -> None:
    """Let the next sweep ring for the connection at once."""
    Schedule.objects.filter(pk=connection_id).update(rung_at=None)


def poll_is_due(connection: Connection) -> bool:
    """Whether the poll or a webhook's wish is due, by the database's clock."""
    found = rows(
        "SELECT 1 FROM syncing_schedule WHERE connection_id = %s"
        " AND (next_poll_at <= now() OR fetch_due_at <= now())",
        [connection.pk],
    )
    return bool(found)


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
