"""Lets PostgreSQL order paths by bytes, as SQLite does: a folder is what lies between two texts."""

from django.db import migrations


def order_by_bytes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE packages_distribution "
            'ALTER COLUMN path TYPE varchar(700) COLLATE "C"'
        )


class Migration(migrations.Migration):
    dependencies = [("packages", "0014_cache_purges")]

    operations = [migrations.RunPython(order_by_bytes, migrations.RunPython.noop)]
