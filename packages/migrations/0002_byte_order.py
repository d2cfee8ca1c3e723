"""Lets PostgreSQL order names and version keys by bytes, as SQLite does.

A database's own locale would sort punctuation away and put versions in the wrong order.
"""

from django.db import migrations

COLUMNS = (
    ("packages_release", "version_key", 1000),
    ("packages_project", "normalized", 200),
    ("packages_distribution", "filename", 255),
)


def order_by_bytes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column, length in COLUMNS:
        schema_editor.execute(
            f'ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length}) COLLATE "C"'
        )


class Migration(migrations.Migration):
    dependencies = [("packages", "0001_initial")]

    operations = [migrations.RunPython(order_by_bytes, migrations.RunPython.noop)]
