from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the table is large, and items must be written while the index is made
    dependencies = [("syncing", "0035_amounts_of_what_is_open")]

    operations = [
        AddIndexConcurrently(
            "periodcount",
            models.Index(
                fields=["period", "connection"],
                include=["standing", "currency", "exponent", "items", "amount_minor"],
                condition=models.Q(items__gt=0),
                name="period_lines_of_month",
            ),
        ),
        RemoveIndexConcurrently("periodcount", "period_counts_of_month"),
    ]
