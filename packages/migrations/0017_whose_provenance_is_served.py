from django.db import migrations, models

_PUBLIC = ("https://github.com/", "https://gitlab.com/")


def serve_those_of_public_hosts(apps, schema_editor):
    """Keep the provenance of files whose CI is of public hosts; others' passed for theirs.

    What CI's host is, `source_url` says: its issuer was not kept.
    """
    Provenance = apps.get_model("packages", "Provenance")
    Distribution = apps.get_model("packages", "Distribution")
    attested = Provenance.objects.filter(distribution__is_attested=True)
    for row in attested.only("attested").iterator(chunk_size=500):
        builds = [each["build"] for each in row.attested]
        if all(build["kind"] == "google" or build["source_url"].startswith(_PUBLIC) for build in builds):
            Distribution.objects.filter(pk=row.pk).update(has_provenance=True)
        else:
            Provenance.objects.filter(pk=row.pk).update(document=b"")


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
        migrations.RunPython(serve_those_of_public_hosts, migrations.RunPython.noop),
    ]
