"""Indexes the words of documents as each database does it, and gives old properties their order.

PostgreSQL: GIN over the words as they stand, in columns that Django does not know, and over the trigrams of names where pg_trgm can be
had. SQLite: an FTS5 table over the columns, which triggers keep. Whoever alters packages_document
on SQLite makes the triggers again, for Django makes the table anew.
"""

from django.db import DatabaseError, migrations, transaction

from packages.properties import key_of_value

_ON_POSTGRESQL = [
    # READMEs stand apart, so that looking through names and words reads a fraction of the table.
    "ALTER TABLE packages_document SET (toast_tuple_target = 128)",
    'ALTER TABLE packages_document ALTER COLUMN normalized TYPE varchar(200) COLLATE "C"',
    "ALTER TABLE packages_document"
    " ADD COLUMN about_vector tsvector"
    " GENERATED ALWAYS AS (array_to_tsvector(string_to_array(about, ' '))) STORED,"
    " ADD COLUMN words_vector tsvector"
    " GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    "CREATE INDEX document_about ON packages_document USING gin (about_vector)",
    "CREATE INDEX document_words ON packages_document USING gin (words_vector)",
    # That a value is common is a matter of its name: "yes" of qa.approved, not of pypi.summary.
    "CREATE STATISTICS property_name_and_value (mcv) ON name, value FROM packages_property",
    "ALTER STATISTICS property_name_and_value SET STATISTICS 1000",
]
_TRIGRAMS = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX document_name_trigrams ON packages_document"
    " USING gin (normalized gin_trgm_ops)",
]

_INTO = "INTO packages_document_words(rowid, about, words)"
_GONE = (
    "INSERT INTO packages_document_words(packages_document_words, rowid, about, words)"
    " VALUES ('delete', old.project_id, old.about, old.words)"
)
_ON_SQLITE = [
    "CREATE VIRTUAL TABLE packages_document_words USING fts5(about, words,"
    " content='packages_document', content_rowid='project_id',"
    " tokenize='unicode61 remove_diacritics 0', prefix='2 3')",
    "CREATE TRIGGER packages_document_added AFTER INSERT ON packages_document BEGIN"
    f" INSERT {_INTO} VALUES (new.project_id, new.about, new.words); END",
    f"CREATE TRIGGER packages_document_gone AFTER DELETE ON packages_document BEGIN {_GONE}; END",
    "CREATE TRIGGER packages_document_changed AFTER UPDATE ON packages_document BEGIN"
    f" {_GONE}; INSERT {_INTO} VALUES (new.project_id, new.about, new.words); END",
    # What is there already was added before there was a trigger.
    "INSERT INTO packages_document_words(packages_document_words) VALUES ('rebuild')",
]
_OFF_POSTGRESQL = [
    "DROP STATISTICS property_name_and_value",
    "DROP INDEX IF EXISTS document_name_trigrams",
    "ALTER TABLE packages_document DROP COLUMN about_vector, DROP COLUMN words_vector",
]
_OFF_SQLITE = [
    "DROP TRIGGER packages_document_added",
    "DROP TRIGGER packages_document_gone",
    "DROP TRIGGER packages_document_changed",
    "DROP TABLE packages_document_words",
]
_BATCH = 5000


def index_words(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        for statement in _ON_SQLITE:
            schema_editor.execute(statement)
        return
    for statement in _ON_POSTGRESQL:
        schema_editor.execute(statement)
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            for statement in _TRIGRAMS:
                schema_editor.execute(statement)
    except DatabaseError:
        # Not installed, or not ours to create: names are then looked through one by one, which
        # tens of thousands of projects bear well.
        pass


def unindex_words(apps, schema_editor):
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _OFF_POSTGRESQL if is_postgresql else _OFF_SQLITE:
        schema_editor.execute(statement)


def order_versions(apps, schema_editor):
    """Give each property that is a version its key, a batch at a time."""
    rows = apps.get_model("packages", "Property").objects.filter(value__regex=r"^\s*[vV]?[0-9]")
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        for row in batch:
            row.version_key = key_of_value(row.value)
        rows.bulk_update([row for row in batch if row.version_key], ["version_key"])


class Migration(migrations.Migration):
    dependencies = [("packages", "0008_search")]

    operations = [
        migrations.RunPython(index_words, unindex_words),
        migrations.RunPython(order_versions, migrations.RunPython.noop),
    ]
