from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the tables are large, and must be written while the indexes are made
    dependencies = [("syncing", "0038_open_items_by_index_alone")]

    operations = [
        AddIndexConcurrently(
            "flowbucket",
            models.Index(
                fields=["span", "erp_name", "owner", "at"],
                include=["change", "detail", "items"],
                condition=models.Q(connection=None, span__in=["all", "hours"]),
                name="flow_sums_alone",
            ),
        ),
        RemoveIndexConcurrently("flowbucket", "flow_sums"),
        AddIndexConcurrently(
            "fleetsample",
            models.Index(
                fields=["at", "object_type", "erp_name", "owner"],
                include=["band", "currency", "items", "amount_minor"],
                name="fleet_samples_alone",
            ),
        ),
        RemoveIndexConcurrently("fleetsample", "fleet_samples"),
    ]
