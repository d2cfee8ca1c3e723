from django.db import migrations
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_AT_ONCE = 5_000


def name_requirements(apps, schema_editor):
    """Give the files that are here the property that later ones get when they are read."""
    Property = apps.get_model("packages", "Property")
    said = Property.objects.filter(name="pypi.requires.dist").order_by("pk")
    made = []
    for distribution, text, origin in said.values_list(
        "distribution", "value", "origin"
    ).iterator(chunk_size=_AT_ONCE):
        try:
            name = canonicalize_name(Requirement(text).name)
        except (InvalidRequirement, RecursionError):
            continue
        made.append(
            Property(
                distribution_id=distribution, name="pypi.requires.name", value=name, origin=origin
            )
        )
        if len(made) >= _AT_ONCE:
            Property.objects.bulk_create(made, ignore_conflicts=True)
            made = []
    Property.objects.bulk_create(made, ignore_conflicts=True)


class Migration(migrations.Migration):

    dependencies = [
        ("packages", "0011_last_uploads"),
    ]

    operations = [
        migrations.RunPython(name_requirements, migrations.RunPython.noop),
    ]
