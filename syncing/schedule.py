"""When a connection is due, and what stops it: one row each, changed by compare-and-set."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection as database
from django.db.models.functions import Now

from connections.models import Connection
from rampbridge.lib.backoff import full_jitter
from syncing.classifier import ErrorCategory, SyncFailure
from syncing.models import Schedule

POLL_LEASE_SECONDS = 180
RING_AGAIN_SECONDS = 5
"""A doorbell that brought nothing by then was lost, or its queue is long: ring again."""
_PATIENCE = timedelta(minutes=15)
"""Between tries when only a person can lift a block. Some ERPs lock out who knocks more often."""


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
    with database.cursor() as cursor:
        cursor.execute(_RING, {"again": RING_AGAIN_SECONDS, "limit": limit})
        return [Due(*row) for row in cursor.fetchall()]


_RING = """
    WITH state AS (
        SELECT s.connection_id, s.rung_at,
            c.stage = 'live' AND (s.poll_lease_until IS NULL OR s.poll_lease_until < now())
                AND (s.next_poll_at <= now() OR s.fetch_due_at <= now()) AS poll,
            c.stage = 'live' AND (s.work_lease_until IS NULL OR s.work_lease_until < now())
                AND (s.resume_at IS NULL OR s.resume_at <= now())
                AND (EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.state = 'READY' AND i.due_at <= now())
                  OR EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.state = 'POSTING' AND i.may_be_in_erp_until < now())) AS work,
            c.stage IN ('live', 'paused')
                AND (EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.state = 'POSTED')
                  OR EXISTS (SELECT FROM syncing_syncitem i WHERE i.connection_id = s.connection_id
                             AND i.failure_telling = 'due')
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
        FROM due WHERE s.connection_id = due.connection_id RETURNING s.connection_id
    )
    SELECT connection_id, poll, work, report, recheck FROM due JOIN rung USING (connection_id)
"""


@contextmanager
def only_poller(connection: Connection) -> Iterator[bool]:
    """Hold a connection's poll lease (fault P4). False if another worker is pulling."""
    token = uuid.uuid4()
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE syncing_schedule
            SET poll_lease = %s, poll_lease_until = now() + %s * interval '1s'
            WHERE connection_id = %s AND (poll_lease_until IS NULL OR poll_lease_until < now())
            """,
            [token, POLL_LEASE_SECONDS, connection.pk],
        )
        held = cursor.rowcount == 1
    try:
        yield held
    finally:
        Schedule.objects.filter(pk=connection.pk, poll_lease=token).update(
            poll_lease=None, poll_lease_until=None
        )


def begin_pull(connection: Connection) -> None:
    """Take note that what rang so far is being answered; a webhook from now on rings anew."""
    Schedule.objects.filter(pk=connection.pk).update(fetch_due_at=None, last_pull_started_at=Now())


def pull_done(connection: Connection, *, next_in: timedelta) -> None:
    """Plan the next poll after a complete pull, and lift a block on Ramp's side."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE syncing_schedule
            SET last_poll_at = now(), poll_failures = 0, next_poll_at = now() + %s,
                blocked_at = CASE WHEN blocked_side = 'ramp' THEN NULL ELSE blocked_at END,
                blocked_code = CASE WHEN blocked_side = 'ramp' THEN '' ELSE blocked_code END,
                blocked_title = CASE WHEN blocked_side = 'ramp' THEN '' ELSE blocked_title END,
                blocked_fix = CASE WHEN blocked_side = 'ramp' THEN '' ELSE blocked_fix END,
                blocked_side = CASE WHEN blocked_side = 'ramp' THEN '' ELSE blocked_side END
            WHERE connection_id = %s
            """,
            [next_in, connection.pk],
        )


def pull_failed(connection: Connection, failure: SyncFailure, *, jitter: float) -> None:
    """Plan the next try after a pull that broke off; say so on the connection if a person must act."""
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
        wait = _PATIENCE
        block(connection, failure, side="ramp")
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE syncing_schedule SET poll_failures = poll_failures + 1, fetch_due_at = NULL,"
            " next_poll_at = now() + %s WHERE connection_id = %s",
            [wait, connection.pk],
        )


def fetch_soon(connection_id: uuid.UUID, *, wait: timedelta = timedelta(0)) -> None:
    """Ask for a pull without waiting for the poll; an earlier wish stands."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE syncing_schedule SET fetch_due_at = least(fetch_due_at, now() + %s),"
            " rung_at = NULL WHERE connection_id = %s",
            [wait, connection_id],
        )


def work_soon(connection_id: uuid.UUID) -> None:
    """Let the next sweep ring for the connection at once."""
    Schedule.objects.filter(pk=connection_id).update(rung_at=None)


def erp_answered(connection: Connection) -> None:
    """The ERP booked something: close the circuit and lift a block on its side."""
    Schedule.objects.filter(pk=connection.pk).exclude(erp_failures=0, resume_at=None).update(
        erp_failures=0, resume_at=None
    )
    Schedule.objects.filter(pk=connection.pk, blocked_side="erp").update(**_UNBLOCKED)


def erp_stopped(connection: Connection, failure: SyncFailure, *, jitter: float) -> float:
    """Open the circuit: nothing is posted until it is time to probe (faults X15 to X17).

    Returns the seconds until then.
    """
    failures = Schedule.objects.values_list("erp_failures", flat=True).get(pk=connection.pk) + 1
    if failure.category is ErrorCategory.TRANSIENT:
        wait = full_jitter(
            failures,
            base=timedelta(seconds=2),
            ceiling=timedelta(seconds=60),
            minimum=timedelta(seconds=failure.retry_after or 1),
            jitter=jitter,
        )
    else:
        wait = _PATIENCE
        block(connection, failure, side="erp")
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE syncing_schedule SET erp_failures = %s, resume_at = now() + %s"
            " WHERE connection_id = %s",
            [failures, wait, connection.pk],
        )
    return wait.total_seconds()


def poll_is_due(connection: Connection) -> bool:
    """Whether the poll or a webhook's wish is due, by the database's clock."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT FROM syncing_schedule WHERE connection_id = %s"
            " AND (next_poll_at <= now() OR fetch_due_at <= now())",
            [connection.pk],
        )
        return cursor.fetchone() is not None


def may_post(connection: Connection) -> bool:
    """Whether the circuit lets posting happen now."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT FROM syncing_schedule WHERE connection_id = %s"
            " AND (resume_at IS NULL OR resume_at <= now())",
            [connection.pk],
        )
        return cursor.fetchone() is not None


def is_probing(connection: Connection) -> bool:
    """Whether the ERP has not answered well since it last stopped us, so that one item must do."""
    return Schedule.objects.filter(pk=connection.pk, erp_failures__gt=0).exists()


def block(connection: Connection, failure: SyncFailure, *, side: str) -> None:
    """Show one problem that stops everything on the connection; it keeps its first time."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE syncing_schedule
            SET blocked_at = CASE WHEN blocked_code = %(code)s THEN blocked_at ELSE now() END,
                blocked_side = %(side)s, blocked_code = %(code)s,
                blocked_title = left(%(title)s, 300), blocked_fix = left(%(fix)s, 500)
            WHERE connection_id = %(connection)s
            """,
            {
                "code": failure.code[:60],
                "side": side,
                "title": failure.title,
                "fix": failure.fix,
                "connection": connection.pk,
            },
        )


def progress(worker: str) -> None:
    """Write a worker's progress beat: it has just finished a doorbell (fault I2)."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO syncing_workerbeat AS beat (worker, beat_at, started_at, tasks)
            VALUES (%s, now(), now(), 1)
            ON CONFLICT (worker) DO UPDATE SET beat_at = now(), tasks = beat.tasks + 1
            """,
            [worker],
        )


_UNBLOCKED = {
    "blocked_at": None,
    "blocked_side": "",
    "blocked_code": "",
    "blocked_title": "",
    "blocked_fix": "",
}
