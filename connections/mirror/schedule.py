"""When a customer's chart is read and uploaded, and by whom: its `Mirror` row.

What is due stands in the row, by the database's clock. Messages only say "look".
"""

import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from connections import audit
from connections.mirror.troubles import ERP, RAMP, Trouble
from connections.models import Connection
from rampbridge.lib.backoff import full_jitter
from rampbridge.lib.statements import execute, rows

LEASE = timedelta(minutes=10)
"""Renewed before every call that changes something. Longer than Ramp's longest answer by far."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
"""After a failure that time mends."""
PATIENCE = timedelta(minutes=15)
"""After one that only a person can mend."""
SHOWN_AFTER = 3
"""Failures in a row of the kind that time mends, before a page says so."""

_NIGHT = """
    CASE WHEN n.tonight > statement_timestamp() THEN n.tonight ELSE n.tonight + interval '1 day' END
"""
_TONIGHT = """
    CROSS JOIN LATERAL (
        SELECT (date_trunc('day', statement_timestamp() AT TIME ZONE c.time_zone)
            + interval '1 hour' + (abs(hashtext(c.id::text)::bigint) %% 10800) * interval '1s')
            AT TIME ZONE c.time_zone AS tonight
    ) n
"""
"""Between one and four of the customer's own night, spread by hash."""

_LIFTED = "split_part(m.blocked_code, '.', 1) = ANY(%(sides)s)"
"""A side that has answered lifts its own block, and not the other's."""


class LeaseLost(Exception):
    """Another worker has taken this customer's chart over. Nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done with a customer's chart."""

    read: bool = False
    full: bool = False
    """Read the ERP's whole lists; only they tell what is gone."""
    push: bool = False
    verify: bool = False


EVERYTHING = Due(read=True, full=True, push=True)
"""What a new customer needs."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one customer's chart, and what is due there."""

    connection_id: uuid.UUID
    token: uuid.UUID
    due: Due
    asked_by: str
    """Who has asked for it; empty: it was time."""
    taken: dict[str, Any]
    """The due times as they stood, so that a wish made meanwhile is not taken for done."""

    def keep(self) -> None:
        """Hold on to it for another while.

        :raises LeaseLost: if it has run out and somebody else has it
        """
        kept = execute(
            "UPDATE connections_mirror SET lease_until = statement_timestamp() + %s"
            " WHERE connection_id = %s AND lease_token = %s",
            [LEASE, self.connection_id, self.token],
        )
        if not kept:
            raise LeaseLost(str(self.connection_id))


def ensure(connection: Connection) -> None:
    """See that a customer's chart is on the schedule; all of it is due now if it never was."""
    execute(
        f"""
        INSERT INTO connections_mirror AS m
            (connection_id, is_automatic, cursors, asked_by, ramp_is_empty, failures, blocked_code,
             blocked_title, blocked_fix, read_due_at, full_due_at, push_due_at, verify_due_at)
        SELECT c.id, true, '{{}}', '', false, 0, '', '', '', due.at, due.at, due.at, {_NIGHT}
        FROM connections_connection c {_TONIGHT}
        CROSS JOIN (SELECT statement_timestamp() AS at) due WHERE c.id = %s
        ON CONFLICT (connection_id) DO UPDATE SET
            read_due_at = coalesce(m.read_due_at, excluded.read_due_at),
            full_due_at = coalesce(m.full_due_at, excluded.full_due_at),
            push_due_at = CASE WHEN m.is_automatic
                THEN coalesce(m.push_due_at, excluded.push_due_at) ELSE m.push_due_at END,
            verify_due_at = coalesce(m.verify_due_at, excluded.verify_due_at)
        """,  # noqa: S608  constants of this module
        [connection.pk],
    )


def due(limit: int = 100) -> list[uuid.UUID]:
    """Customers whose chart has something due and nobody at it, the longest waiting first."""
    found = rows(
        """
        SELECT m.connection_id
        FROM connections_mirror m JOIN connections_connection c ON c.id = m.connection_id
        WHERE c.stage <> 'closed'
            AND (m.lease_until IS NULL OR m.lease_until < statement_timestamp())
            AND least(m.read_due_at, m.full_due_at, m.push_due_at, m.verify_due_at)
                <= statement_timestamp()
        ORDER BY least(m.read_due_at, m.full_due_at, m.push_due_at, m.verify_due_at),
            m.connection_id
        LIMIT %s
        """,
        [limit],
    )
    return [connection_id for (connection_id,) in found]


def take(connection_id: uuid.UUID, *, also: Due | None = None) -> Lease | None:
    """Become the one who works on a customer's chart. None if somebody is, or nothing is due.

    :param also: what is to be done whether due or not
    """
    also = also or Due()
    token = uuid.uuid4()
    found = rows(
        """
        UPDATE connections_mirror m
        SET lease_token = %(token)s, lease_until = statement_timestamp() + %(lease)s
        FROM connections_connection c
        WHERE c.id = m.connection_id AND m.connection_id = %(id)s AND c.stage <> 'closed'
            AND (m.lease_until IS NULL OR m.lease_until < statement_timestamp())
            AND (%(anyway)s OR least(m.read_due_at, m.full_due_at, m.push_due_at, m.verify_due_at)
                <= statement_timestamp())
        RETURNING coalesce(m.read_due_at <= statement_timestamp(), false),
            coalesce(m.full_due_at <= statement_timestamp(), false),
            coalesce(m.push_due_at <= statement_timestamp(), false)
                AND (m.is_automatic OR m.asked_by <> ''),
            coalesce(m.verify_due_at <= statement_timestamp(), false), m.asked_by,
            m.read_due_at, m.full_due_at, m.push_due_at, m.verify_due_at
        """,
        {"token": token, "lease": LEASE, "id": connection_id, "anyway": also != Due()},
    )
    if not found:
        return None
    read, full, push, verify, asked_by, *times = found[0]
    names = ("read_due_at", "full_due_at", "push_due_at", "verify_due_at")
    what = Due(
        read=read or full or also.read or also.full,
        full=full or also.full,
        push=push or also.push,
        verify=verify or also.verify,
    )
    return Lease(connection_id, token, what, asked_by, dict(zip(names, times, strict=True)))


def done(lease: Lease, due: Due) -> None:
    """Give the lease back after all went well, and say when what was done is due again.

    What somebody has asked for meanwhile stays due.

    :raises LeaseLost: if somebody else has it
    """
    same = "m.{0} IS NOT DISTINCT FROM %({0})s::timestamptz"
    finished = rows(
        f"""
        UPDATE connections_mirror m SET
            read_due_at = CASE WHEN {same.format("read_due_at")}
                AND (%(read)s OR m.read_due_at IS NULL)
                THEN statement_timestamp() + %(read_every)s ELSE m.read_due_at END,
            full_due_at = CASE WHEN {same.format("full_due_at")}
                AND (%(full)s OR m.full_due_at IS NULL)
                THEN {_NIGHT} ELSE m.full_due_at END,
            push_due_at = CASE WHEN NOT {same.format("push_due_at")} THEN m.push_due_at
                WHEN NOT m.is_automatic THEN NULL
                WHEN %(push)s OR m.push_due_at IS NULL
                THEN statement_timestamp() + %(push_every)s ELSE m.push_due_at END,
            verify_due_at = CASE WHEN {same.format("verify_due_at")}
                AND (%(verify)s OR m.verify_due_at IS NULL)
                THEN {_NIGHT} + interval '1 hour' ELSE m.verify_due_at END,
            last_read_at = CASE WHEN %(read)s THEN statement_timestamp() ELSE m.last_read_at END,
            last_full_at = CASE WHEN %(full)s THEN statement_timestamp() ELSE m.last_full_at END,
            asked_by = CASE WHEN {same.format("read_due_at")} AND {same.format("full_due_at")}
                AND {same.format("push_due_at")} AND {same.format("verify_due_at")}
                THEN '' ELSE m.asked_by END,
            failures = 0, lease_token = NULL, lease_until = NULL,
            blocked_code = CASE WHEN {_LIFTED} THEN '' ELSE m.blocked_code END,
            blocked_title = CASE WHEN {_LIFTED} THEN '' ELSE m.blocked_title END,
            blocked_fix = CASE WHEN {_LIFTED} THEN '' ELSE m.blocked_fix END,
            blocked_at = CASE WHEN {_LIFTED} THEN NULL ELSE m.blocked_at END
        FROM connections_connection c {_TONIGHT}
        WHERE c.id = m.connection_id AND m.connection_id = %(id)s AND m.lease_token = %(token)s
        RETURNING m.connection_id
        """,  # noqa: S608  constants of this module
        {
            **lease.taken,
            "id": lease.connection_id,
            "token": lease.token,
            "read": due.read,
            "full": due.full,
            "push": due.push,
            "verify": due.verify,
            "read_every": timedelta(seconds=settings.CHART_READ_SECONDS),
            "push_every": timedelta(seconds=settings.CHART_UPLOAD_SECONDS),
            "sides": [
                *([ERP] if due.read else []),
                *([RAMP, "us"] if due.push or due.verify else []),
            ],
        },
    )
    if not finished:
        raise LeaseLost(str(lease.connection_id))


def failed(lease: Lease, due: Due, trouble: Trouble) -> None:
    """Give the lease back after a failure: what was due is tried again later, and a page says why.

    :raises LeaseLost: if somebody else has it
    """
    found = rows(
        "SELECT failures FROM connections_mirror WHERE connection_id = %s", [lease.connection_id]
    )
    failures = (found[0][0] if found else 0) + 1
    wait = _wait(trouble, failures)
    later = "CASE WHEN {0} THEN statement_timestamp() + %(wait)s ELSE {1} END"
    is_shown = trouble.needs_person or failures >= SHOWN_AFTER
    written = execute(
        f"""
        UPDATE connections_mirror SET
            read_due_at = {later.format("%(read)s", "read_due_at")},
            full_due_at = {later.format("%(full)s", "full_due_at")},
            push_due_at = {later.format("%(push)s", "push_due_at")},
            verify_due_at = {later.format("%(verify)s", "verify_due_at")},
            failures = %(failures)s, lease_token = NULL, lease_until = NULL,
            blocked_code = CASE WHEN %(shown)s THEN %(code)s ELSE blocked_code END,
            blocked_title = CASE WHEN %(shown)s THEN %(title)s ELSE blocked_title END,
            blocked_fix = CASE WHEN %(shown)s THEN %(fix)s ELSE blocked_fix END,
            blocked_at = CASE WHEN %(shown)s THEN coalesce(blocked_at, statement_timestamp())
                ELSE blocked_at END
        WHERE connection_id = %(id)s AND lease_token = %(token)s
        """,  # noqa: S608  constants of this module
        {
            "id": lease.connection_id,
            "token": lease.token,
            "read": due.read,
            "full": due.full,
            "push": due.push,
            "verify": due.verify,
            "wait": wait,
            "failures": failures,
            "shown": is_shown,
            "code": trouble.code[:60],
            "title": trouble.title[:300].replace("\0", ""),
            "fix": trouble.fix[:500].replace("\0", ""),
        },
    )
    if not written:
        raise LeaseLost(str(lease.connection_id))


def give_back(lease: Lease) -> None:
    """Let others at the chart again. What is due stays due as it is."""
    execute(
        "UPDATE connections_mirror SET lease_token = NULL, lease_until = NULL"
        " WHERE connection_id = %s AND lease_token = %s",
        [lease.connection_id, lease.token],
    )


def read_soon(connection_id: uuid.UUID, *, actor: str = "", full: bool = False) -> None:
    """Have the ERP read as soon as a worker is free. Ring `refresh_chart` after it."""
    columns = ("read_due_at", "full_due_at") if full else ("read_due_at",)
    _wish(connection_id, columns, actor, act="chart.read", text="Had the ERP's chart read.")


def upload_soon(connection_id: uuid.UUID, *, actor: str) -> None:
    """Have Ramp's chart brought up to the ERP's, which is read before. Ends a block's wait, too."""
    text = "Had what differs in the chart uploaded."
    _wish(connection_id, ("read_due_at", "push_due_at"), actor, act="chart.upload", text=text)


def plan_uploads(connection_id: uuid.UUID, *, is_automatic: bool) -> bool:
    """Whether what changed is uploaded by itself: if not, nothing is due until somebody says so.

    False if it was set so already.
    """
    changed = execute(
        "UPDATE connections_mirror SET is_automatic = %(is_automatic)s, push_due_at ="
        " CASE WHEN %(is_automatic)s THEN coalesce(push_due_at, statement_timestamp()) END"
        " WHERE connection_id = %(id)s AND is_automatic <> %(is_automatic)s",
        {"is_automatic": is_automatic, "id": connection_id},
    )
    return bool(changed)


def verify_soon(connection_id: uuid.UUID, *, actor: str) -> None:
    """Have what Ramp has read back."""
    text = "Had what Ramp has of the chart read back."
    _wish(connection_id, ("verify_due_at",), actor, act="chart.verify", text=text)


@transaction.atomic
def _wish(
    connection_id: uuid.UUID, columns: tuple[str, ...], actor: str, *, act: str, text: str
) -> None:
    wishes = ", ".join(f"{column} = statement_timestamp()" for column in columns)
    execute(
        f"UPDATE connections_mirror SET {wishes},"  # noqa: S608  constants of this module
        " asked_by = CASE WHEN %(actor)s = '' THEN asked_by ELSE %(actor)s END"
        " WHERE connection_id = %(id)s",
        {"actor": actor[:150], "id": connection_id},
    )
    if actor:
        audit.record(actor, act, text, connection_id=connection_id)


def _wait(trouble: Trouble, failures: int) -> timedelta:
    if trouble.needs_person:
        return PATIENCE
    jitter = random.random()  # noqa: S311  spreads load, guards nothing
    wait = full_jitter(
        failures, base=FIRST_WAIT, ceiling=LONGEST_WAIT, minimum=FIRST_WAIT / 3, jitter=jitter
    )
    return max(wait, trouble.retry_after or wait)
