from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the tables are large, and are written while the indexes are made
    dependencies = [("syncing", "0033_lapsed_items_of_a_customer")]

    operations = [
        AddIndexConcurrently(
            "flowbucket",
            models.Index(
                fields=["span", "erp_name", "owner", "at"],
                condition=models.Q(connection=None, span__in=["all", "hours"]),
                name="flow_sums",
            ),
        ),
        AddIndexConcurrently(
            "fleetsample",
            models.Index(fields=["at", "object_type", "erp_name", "owner"], name="fleet_samples"),
        ),
        RemoveIndexConcurrently("fleetsample", "fleet_samples_by_time"),
    ]
