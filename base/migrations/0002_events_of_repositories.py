"""Says of each audit event which repository it is about, so that a repository's own are found."""

from django.db import migrations, models
from django.db.models import Q

# What the subjects of these begin with is tenant and key.
_ABOUT = (
    "repository.", "members.", "virtual.", "claims.", "claim.", "also_upstream.", "grant.",
    "upstream.", "contents.", "distribution.", "properties.", "extraction.",
)
_BATCH = 5000


def name_repositories(apps, schema_editor):
    """Fill the new column, a batch at a time."""
    about = Q()
    for each in _ABOUT:
        about |= Q(action__startswith=each)
    rows = apps.get_model("base", "AuditEvent").objects.filter(about).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1].pk
        for row in batch:
            row.repository = "/".join(row.subject.split("/")[:2])[:201]
        rows.bulk_update(batch, ["repository"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("base", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="repository",
            field=models.CharField(blank=True, default="", max_length=201),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                fields=["repository", "-at", "-id"], name="audit_of_a_repository"
            ),
        ),
        migrations.RunPython(name_repositories, migrations.RunPython.noop),
    ]
