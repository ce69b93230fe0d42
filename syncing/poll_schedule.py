"""When a connection's lists are read again, which of them, and by whom: its `Schedule` row."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connections.models import Connection
from rampbridge.lib.backoff import full_jitter
from syncing import circuit, cursors
from syncing.claims import FRESH_SECONDS, GIVEN_BACK, TYPES, WorkLease
from syncing.classifier import ErrorCategory, SyncFailure
from syncing.cursors import Reading
from syncing.kinds import KINDS, list_of
from syncing.models import Schedule
from syncing.pull_endings import Ending
from syncing.statements import as_json, execute, from_json, rows

POLL_LEASE_SECONDS = 90
"""Kept with every page. Longer than Ramp's longest answer (our time-out is 65 s), and no longer: a
connection whose poller was killed waits for it to run out."""
AT_ONCE = timedelta(0)
EVERYTHING: Sequence[str] = ()
"""Of a wish: all lists."""
IS_DUE = """
    CASE WHEN s.poll_lease_until IS NULL
    THEN s.next_poll_at <= now() OR coalesce(s.fetch_due_at <= now(), false)
    ELSE s.poll_lease_until < now() END
"""
"""A lease is given back; one that has run out was a worker's that died (fault P1)."""
ONCE_QUIET = "greatest(now(), s.last_pull_started_at + %(pause)s)"
"""SQL: at once, or when the last pull of the schedule `s` began a `%(pause)s` ago."""
_NOTHING = "SELECT WHERE false"
_REFRESH_PAUSE = timedelta(minutes=1)
"""Between pulls for the sake of old snapshots, in case Ramp's list does not have them."""
_LONG_ENOUGH = timedelta(seconds=6)
"""Since a connection was rung for, to be rung for again."""
_LOOK_AHEAD = 500
"""Items at the front of the queue that are looked at for old snapshots."""


def wished(due: str, types: str = "%(types)s::jsonb") -> str:
    """The SQL that adds a wish to those that stand: lists `types`, due at the moment `due`.

    An earlier wish stays as early; a wish for everything covers the others; NULL wishes nothing.
    """
    return f"""
        fetch_types = CASE
            WHEN ({due}) IS NULL THEN s.fetch_types
            WHEN s.fetch_due_at IS NULL THEN {types}
            WHEN s.fetch_types = '[]' OR {types} = '[]' THEN '[]'
            ELSE (SELECT jsonb_agg(DISTINCT one)
                  FROM jsonb_array_elements(s.fetch_types || {types}) AS e(one)) END,
        fetch_due_at = least(s.fetch_due_at, {due})
    """  # noqa: S608  pieces of this program


class LeaseLost(Exception):
    """Another worker has begun to pull this connection."""


@dataclass(slots=True)
class PollLease:
    """A connection in a poller's hands."""

    connection_id: uuid.UUID
    token: uuid.UUID
    began_at: datetime
    """By the database's clock; what rang until then is being answered."""
    wanted: Sequence[str] = EVERYTHING
    """The lists that rang; empty if it is time to read them all."""
    cursors: Sequence[dict[str, Any]] = field(default_factory=list)
    """How far lists were read, as `cursors.found` takes it."""
    asked_by: str = ""
    """Who wants to see this pull; empty if nobody in particular."""
    run_id: int | None = None
    """The run that was begun along with the lease."""
    is_over: bool = False

    def keep(self, reading: Reading | None = None) -> None:
        """Extend the lease, and keep how far a list was read.

        :raises LeaseLost: if another worker has it now
        """
        readings = [reading] if reading else []
        if not rows(
            f"""
            WITH held AS (
                UPDATE syncing_schedule
                SET poll_lease_until = now() + %(seconds)s * interval '1s'
                WHERE connection_id = %(connection)s AND poll_lease = %(token)s
                RETURNING connection_id
            ), kept AS ({cursors.SAVE})
            SELECT 1 FROM held
            """,  # noqa: S608  constants of this program
            self._mine | cursors.values(readings) | {"seconds": POLL_LEASE_SECONDS},
        ):
            raise LeaseLost

    def pull_done(
        self,
        *,
        next_in: timedelta,
        readings: Sequence[Reading] = (),
        again: Sequence[str] = (),
        again_in: timedelta = AT_ONCE,
        ending: Ending | None = None,
    ) -> bool:
        """End a pull that did not break off, and the lease; lift a block on Ramp's side.

        False, and nothing is written, if there is what `ending` says must be seen to before.

        :param next_in: time to the next poll, if this was one; what rang does not move it
        :param readings: of each list. What is left over of one is due at once
        :param again: lists that are wanted again in any case, after `again_in`
        :param ending: what is written along with it
        """
        left = [one.list_name for one in readings if not (one.is_complete or one.problem)]
        wait = AT_ONCE if left else again_in
        is_ended = self._end(
            f"""
            last_poll_at = CASE WHEN %(all_read)s THEN now() ELSE s.last_poll_at END,
            next_poll_at = CASE WHEN %(is_poll)s THEN now() + %(next_in)s ELSE s.next_poll_at END,
            {circuit.RAMP_LISTED},
            """,
            readings,
            types=left or again,
            wait=wait if left or again else None,
            more={
                "all_read": not left,
                "is_poll": not self.wanted,
                "next_in": next_in,
            },
            ending=ending,
        )
        if not is_ended:
            return False
        if left:  # the next sweep rings for it, behind those that have waited longer (S1)
            execute(
                "UPDATE syncing_schedule SET rung_at = least(rung_at, now() - %s)"
                " WHERE connection_id = %s",
                [_LONG_ENOUGH, self.connection_id],
            )
        return True

    def pull_failed(
        self,
        failure: SyncFailure,
        *,
        jitter: float,
        next_in: timedelta,
        readings: Sequence[Reading],
        has_read: bool,
    ) -> None:
        """End a pull that broke off, and the lease: what is not read yet is due after a wait.

        :param has_read: whether pages came before; the failure is then the first in a row again
        """
        wait = _wait_after(self.connection_id, failure, jitter=jitter, is_first=has_read)
        left = [one.list_name for one in readings if not (one.is_complete or one.problem)]
        self._end(
            """
            poll_failures = CASE WHEN %(has_read)s THEN 1 ELSE s.poll_failures + 1 END,
            next_poll_at = greatest(s.next_poll_at, now() +
                CASE WHEN %(is_poll)s THEN %(next_in)s ELSE %(wait)s END),
            """,
            readings,
            types=left or self.wanted,
            wait=wait,
            more={
                "is_poll": not self.wanted,
                "next_in": max(next_in, wait),
                "has_read": has_read,
            },
        )

    def give_back(self) -> None:
        """Let the next one pull."""
        execute(
            "UPDATE syncing_schedule SET poll_lease = NULL, poll_lease_until = NULL"
            " WHERE connection_id = %(connection)s AND poll_lease = %(token)s",
            self._mine,
        )
        self.is_over = True

    def _end(
        self,
        changes: str,
        readings: Sequence[Reading],
        *,
        types: Sequence[str],
        wait: timedelta | None,
        more: Mapping[str, Any],
        ending: Ending | None = None,
    ) -> bool:
        ((stays,),) = rows(
            f"""
            WITH first AS MATERIALIZED ({ending.first if ending else _NOTHING}), held AS (
                UPDATE syncing_schedule s
                SET {changes} {wished("now() + %(wait)s::interval")},
                    poll_lease = NULL, poll_lease_until = NULL
                WHERE connection_id = %(connection)s AND poll_lease = %(token)s
                  AND NOT EXISTS (SELECT FROM first)
                RETURNING connection_id
            ), kept AS ({cursors.SAVE}){ending.also if ending else ""}
            SELECT EXISTS (SELECT FROM first)
            """,  # noqa: S608  constants of this program
            {
                **(ending.params if ending else {}),
                **self._mine,
                **cursors.values(readings),
                **more,
                "types": as_json(sorted(set(types))),
                "wait": wait,
            },
        )
        self.is_over = not stays
        return self.is_over

    @property
    def _mine(self) -> dict[str, Any]:
        return {"connection": self.connection_id, "token": self.token}


@contextmanager
def only_poller(
    connection: Connection, *, trigger: str | None = None
) -> Iterator[PollLease | None]:
    """Hold a connection's poll lease (fault P4). None if another worker is pulling.

    :param trigger: begin a run that this has set off

    What rang so far is being answered; a webhook from now on rings anew. If this worker dies, or
    fails in a way that nobody foresaw, the next pull is due when its lease is over (fault P1).
    """
    token = uuid.uuid4()
    taken = rows(
        _TAKE,
        {
            "token": token,
            "seconds": POLL_LEASE_SECONDS,
            "connection": connection.pk,
            "trigger": trigger,
        },
    )
    if not taken:
        yield None
        return
    began_at, wanted, known, asked_by, run_id = taken[0]
    lease = PollLease(
        connection.pk, token, began_at, from_json(wanted), from_json(known), asked_by, run_id
    )
    yield lease
    if not lease.is_over:
        lease.give_back()


_TAKE = """
    WITH before AS (
        SELECT connection_id, poll_lease_until IS NOT NULL OR next_poll_at <= now()
                OR fetch_due_at IS NULL OR fetch_due_at > now() AS is_poll,
            fetch_types, fetch_asked_by
        FROM syncing_schedule
        WHERE connection_id = %(connection)s
          AND (poll_lease_until IS NULL OR poll_lease_until < now())
        FOR UPDATE
    ), taken AS (
        UPDATE syncing_schedule s
        SET poll_lease = %(token)s, poll_lease_until = now() + %(seconds)s * interval '1s',
            fetch_due_at = NULL, fetch_types = '[]', fetch_asked_by = '',
            last_pull_started_at = now()
        FROM before b WHERE s.connection_id = b.connection_id
        RETURNING s.connection_id, CASE WHEN b.is_poll THEN '[]' ELSE b.fetch_types END AS wanted,
            b.fetch_asked_by AS asked_by
    ), run AS (
        INSERT INTO syncing_syncrun (connection_id, trigger, actor, started_at, pages, seen, new,
            changed, unannounced, problem, trace_id)
        SELECT connection_id, CASE WHEN asked_by = '' THEN %(trigger)s ELSE 'manual' END, asked_by,
            now(), 0, 0, 0, 0, 0, '', ''
        FROM taken WHERE %(trigger)s::text IS NOT NULL
        RETURNING id
    )
    SELECT now(), wanted,
        (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM syncing_pullcursor c
         WHERE c.connection_id = taken.connection_id), asked_by, (SELECT id FROM run)
    FROM taken
"""


def no_pull(connection: Connection, failure: SyncFailure, *, jitter: float) -> None:
    """Plan the next try where a pull could not even begin; say so if a person must act."""
    wait = _wait_after(connection.pk, failure, jitter=jitter, is_first=False)
    execute(
        "UPDATE syncing_schedule SET poll_failures = poll_failures + 1, fetch_due_at = NULL,"
        " fetch_types = '[]', next_poll_at = now() + %s WHERE connection_id = %s",
        [wait, connection.pk],
    )


def _wait_after(
    connection_id: uuid.UUID, failure: SyncFailure, *, jitter: float, is_first: bool
) -> timedelta:
    if failure.category is not ErrorCategory.TRANSIENT:
        circuit.block(connection_id, failure, side=circuit.RAMP)
        return circuit.PATIENCE
    known = Schedule.objects.values_list("poll_failures", flat=True)
    failures = 0 if is_first else known.get(pk=connection_id)
    return full_jitter(
        failures + 1,
        base=timedelta(seconds=2),
        ceiling=timedelta(seconds=64),
        minimum=timedelta(seconds=failure.retry_after or 1),
        jitter=jitter,
    )


def fetch_soon(
    connection_id: uuid.UUID,
    *,
    types: Sequence[str] = EVERYTHING,
    wait: timedelta = AT_ONCE,
) -> None:
    """Ask for a pull of these lists without waiting for the poll; an earlier wish stands."""
    execute(
        f"UPDATE syncing_schedule s SET {wished('now() + %(wait)s::interval')}, rung_at = NULL"  # noqa: S608
        " WHERE connection_id = %(connection)s",
        {"types": as_json(list(types)), "wait": wait, "connection": connection_id},
    )


def fetch_for(connection_id: uuid.UUID, *, actor: str) -> bool:
    """Ask for a pull of all lists now, in somebody's name. False if the connection has none."""
    asked = Schedule.objects.filter(pk=connection_id).update(fetch_asked_by=actor)
    fetch_soon(connection_id)
    return bool(asked)


def fetch_once_quiet(connection_id: uuid.UUID, *, types: Sequence[str], pause: timedelta) -> None:
    """Ask for a pull at once, or when the last one began a `pause` ago (fault W10)."""
    execute(
        f"UPDATE syncing_schedule s SET {wished(ONCE_QUIET)}, rung_at = NULL"  # noqa: S608
        " WHERE connection_id = %(connection)s",
        {"types": as_json(list(types)), "pause": pause, "connection": connection_id},
    )


def end_turn(lease: WorkLease) -> None:
    """Give a work lease back, and ask for the lists of due items that were read so long ago that
    they must not be posted (rule 7)."""
    lease.leave_host()
    execute(
        f"""
        UPDATE syncing_schedule s SET {GIVEN_BACK}, {_REFRESHED}
        FROM ({_OLD}) old WHERE s.connection_id = %(connection)s AND s.work_lease = %(token)s
        """,  # noqa: S608  constants of this program
        {**lease.params, **_FOR_OLD},
    )
    lease.is_over = True


_OLD = f"""
    SELECT jsonb_agg(DISTINCT list_of.list) AS lists
    FROM (VALUES {", ".join(f"('{one}', '{list_of(one)}')" for one in TYPES if one in KINDS)})
        AS list_of(object_type, list)
    WHERE EXISTS (
        SELECT FROM (
            SELECT snapshot_at FROM syncing_syncitem i
            WHERE i.connection_id = %(connection)s AND i.object_type = list_of.object_type
              AND state = 'READY' AND due_at <= now()
            ORDER BY due_at, id LIMIT %(look_ahead)s
        ) next
        WHERE snapshot_at <= now() - %(fresh)s * interval '1s')
"""  # noqa: S608  constants of this program
"""SQL: the lists of a connection's due items that are too old; NULL if there are none."""
_REFRESHED = wished(f"CASE WHEN old.lists IS NOT NULL THEN {ONCE_QUIET} END", "old.lists")
_FOR_OLD = {"look_ahead": _LOOK_AHEAD, "fresh": FRESH_SECONDS, "pause": _REFRESH_PAUSE}
