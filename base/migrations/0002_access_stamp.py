"""Makes the one row of the access stamp."""

from django.db import migrations


def make_row(apps, schema_editor):
    apps.get_model("base", "AccessStamp").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("base", "0001_initial")]

    operations = [migrations.RunPython(make_row, migrations.RunPython.noop)]
