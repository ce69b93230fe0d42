from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the table is large, and items must be written while the index is made
    dependencies = [("syncing", "0032_when_it_was_last_meant_to_be_sent")]

    operations = [
        AddIndexConcurrently(
            "syncitem",
            models.Index(
                fields=["connection", "lease_until"],
                condition=models.Q(state="POSTING"),
                name="item_lapsed",
            ),
        ),
        RemoveIndexConcurrently("syncitem", "item_past_lease"),
    ]
