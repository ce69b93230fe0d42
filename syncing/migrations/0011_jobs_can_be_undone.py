from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('syncing', '0010_found_by_number_and_day'),
    ]

    operations = [
        migrations.AddField(
            model_name='jobitem',
            name='before',
            field=models.JSONField(blank=True, help_text='What the job has replaced, to be put back by an undo.', null=True),
        ),
        migrations.AlterField(
            model_name='job',
            name='act',
            field=models.CharField(choices=[('retry', 'Retry'), ('assign', 'Assign'), ('tag', 'Tag'), ('untag', 'Remove a tag'), ('snooze', 'Snooze'), ('outside', 'Mark handled outside'), ('undo', 'Undo')], max_length=8),
        ),
    ]
