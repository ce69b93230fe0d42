"""What stops a connection: a silent ERP, a revoked access, Ramp without an accounting connection.

One problem is one row here, not one error per item (faults X15 to X17, K17, T4). Items wait.
"""

import uuid
from datetime import timedelta

from connections.models import Connection
from rampbridge.lib.backoff import full_jitter
from syncing import outages, silent_hosts
from syncing.classifier import ErrorCategory, SyncFailure
from syncing.models import Schedule
from syncing.statements import execute, storable

ERP = "erp"
RAMP = "ramp"
PATIENCE = timedelta(minutes=15)
"""Between tries when only a person can lift a block. Some ERPs lock out who knocks more often."""
LONGEST_SILENCE = timedelta(seconds=60)
"""Between probes of an ERP that does not answer."""
RARE_PROBES_AFTER = 6
"""Probes without an answer, after which there is about one a minute and never two in half of it."""
MAY_POST = "(resume_at IS NULL OR resume_at <= now()) AND blocked_code <> ALL(%(ramp_refuses)s)"
"""Whether the ERP is not to be left alone, and Ramp can be told; `RAMP_REFUSES` is its list."""
_UNBLOCKED = {
    "blocked_at": "NULL",
    "blocked_side": "''",
    "blocked_code": "''",
    "blocked_title": "''",
    "blocked_fix": "''",
    "rung_at": "NULL",
}


def _lifting(side: str, unless: str = "false") -> str:
    """What lifts the block of one side, to be set along with other things in `s`, the schedule."""
    lifted = f"s.blocked_side = '{side}' AND NOT ({unless})"
    return ", ".join(
        f"{column} = CASE WHEN {lifted} THEN {empty} ELSE s.{column} END"
        for column, empty in _UNBLOCKED.items()
    )


ERP_ANSWERED = f"erp_failures = 0, resume_at = NULL, erp_silent_since = NULL, {_lifting(ERP)}"
"""What a booked document sets: the circuit is closed, and a block on the ERP's side lifted."""
RAMP_LISTED = "poll_failures = 0, " + _lifting(  # noqa: S608  constants
    RAMP,
    unless="EXISTS (SELECT FROM syncing_ackbatch b WHERE b.connection_id = s.connection_id"
    " AND b.state = 'open' AND b.problem = s.blocked_title)"
    " OR EXISTS (SELECT FROM connections_healthcheck h WHERE h.connection_id = s.connection_id"
    " AND h.side = 'ramp' AND NOT h.is_ok AND h.title = s.blocked_title)",
)
"""What a complete list sets: Ramp's block is lifted, unless reports are what it refuses (K17), or
the seat is another's: lists can be read all the same (R-09)."""

RAMP_ANSWERED = _lifting(RAMP, unless="s.poll_failures > 0")
"""What an answered report sets: Ramp's block is lifted, unless lists are what it refuses."""


def erp_stopped(connection: Connection, failure: SyncFailure, *, jitter: float) -> float:
    """Open the circuit: nothing is posted until it is time to probe.

    Returns the seconds until then.
    """
    failures = Schedule.objects.values_list("erp_failures", flat=True).get(pk=connection.pk) + 1
    if failure.category is ErrorCategory.TRANSIENT:
        wait = full_jitter(
            failures,
            base=timedelta(seconds=2),
            ceiling=LONGEST_SILENCE,
            minimum=_soonest(failure, failures),
            jitter=jitter,
        )
    else:
        wait = PATIENCE
        block(connection.pk, failure, side=ERP)
    execute(
        "UPDATE syncing_schedule SET erp_failures = %s, resume_at = now() + %s,"
        " erp_silent_since = coalesce(erp_silent_since, now()) WHERE connection_id = %s",
        [failures, wait, connection.pk],
    )
    if failure.category is ErrorCategory.TRANSIENT:
        outages.tell_waiting(connection, failure, next_try=wait)
    if failure.code == silent_hosts.HUNG:
        silent_hosts.fell_silent(connection.pk)
    return wait.total_seconds()


def _soonest(failure: SyncFailure, failures: int) -> timedelta:
    """The least to wait: what the ERP asks for, and not too little where nobody answers at all."""
    if failure.retry_after:
        return timedelta(seconds=failure.retry_after)
    return LONGEST_SILENCE / 2 if failures > RARE_PROBES_AFTER else timedelta(seconds=1)


def credentials_changed(connection_id: uuid.UUID, side: str) -> None:
    """Somebody has entered new credentials: what the old ones stopped is tried again at once.

    The ERP's circuit is closed as far as a single item, which probes.
    """
    lifted = _lifting(side)
    retried = "resume_at = NULL" if side == ERP else "next_poll_at = now()"
    execute(
        f"UPDATE syncing_schedule s SET {lifted}, {retried} WHERE connection_id = %s",  # noqa: S608
        [connection_id],
    )


def seat_is_ours(connection_id: uuid.UUID) -> None:
    """Ramp shows our accounting connection as the active one: what its loss stopped goes on."""
    execute(
        f"UPDATE syncing_schedule s SET {_lifting(RAMP)}, next_poll_at = now()"  # noqa: S608
        " WHERE connection_id = %s AND blocked_code = %s",
        [connection_id, "ramp.no_connection"],
    )


def block(connection_id: uuid.UUID, failure: SyncFailure, *, side: str) -> None:
    """Show one problem that stops everything on the connection; it keeps its first time.

    What stops us at Ramp is not covered up by the ERP: it would be forgotten once the ERP answers.
    The ERP's own comes up again with its next probe.
    """
    execute(
        """
        UPDATE syncing_schedule
        SET blocked_at = CASE WHEN blocked_code = %(code)s THEN blocked_at ELSE now() END,
            blocked_side = %(side)s, blocked_code = %(code)s,
            blocked_title = %(title)s, blocked_fix = %(fix)s
        WHERE connection_id = %(connection)s
            AND NOT (%(side)s = 'erp' AND blocked_side = 'ramp' AND blocked_at IS NOT NULL)
        """,
        {
            "code": failure.code[:60],
            "side": side,
            "title": storable(failure.title)[:300],
            "fix": storable(failure.fix)[:500],
            "connection": connection_id,
        },
    )


def ramp_took_report(connection_id: uuid.UUID) -> None:
    """Ramp answered a report: lift its block, unless lists are what it refuses."""
    execute(
        f"UPDATE syncing_schedule s SET {RAMP_ANSWERED}"  # noqa: S608  a constant of this file
        " WHERE connection_id = %s AND blocked_side = %s",
        [connection_id, RAMP],
    )
