"""Queue failed items again: by the cause they share, one by one, or because a person says so."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from syncing.claims import PAYS_BILL, Claimed
from syncing.statements import execute, rows
from syncing.undecided import nobody_is_asked


@dataclass(frozen=True, slots=True)
class Blocked:
    """One of the items that share a cause."""

    cause: str
    item: Claimed


# By the payment's identity and not by what it waits for: another transaction may just be writing
# that it waits. This one then waits for the row, and finds it waiting.
PAYMENTS_OF_MOVED = """
    pays AS (
        SELECT connection_id, 'bill_payment' AS object_type, ramp_id
        FROM moved WHERE object_type = 'bill'
        UNION ALL
        SELECT c.connection_id, 'transaction', c.transaction_ramp_id
        FROM moved m JOIN syncing_cardpayment c
            ON c.connection_id = m.connection_id AND c.bill_ramp_id = m.ramp_id
        WHERE m.object_type = 'bill'
    ), freed AS (
        UPDATE syncing_syncitem p
        SET due_at = CASE WHEN p.blocked_by LIKE 'bill:%%' THEN now() ELSE p.due_at END,
            error_title = CASE WHEN p.blocked_by LIKE 'bill:%%' THEN '' ELSE p.error_title END,
            blocked_by = CASE WHEN p.blocked_by LIKE 'bill:%%' THEN '' ELSE p.blocked_by END
        FROM pays m, syncing_syncitem before
        WHERE p.connection_id = m.connection_id AND p.object_type = m.object_type
          AND p.ramp_id = m.ramp_id AND p.state = 'READY' AND before.id = p.id
        RETURNING p.id, before.blocked_by AS waited_for
    )
"""
"""Makes due the payments, and the card transactions that pay (F-07), which wait for a bill among
`moved` (connection_id, object_type, ramp_id), in the statement that moves the bills (rule 10,
fault K13)."""


def payment_lines(why: str) -> str:
    """SQL: the timeline's lines of the payments made due so. `why` is a constant of ours."""
    return (
        f"SELECT id, now(), 'released', '{why}', '{{}}'::jsonb, ''"  # noqa: S608
        " FROM freed WHERE waited_for LIKE 'bill:%%'"
    )


_QUEUED_AGAIN = """
    state = 'READY', state_at = now(), due_at = now(), attempts = 0, blocked_by = '',
    error_category = '', error_origin = '', error_code = '', error_title = '',
    error_fix = '', error_detail = '',
    failure_telling = CASE WHEN failure_telling = 'due' THEN '' ELSE failure_telling END
"""


_NOBODY_IS_ASKED = nobody_is_asked("syncing_syncitem")


def release(
    connection_id: uuid.UUID, *, cause: str = "", ids: Sequence[int] = (), why: str, actor: str = ""
) -> int:
    """Queue failed items again, by their shared cause or one by one. Returns how many.

    Those that wait for a second person's word stay: they may be in the ERP already (P-12).
    An error that Ramp was not told of yet will not be told: the next attempt says more.
    """
    return execute(
        f"""
        WITH moved AS (
            UPDATE syncing_syncitem
            SET {_QUEUED_AGAIN}
            WHERE connection_id = %(connection)s AND state = 'FAILED' AND {_NOBODY_IS_ASKED}
              AND ((%(cause)s <> '' AND blocked_by = %(cause)s) OR id = ANY(%(ids)s::bigint[]))
            RETURNING id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', %(why)s, '{{}}', %(actor)s FROM moved ORDER BY id
        """,  # noqa: S608  a constant of this file
        {
            "connection": connection_id,
            "cause": cause,
            "ids": list(ids),
            "why": why,
            "actor": actor,
        },
    )


def release_waiting(connection_id: uuid.UUID, cause: str, why: str, actor: str = "") -> int:
    """Make due all queued items that wait for `cause`, as `results.record_waiting` named it.

    Returns how many. Commit the end of the cause before.
    """
    return execute(
        """
        WITH moved AS (
            UPDATE syncing_syncitem SET due_at = now(), blocked_by = '', error_title = ''
            WHERE connection_id = %(connection)s AND state = 'READY' AND blocked_by = %(cause)s
            RETURNING id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', %(why)s, '{}', %(actor)s FROM moved ORDER BY id
        """,
        {"connection": connection_id, "cause": cause[:200], "why": why, "actor": actor},
    )


def hurry(item_id: int, *, actor: str) -> int:
    """Make a queued item due now, if it is not. Returns 1, or 0 if it is no longer queued."""
    return execute(
        f"""
        WITH moved AS (
            UPDATE syncing_syncitem SET due_at = least(due_at, now())
            WHERE id = %s AND state = 'READY' AND {_NOBODY_IS_ASKED} RETURNING id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', 'Retried.', '{{}}', %s FROM moved
        """,  # noqa: S608  a constant of this program
        [item_id, actor],
    )


def retry(ids: Collection[int], *, actor: str) -> frozenset[int]:
    """Retry those of these items that have failed or wait for their next attempt. Gives them back.

    Whoever has them, in two statements. Rows are taken in one order, so that two who retry the same
    items wait for each other and never in a circle.
    """
    parameters = {"ids": list(ids), "actor": actor}
    # These first: what the other statement queues again would be retried twice.
    waiting = rows(
        _RETRY.format(
            state="READY",
            assignments="due_at = least(due_at, now())",
            nobody_is_asked=_NOBODY_IS_ASKED,
        ),
        parameters,
    )
    failed = rows(
        _RETRY.format(state="FAILED", assignments=_QUEUED_AGAIN, nobody_is_asked=_NOBODY_IS_ASKED),
        parameters,
    )
    return frozenset(pk for (pk,) in [*waiting, *failed])


_RETRY = """
    WITH mine AS MATERIALIZED (
        SELECT id FROM syncing_syncitem
        WHERE id = ANY(%(ids)s::bigint[]) AND state = '{state}'
          AND (state <> 'READY' OR due_at IS NOT NULL) AND {nobody_is_asked}
        ORDER BY id FOR UPDATE
    ), moved AS (
        UPDATE syncing_syncitem i SET {assignments}
        FROM mine WHERE i.id = mine.id RETURNING i.id
    ), noted AS (
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', 'Retried.', '{{}}', %(actor)s FROM moved ORDER BY id
    )
    SELECT id FROM moved
"""


def blocked_samples(connection_id: uuid.UUID, limit: int = 20) -> list[Blocked]:
    """One failed item of each shared cause that is due for another look; the longest due first."""
    found = rows(
        f"""
        WITH causes AS (
            SELECT DISTINCT ON (blocked_by) id, due_at FROM syncing_syncitem
            WHERE connection_id = %s AND state = 'FAILED' AND due_at <= now() AND blocked_by <> ''
            ORDER BY blocked_by, id
        ), next AS (
            SELECT id, due_at FROM causes ORDER BY due_at, id LIMIT %s
        )
        SELECT i.blocked_by, i.id, i.object_type, i.ramp_id,
               coalesce(i.entity_ramp_id::text, ''), p.ramp::text, i.attempts, {PAYS_BILL}
        FROM next JOIN syncing_syncitem i ON i.id = next.id
        JOIN syncing_itempayload p ON p.item_id = i.id
        ORDER BY next.due_at, i.id
        """,  # noqa: S608  a constant of this program
        [connection_id, limit],
    )
    return [
        Blocked(
            cause,
            Claimed(id_, type_, ramp_id, entity, body, None, attempts, 0, pays_bill=pays_bill),
        )
        for cause, id_, type_, ramp_id, entity, body, attempts, pays_bill in found
    ]


NEAREST = 100
"""Items of a cause that are due for its next look. One would do, if none went its own way."""
REST = timedelta(hours=1)
"""Until the others are due: no look writes 100,000 rows, and a release frees them all."""


def recheck_later(connection_id: uuid.UUID, cause: str, seconds: float) -> None:
    """Look at a cause again after so many seconds; all its items wait for the same look."""
    execute(
        """
        WITH nearest AS (
            SELECT id FROM syncing_syncitem
            WHERE connection_id = %(connection)s AND state = 'FAILED' AND blocked_by = %(cause)s
              AND due_at <= now()
            ORDER BY id LIMIT %(nearest)s
        )
        UPDATE syncing_syncitem i
        SET due_at = now() + CASE WHEN i.id IN (SELECT id FROM nearest)
            THEN %(seconds)s * interval '1s' ELSE %(rest)s END
        WHERE connection_id = %(connection)s AND state = 'FAILED' AND blocked_by = %(cause)s
          AND due_at <= now()
        """,
        {
            "connection": connection_id,
            "cause": cause,
            "nearest": NEAREST,
            "seconds": seconds,
            "rest": REST,
        },
    )
