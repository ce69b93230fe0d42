"""What was uploaded so far is what Ramp has; each connection gets its mirror."""

from django.db import migrations

UPLOADED = """
    UPDATE {table} SET ramp_name = name, ramp_code = {code}, ramp_is_active = true
    WHERE ramp_id IS NOT NULL
"""
SENT_CODES = {
    "connections_ledgeraccount": "code",
    "connections_customfield": "''",  # Ramp's fields have none
    "connections_fieldoption": "code",
    "connections_vendor": "''",  # were sent without
}


class Migration(migrations.Migration):
    dependencies = [("connections", "0006_mirror_mappings_and_vendors")]

    operations = [
        *(
            migrations.RunSQL(UPLOADED.format(table=table, code=code), migrations.RunSQL.noop)
            for table, code in SENT_CODES.items()
        ),
        migrations.RunSQL(
            """
            INSERT INTO connections_mirror
                (connection_id, is_automatic, asked_by, cursors, ramp_is_empty, failures,
                 blocked_code, blocked_title, blocked_fix, full_due_at)
            SELECT id, true, '', '{}', false, 0, '', '', '', now() FROM connections_connection
            WHERE stage <> 'closed'
            """,
            migrations.RunSQL.noop,
        ),
    ]
