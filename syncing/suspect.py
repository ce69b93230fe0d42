"""Notice that the database has forgotten commits: after a failover, or from a restored backup.

What was READY before it may have been posted all the same. For a day such items are treated as if
their outcome were unknown: looked up, sent again under the same key, or parked (rule 12, I5, I10).
"""

from django.db import connection as database

from syncing.models import DatabaseIdentity

SUSPECT_HOURS = 24
WHY = "The database has forgotten some of its last changes, so it may be posted already."

_LOOK = """
    INSERT INTO syncing_databaseidentity AS known (id, system_identifier, timeline)
    SELECT 1, system.system_identifier::text, control.timeline_id
    FROM pg_control_system() system, pg_control_checkpoint() control
    ON CONFLICT (id) DO UPDATE
    SET system_identifier = excluded.system_identifier, timeline = excluded.timeline,
        changed_at = now(), suspect_until = now() + %s * interval '1 hour'
    WHERE (known.system_identifier, known.timeline)
        IS DISTINCT FROM (excluded.system_identifier, excluded.timeline)
"""


def look_at_database() -> bool:
    """Compare the server with the one that wrote our rows. True if it has just changed."""
    with database.cursor() as cursor:
        known = DatabaseIdentity.objects.exists()
        cursor.execute(_LOOK, [SUSPECT_HOURS])
        return known and cursor.rowcount == 1
