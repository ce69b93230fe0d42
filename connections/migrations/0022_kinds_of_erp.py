from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0021_what_filters_offer")]

    operations = [
        migrations.AddIndex(
            "connection",
            models.Index(
                fields=["erp_kind", "erp_name"],
                condition=~models.Q(stage="closed"),
                name="open_by_erp_kind",
            ),
        ),
    ]
