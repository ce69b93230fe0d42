from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the table is large, and items must be written while the index is made
    dependencies = [("syncing", "0034_sums_by_whose_they_are")]

    operations = [
        AddIndexConcurrently(
            "syncitem",
            models.Index(
                fields=["ready_at", "id"],
                include=["currency", "exponent", "amount_minor"],
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_in_time",
            ),
        ),
        RemoveIndexConcurrently("syncitem", "item_open_oldest"),
    ]
