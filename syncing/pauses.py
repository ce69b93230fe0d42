"""Pauses: nothing of one type, or of all, is posted for a customer, and why.

A person pauses and resumes. rampbridge pauses by itself a type of which many in a row are refused
for the same reason that only we can mend: they would all end up with the customer as errors. Now
and then one item alone, the canary, is let through; if it is booked, the pause is over.

A pause touches no item: `claims.lock_ready` and the sweep pass paused types over. What is under way
is settled and reported all the same.
"""

import uuid
from datetime import timedelta

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections.models import Connection
from syncing.incident_pauses import CANARY_EVERY
from syncing.models import Flow, Pause, Schedule, SyncItem
from syncing.statements import execute, rows, storable

WARN_AFTER = 10
PAUSE_AFTER = 25
"""Refusals in a row for the same reason, until somebody should look, and until it pauses."""
FIRST_CANARY = timedelta(minutes=5)
RAREST_CANARY = timedelta(hours=4)
"""Between two canaries: twice as long after each that did not come through."""


def pause(connection: Connection, object_type: str, reason: str, actor: str) -> None:
    """Post nothing of a type (empty: of any) until `resume`. An automatic pause becomes theirs.

    :param reason: words fit to show
    """
    execute(
        """
        INSERT INTO syncing_pause AS p (connection_id, object_type, reason, is_automatic, paused_at,
            paused_by, canaries, resumed_by, resumed_because)
        VALUES (%(connection)s, %(type)s, %(reason)s, false, now(), %(actor)s, 0, '', '')
        ON CONFLICT (connection_id, object_type) WHERE resumed_at IS NULL DO UPDATE
        SET reason = excluded.reason, is_automatic = false, paused_by = excluded.paused_by,
            canary_due_at = NULL, incident_id = NULL
        """,
        {
            "connection": connection.pk,
            "type": object_type,
            "reason": storable(reason)[:300],
            "actor": actor,
        },
    )


@transaction.atomic
def resume(connection: Connection, object_type: str, reason: str, actor: str) -> bool:
    """End a pause and forget the refusals before it. False if there was none.

    `object_type` is the pause's own: to end that of all types (empty) leaves single types paused.
    """
    ended = execute(
        """
        UPDATE syncing_pause
        SET resumed_at = now(), resumed_by = %s, resumed_because = %s
        WHERE connection_id = %s AND object_type = %s AND resumed_at IS NULL
        """,
        [actor, storable(reason)[:300], connection.pk, object_type],
    )
    if ended:
        refused = Flow.objects.filter(connection=connection)
        if object_type:
            refused = refused.filter(object_type=object_type)
        refused.update(refused_in_a_row=0, refused_code="", warned_at=None)
        asked = Schedule.objects.filter(pk=connection.pk)
        if object_type:
            asked.update(rung_at=None)
        else:
            asked.update(rung_at=None, resume_at=None)  # whoever says so has looked at the ERP
    return bool(ended)


def standing(connection: Connection) -> list[Pause]:
    """What is paused now; a pause of all types comes first."""
    return list(connection.pauses.filter(resumed_at=None).order_by("object_type"))


def is_paused(connection: Connection, object_type: str) -> bool:
    """Whether nothing of a type is posted now, by a pause of it or of all types."""
    return connection.pauses.filter(resumed_at=None, object_type__in=["", object_type]).exists()


@transaction.atomic
def let_one_through(item: SyncItem) -> bool:
    """Have one item go although a person has paused its type: it alone, and the pause stays.

    It goes as soon as a worker comes. False if it is not ready to go, or its type is not paused.
    """
    first = execute(
        """
        UPDATE syncing_syncitem i SET due_at = least(now(), (
            SELECT min(q.due_at) FROM syncing_syncitem q
            WHERE q.connection_id = i.connection_id AND q.object_type = i.object_type
              AND q.state = 'READY')) - interval '1 second'
        WHERE i.id = %s AND i.state = 'READY' AND i.due_at IS NOT NULL
        """,
        [item.pk],
    )
    if not first:
        return False
    opened = item.connection.pauses.filter(
        object_type=item.object_type, resumed_at=None, is_automatic=False, incident=None
    )
    if not opened.update(canary_due_at=Now()):
        return False
    Schedule.objects.filter(pk=item.connection_id).update(rung_at=None)
    return True


def take_canary(connection_id: uuid.UUID, *, fresh_seconds: float) -> str | None:
    """The type of which one item may be let through now; None if none is due.

    Of a pause of all types, which an incident made, it is the type of what waits longest.

    :param fresh_seconds: how long ago an item may have been read from Ramp to be posted

    The next one is planned at once, of a type's own pause twice as far away: what dies on the way
    has used its chance.
    """
    found = rows(
        f"""
        WITH candidate AS (
            SELECT p.id, t.object_type
            FROM syncing_pause p
            JOIN unnest(%(types)s::text[]) AS t(object_type) ON p.object_type IN ('', t.object_type)
            CROSS JOIN LATERAL (
                SELECT i.due_at FROM syncing_syncitem i
                WHERE i.connection_id = p.connection_id AND i.object_type = t.object_type
                  AND i.state = 'READY' AND i.due_at <= now()
                  AND i.snapshot_at > now() - %(fresh)s * interval '1s'
                ORDER BY i.due_at LIMIT 1
            ) first
            WHERE p.connection_id = %(connection)s AND {CANARY_IS_DUE}
              AND NOT EXISTS (  -- what another pause stops as well
                  SELECT FROM syncing_pause a WHERE a.connection_id = p.connection_id
                    AND a.id <> p.id AND a.object_type IN ('', t.object_type)
                    AND a.resumed_at IS NULL)
            ORDER BY p.canary_due_at, first.due_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED
        )
        UPDATE syncing_pause p
        SET canaries = canaries + 1,
            canary_due_at = CASE
                WHEN p.incident_id IS NOT NULL THEN now() + %(together)s
                WHEN NOT p.is_automatic THEN NULL  -- somebody has let one through, and no other
                ELSE now() + least(%(rarest)s, %(first)s * 2.0 ^ least(canaries + 1, 30)) END
        FROM candidate c WHERE p.id = c.id
        RETURNING c.object_type
        """,  # noqa: S608  a constant of this file
        {
            "connection": connection_id,
            "types": SyncItem.ObjectType.values,
            "first": FIRST_CANARY,
            "rarest": RAREST_CANARY,
            "together": CANARY_EVERY,
            "fresh": fresh_seconds,
        },
    )
    return found[0][0] if found else None


CANARY_IS_DUE = "p.resumed_at IS NULL AND p.canary_due_at <= now()"
"""Of `p`, a pause."""

BLOCKS = "p.resumed_at IS NULL AND p.object_type IN ('', t.object_type)"
"""Whether `p`, a pause of the connection, stops the type `t.object_type`."""

REFUSED = f"""
    counted AS (
        INSERT INTO syncing_flow AS f
            (connection_id, object_type, refused_in_a_row, refused_code, warned_at)
        SELECT connection_id, object_type, n, code, CASE WHEN n >= {WARN_AFTER} THEN now() END
        FROM (
            SELECT DISTINCT ON (connection_id, object_type)
                connection_id, object_type, code, count(*) AS n
            FROM moved
            -- a cause that has a name frees its items by itself, and bad data is the item's own
            WHERE category = 'needs_integrator' AND cause = '' AND origin IN ('erp', 'us')
            GROUP BY connection_id, object_type, code
            ORDER BY connection_id, object_type, n DESC, code
        ) most
        ON CONFLICT (connection_id, object_type) DO UPDATE SET
            refused_in_a_row = CASE WHEN f.refused_code = excluded.refused_code
                THEN f.refused_in_a_row ELSE 0 END + excluded.refused_in_a_row,
            refused_code = excluded.refused_code,
            warned_at = CASE
                WHEN f.refused_code = excluded.refused_code
                    AND f.refused_in_a_row + excluded.refused_in_a_row >= {WARN_AFTER}
                THEN coalesce(f.warned_at, now())
                ELSE excluded.warned_at END
        RETURNING connection_id, object_type, refused_in_a_row, refused_code
    ), paused AS (
        INSERT INTO syncing_pause (connection_id, object_type, reason, is_automatic, paused_at,
            paused_by, canary_due_at, canaries, resumed_by, resumed_because)
        SELECT c.connection_id, c.object_type, left(c.refused_in_a_row
                || ' in a row were refused for the same reason: ' || max(m.title), 300),
            true, now(), '', now() + interval '{FIRST_CANARY.total_seconds()}s', 0, '', ''
        FROM counted c JOIN moved m
            ON (m.connection_id, m.object_type, m.code)
             = (c.connection_id, c.object_type, c.refused_code)
        WHERE c.refused_in_a_row >= {PAUSE_AFTER}
        GROUP BY c.connection_id, c.object_type, c.refused_in_a_row
        ON CONFLICT (connection_id, object_type) WHERE resumed_at IS NULL DO NOTHING
    )
"""  # noqa: S608  constants of this file
"""Counts refusals and pauses at too many, in the statement that writes them: `moved`
(connection_id, object_type, code, category, origin, cause, title) are the items just refused."""

BOOKED = """
    types AS (SELECT DISTINCT connection_id, object_type FROM moved),
    flowing AS (
        INSERT INTO syncing_flow AS f
            (connection_id, object_type, refused_in_a_row, refused_code, last_posted_at)
        SELECT connection_id, object_type, 0, '', now() FROM types
        ON CONFLICT (connection_id, object_type) DO UPDATE
        SET refused_in_a_row = 0, refused_code = '', warned_at = NULL, last_posted_at = now()
    ), resumed AS (
        UPDATE syncing_pause p SET resumed_at = now(), resumed_because = 'One item went through.'
        FROM types t
        WHERE p.connection_id = t.connection_id AND p.object_type = t.object_type
          AND p.is_automatic AND p.resumed_at IS NULL
        RETURNING p.connection_id, p.object_type
    )
"""
"""Ends the row of refusals and the automatic pause of each type of `moved` (connection_id,
object_type), the items just booked, in the statement that writes them."""

RESUMED_LINES = """
    SELECT m.id, now(), 'note', 'Posting was paused. This one went through, so all follow.',
           '{}'::jsonb, '' FROM moved m JOIN resumed USING (connection_id, object_type)
"""
"""The timeline's lines of what ended a pause."""
