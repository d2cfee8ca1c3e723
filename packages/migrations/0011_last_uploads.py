"""Says of each project when something was last uploaded, and indexes what pages put in order by.

PostgreSQL: names of projects also get their trigrams indexed, where pg_trgm can be had, for those
who filter a long list by a part of a name.
"""

from django.db import DatabaseError, migrations, models, transaction

_TRIGRAMS = (
    "CREATE INDEX project_name_trigrams ON packages_project USING gin (normalized gin_trgm_ops)"
)


def note_last_uploads(apps, schema_editor):
    """Take the time of each project's newest file."""
    distributions = apps.get_model("packages", "Distribution").objects
    newest = (
        distributions.filter(release__project=models.OuterRef("pk"))
        .values("release__project")
        .annotate(at=models.Max("uploaded_at"))
        .values("at")
    )
    apps.get_model("packages", "Project").objects.update(last_upload_at=models.Subquery(newest))


def index_parts_of_names(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute(_TRIGRAMS)
    except DatabaseError:
        pass  # no pg_trgm, as in 0009_search_words: names are looked through one by one


def unindex_parts_of_names(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS project_name_trigrams")


class Migration(migrations.Migration):
    dependencies = [("packages", "0010_statistics")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="last_upload_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="project",
            index=models.Index(
                fields=["repository", "-last_upload_at", "-id"], name="project_by_last_upload"
            ),
        ),
        migrations.AddIndex(
            model_name="distribution",
            index=models.Index(
                condition=models.Q(("upstream_change", ""), _negated=True)
                & models.Q(("deleted_at__isnull", True)),
                fields=["repository", "filename"],
                name="distribution_changed_upstream",
            ),
        ),
        migrations.RunPython(note_last_uploads, migrations.RunPython.noop),
        migrations.RunPython(index_parts_of_names, unindex_parts_of_names),
    ]
