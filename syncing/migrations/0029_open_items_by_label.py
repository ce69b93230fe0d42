from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("syncing", "0028_silent_hosts")]

    operations = [
        migrations.AddIndex(
            "syncitem",
            models.Index(
                OpClass(Lower("label"), name="text_pattern_ops"),
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_by_label",
            ),
        ),
    ]
