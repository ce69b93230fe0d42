"""The hours of everything, and the days of each ERP's and each owner's, from what is kept."""

from django.db import migrations, models

_SPANS = [
    ("minute", "Minute"),
    ("hour", "Hour"),
    ("day", "Day"),
    ("all", "Day of everything"),
    ("hours", "Hour of everything"),
]

_FLOW = """
    INSERT INTO syncing_flowbucket (span, at, erp_name, owner, object_type, change, detail,
        currency, exponent, items, amount_minor)
    SELECT '{made}', at, coalesce(erp_name, ''), coalesce(owner, ''), '', change, detail, currency,
        exponent, sum(items), sum(amount_minor)
    FROM syncing_flowbucket
    WHERE span = '{of}' AND connection_id IS NULL AND change <> 'moved'
    GROUP BY at, change, detail, currency, exponent, GROUPING SETS ({sets})
    HAVING coalesce(erp_name, owner) IS DISTINCT FROM ''
"""
_LATENCY = """
    INSERT INTO syncing_latencybucket (span, at, erp_name, owner, object_type, arrived_by, bin,
        items)
    SELECT 'hours', at, coalesce(erp_name, ''), coalesce(owner, ''), '', '', bin, sum(items)
    FROM syncing_latencybucket WHERE span = 'hour' AND connection_id IS NULL
    GROUP BY at, bin, GROUPING SETS ((), (erp_name), (owner))
    HAVING coalesce(erp_name, owner) IS DISTINCT FROM ''
"""
_FORGET = [
    "DELETE FROM syncing_flowbucket"
    " WHERE span = 'hours' OR span = 'all' AND (erp_name <> '' OR owner <> '')",
    "DELETE FROM syncing_latencybucket WHERE span = 'hours'",
]


class Migration(migrations.Migration):
    dependencies = [("syncing", "0030_samples_of_the_fleet")]

    operations = [
        migrations.AlterField(
            model_name="flowbucket",
            name="span",
            field=models.CharField(choices=_SPANS, max_length=6),
        ),
        migrations.AlterField(
            model_name="latencybucket",
            name="span",
            field=models.CharField(choices=_SPANS, max_length=6),
        ),
        migrations.RunSQL(
            [
                _FLOW.format(made="hours", of="hour", sets="(), (erp_name), (owner)"),
                _FLOW.format(made="all", of="day", sets="(erp_name), (owner)"),
                _LATENCY,
            ],
            _FORGET,
        ),
    ]
