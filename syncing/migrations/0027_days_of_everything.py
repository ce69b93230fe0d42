from django.db import migrations, models

_SPANS = [
    ("minute", "Minute"), ("hour", "Hour"), ("day", "Day"), ("all", "Day of everything"),
]  # fmt: skip
_FILL = """
    INSERT INTO syncing_flowbucket (span, at, erp_name, owner, object_type, change, detail,
        currency, exponent, items, amount_minor)
    SELECT 'all', at, '', '', '', change, detail, currency, exponent, sum(items),
        sum(amount_minor)
    FROM syncing_flowbucket
    WHERE span = 'day' AND connection_id IS NULL AND change <> 'moved'
    GROUP BY at, change, detail, currency, exponent
"""
_EMPTY = "DELETE FROM syncing_flowbucket WHERE span = 'all'"


class Migration(migrations.Migration):
    dependencies = [("syncing", "0026_fleet_figures_and_webhook_headers")]

    operations = [
        migrations.AlterField(
            "flowbucket", "span", models.CharField(choices=_SPANS, max_length=6)
        ),
        migrations.AlterField(
            "latencybucket", "span", models.CharField(choices=_SPANS, max_length=6)
        ),
        migrations.RunSQL(_FILL, _EMPTY),
    ]
