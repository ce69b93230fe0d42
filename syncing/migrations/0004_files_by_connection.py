import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0003_report_size_is_capped'),
        ('syncing', '0003_erp_silent_since'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='attachment',
            name='attachments_due',
        ),
        migrations.AlterField(
            model_name='attachment',
            name='source',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name='attachment',
            name='connection',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='connections.connection'),
        ),
        migrations.RunSQL(
            "UPDATE syncing_attachment a SET connection_id = i.connection_id"
            " FROM syncing_syncitem i WHERE i.id = a.item_id;"
            " SET CONSTRAINTS ALL IMMEDIATE",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name='attachment',
            name='connection',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='connections.connection'),
        ),
        migrations.AddIndex(
            model_name='attachment',
            index=models.Index(condition=models.Q(('state__in', ['due', 'sending'])), fields=['connection', 'due_at'], name='attachments_due'),
        ),
    ]
