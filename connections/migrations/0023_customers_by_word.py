from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("connections", "0022_kinds_of_erp")]

    operations = [
        migrations.AddIndex(
            "connection",
            GinIndex(
                models.Func(
                    models.Func(
                        models.Func(Lower("name"), models.Value(" "), function="string_to_array"),
                        models.Value(""),
                        function="array_remove",
                    ),
                    function="array_to_tsvector",
                ),
                name="connection_by_word",
            ),
        ),
    ]
