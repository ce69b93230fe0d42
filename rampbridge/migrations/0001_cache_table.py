from django.db import migrations


class Migration(migrations.Migration):
    """The table of Django's database cache, so that no deployment has to remember `createcachetable`.

    Unlogged: it holds counts of sign-in attempts, and a crash may start them anew.
    """

    initial = True
    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE rampbridge_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamp with time zone NOT NULL
            );
            CREATE INDEX rampbridge_cache_expires ON rampbridge_cache (expires);
            """,
            "DROP TABLE rampbridge_cache",
        )
    ]
