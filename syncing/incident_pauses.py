"""Pauses that many customers share: they end as one, by an item that went through or by a person.

Who pauses for an incident, and who sends the canary, is decided in `syncing.incidents`.
"""

from datetime import timedelta

from django.db import transaction

from syncing.models import Incident
from syncing.statements import execute, rows, storable

FIRST_CANARY = timedelta(minutes=1)
"""After an incident was opened: most outages are short."""
CANARY_EVERY = timedelta(minutes=5)
"""Between two items that one customer of the incident after the other sends to see."""

BOOKED = """
    over AS (
        UPDATE syncing_incident n
        SET ended_at = now(),
            ended_because = left('One item of ' || c.name || ' went through.', 300)
        FROM shown
        JOIN connections_connection c ON c.id = shown.connection_id
        JOIN syncing_pause p ON p.connection_id = shown.connection_id
        WHERE p.object_type = '' AND p.resumed_at IS NULL AND p.canaries > 0
          AND n.id = p.incident_id AND n.ended_at IS NULL
        RETURNING n.id, n.ended_because
    ), together AS (
        UPDATE syncing_pause p
        SET resumed_at = now(), canary_due_at = NULL, resumed_because = over.ended_because
        FROM over WHERE p.incident_id = over.id AND p.resumed_at IS NULL
        RETURNING p.connection_id
    ), free AS (  -- whoever is at work there finds out by itself, and must not be waited for
        SELECT s.connection_id FROM syncing_schedule s JOIN together USING (connection_id)
        WHERE s.connection_id NOT IN (SELECT connection_id FROM shown)
        FOR UPDATE OF s SKIP LOCKED
    ), woken AS (
        UPDATE syncing_schedule s SET resume_at = NULL, rung_at = NULL
        FROM free WHERE s.connection_id = free.connection_id
    )
"""
"""Ends the incident of which the customer in `shown` (connection_id) has sent a canary, and all its
pauses, in the statement that writes `moved`, the items just booked.

Where a circuit is open it is closed as far as one item, which probes: that one customer's ERP
answers says little of another's.
"""

RESUMED_LINES = """
    SELECT max(m.id), now(), 'note',
           'Posting was paused at many customers. This one went through, so all go on.',
           '{}'::jsonb, '' FROM moved m JOIN over ON true HAVING count(*) > 0
"""
"""The timeline's line of what ended an incident."""


@transaction.atomic
def end(incident: Incident, *, reason: str, actor: str) -> list[str]:
    """End an incident and all its pauses. Returns the customers that go on; none if it was over.

    :param reason: words fit to show
    """
    why = storable(reason)[:300]
    if not execute(
        "UPDATE syncing_incident SET ended_at = now(), ended_by = %s, ended_because = %s"
        " WHERE id = %s AND ended_at IS NULL",
        [actor, why, incident.pk],
    ):
        return []
    resumed = rows(
        "UPDATE syncing_pause SET resumed_at = now(), canary_due_at = NULL, resumed_by = %s,"
        " resumed_because = %s WHERE incident_id = %s AND resumed_at IS NULL"
        " RETURNING connection_id",
        [actor, why, incident.pk],
    )
    connections = sorted(str(connection) for (connection,) in resumed)
    execute(
        """
        WITH free AS (
            SELECT connection_id FROM syncing_schedule WHERE connection_id = ANY(%s::uuid[])
            ORDER BY connection_id FOR UPDATE
        )
        UPDATE syncing_schedule s SET resume_at = NULL, rung_at = NULL
        FROM free WHERE s.connection_id = free.connection_id
        """,
        [connections],
    )
    return connections
