"""Names what each file requires in a property of its own, for those who ask who needs a project."""

from django.db import migrations
from packaging.utils import canonicalize_name

from packages.metadata import requirement_in
from packages.properties import key_of_value

_BATCH = 5_000


def name_requirements(apps, schema_editor):
    """Give the files that are here the property that later ones get when they are read.

    What people said stays theirs: nothing is made of it when files are read either.
    """
    Property = apps.get_model("packages", "Property")
    said = Property.objects.filter(name="pypi.requires.dist").exclude(origin="person")
    last = 0
    while batch := list(said.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        Property.objects.bulk_create(
            (_named(Property, row, requirement.name) for row in batch
             if (requirement := requirement_in(row.value)) is not None),
            ignore_conflicts=True,
        )


def _named(Property, row, name):
    value = str(canonicalize_name(name))
    return Property(
        distribution_id=row.distribution_id,
        name="pypi.requires.name",
        value=value,
        origin=row.origin,
        version_key=key_of_value(value),
    )


class Migration(migrations.Migration):

    dependencies = [
        ("packages", "0011_last_uploads"),
    ]

    operations = [
        migrations.RunPython(name_requirements, migrations.RunPython.noop),
    ]
