from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    atomic = False  # the table is large, and items must be written while the index is made
    dependencies = [("syncing", "0037_shares_of_the_totals")]

    operations = [
        AddIndexConcurrently(
            "syncitem",
            models.Index(
                OpClass(Lower("label"), name="text_pattern_ops"),
                include=["id", "label", "ready_at", "currency", "exponent", "amount_minor"],
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_of_label",
            ),
        ),
        RemoveIndexConcurrently("syncitem", "item_open_by_label"),
        AddIndexConcurrently(
            "syncitem",
            models.Index(
                fields=["ready_at", "id"],
                include=["connection", "currency", "exponent", "amount_minor"],
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_since",
            ),
        ),
        RemoveIndexConcurrently("syncitem", "item_open_in_time"),
    ]
