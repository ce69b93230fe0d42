"""Notice that the database has forgotten commits: after a failover, or from a restored backup.

What was READY before it may have been posted all the same. The first time that such an item is to
be sent it is treated as if its outcome were unknown: looked up, sent again under the same key, or
parked (rule 12, I5, I10), however long it has waited. What comes to light for the first time within
a day, and was ready in Ramp before, is treated alike.
"""

from django.db import connection as database

from syncing.models import DatabaseIdentity

SUSPECT_HOURS = 24
"""For so long what nobody here has seen yet may have been known before, and be forgotten."""
WHY = "The database has forgotten some of its last changes, so it may be posted already."

# The control file tells the timeline of the last checkpoint, which after a failover takes minutes.
WHO = """
    SELECT system_identifier::text AS system_identifier,
           ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
    FROM pg_control_system()
"""
"""SQL: which server this is, and on which timeline it writes."""

_LOOK = f"""
    INSERT INTO syncing_databaseidentity AS known (id, system_identifier, timeline)
    SELECT 1, * FROM ({WHO}) who
    ON CONFLICT (id) DO UPDATE
    SET system_identifier = excluded.system_identifier, timeline = excluded.timeline,
        changed_at = now(), suspect_until = now() + %s * interval '1 hour'
    WHERE (known.system_identifier, known.timeline)
        IS DISTINCT FROM (excluded.system_identifier, excluded.timeline)
"""  # noqa: S608  constants of this file

IS_UNNOTICED = f"""
    EXISTS (SELECT FROM syncing_databaseidentity known, ({WHO}) who
            WHERE (known.system_identifier, known.timeline)
                IS DISTINCT FROM (who.system_identifier, who.timeline))
"""  # noqa: S608  a constant of this file
"""SQL: whether the server is another, and no sweep has looked at it yet."""


def look_at_database() -> bool:
    """Compare the server with the one that wrote our rows. True if it has just changed."""
    with database.cursor() as cursor:
        known = DatabaseIdentity.objects.exists()
        cursor.execute(_LOOK, [SUSPECT_HOURS])
        return known and cursor.rowcount == 1
