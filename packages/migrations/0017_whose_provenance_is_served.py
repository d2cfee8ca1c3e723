from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('packages', '0016_provenance'),
    ]

    operations = [
        migrations.AddField(
            model_name='distribution',
            name='has_provenance',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name='distribution',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['repository', 'is_attested', 'id'], name='distribution_attested'),
        ),
        migrations.AddIndex(
            model_name='distribution',
            index=models.Index(condition=models.Q(('deleted_at__isnull', True)), fields=['repository', 'is_attested', 'filename'], name='distribution_attested_by_name'),
        ),
    ]
