from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("syncing", "0031_hours_of_everything")]

    operations = [
        migrations.AddField(
            model_name="syncitem",
            name="intended_at",
            field=models.DateTimeField(
                blank=True, help_text="When a document was last frozen, to be sent.", null=True
            ),
        ),
    ]
