"""Migrations that move data, over the rows of an older Larder; and the way back.

Each test goes back, writes rows by the models of that time, goes forward and looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from packages.filenames import parse_version
from packages.models import Distribution, Project, Property
from packages.versions import version_key

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Models = Callable[..., Any]


@pytest.fixture
def at() -> Iterator[Callable[[str, str], Models]]:
    """Takes one app to a migration and returns what gives the models of then."""

    def to(app: str, name: str) -> Models:
        MigrationExecutor(connection).migrate([(app, name)])
        loader = MigrationExecutor(connection).loader
        there = [node for node in loader.applied_migrations if node in loader.graph.nodes]
        get_model: Models = loader.project_state(there).apps.get_model
        return get_model

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def a_file(models: Models, filename: str, day: int = 1, **more: Any) -> Any:
    """Write a file of the project frog, in a local of acme, with all that it hangs on."""
    tenant, _ = models("accounts", "Tenant").objects.get_or_create(slug="acme", name="Acme")
    local, _ = models("repos", "Repository").objects.get_or_create(
        tenant=tenant, key="local", kind="local", defaults={"created_at": MOMENT}
    )
    project, _ = models("packages", "Project").objects.get_or_create(
        repository=local, name="Frog", normalized="frog", defaults={"created_at": MOMENT}
    )
    release, _ = models("packages", "Release").objects.get_or_create(
        project=project, version="1.0", canonical="1", version_key="1",
        defaults={"created_at": MOMENT},
    )  # fmt: skip
    blob = models("packages", "Blob").objects.create(
        tenant=tenant, sha256=filename, size=3, storage_key=filename, named_at=MOMENT
    )
    return models("packages", "Distribution").objects.create(
        repository=local, release=release, blob=blob, filename=filename, path=filename,
        identity=filename, kind="wheel", size=3, sha256=filename,
        uploaded_at=MOMENT.replace(day=day), **more,
    )  # fmt: skip


def a_property(models: Models, file: Any, name: str, value: str, **more: Any) -> None:
    models("packages", "Property").objects.create(distribution=file, name=name, value=value, **more)


def test_files_are_counted_for_the_quota_and_all_of_it_comes_to_the_present(at) -> None:
    models = at("packages", "0002_byte_order")
    a_file(models, "frog-1")
    a_file(models, "frog-2", deleted_at=MOMENT)  # restorable, so it counts
    gone = a_file(models, "frog-3", deleted_at=MOMENT)
    models("packages", "Distribution").objects.filter(pk=gone.pk).update(blob=None)
    models("accounts", "Tenant").objects.create(slug="globex", name="Globex")
    models = at("packages", "0003_findings_and_upstream_pages")
    counted = models("accounts", "Tenant").objects.values_list("slug", "used_files")
    assert dict(counted) == {"acme": 2, "globex": 0}
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert Distribution.objects.count() == 3
    assert Project.objects.get().last_upload_at == MOMENT.replace(day=1)


def test_versions_get_their_order_and_documents_their_words(at) -> None:
    models = at("packages", "0008_search")
    file = a_file(models, "frog-1")
    values = ("1.10", "v2.0rc1", " 3 ", "frog", "2to3", "1" * 900)
    for value in values:
        a_property(models, file, "pypi.version", value)
    models("packages", "Document").objects.create(
        project=file.release.project, repository=file.repository, normalized="frog", name="frog",
        words="croaking",
    )  # fmt: skip
    at("packages", "0009_search_words")
    keys = dict(Property.objects.values_list("value", "version_key"))
    assert [value for value in values if keys[value]] == ["1.10", "v2.0rc1", " 3 "]
    assert keys["1.10"] == version_key(parse_version("1.10"))
    assert keys["v2.0rc1"] > keys["1.10"]
    assert documents_with("croaking") == [file.release.project_id]


def documents_with(word: str) -> list[int]:
    """Return the projects whose document has a word, out of the index of either database."""
    if connection.vendor == "postgresql":
        question = "SELECT project_id FROM packages_document WHERE words_vector @@ %s::tsquery"
    else:
        question = "SELECT rowid FROM packages_document_words WHERE words MATCH %s"
    with connection.cursor() as cursor:
        cursor.execute(question, [word])
        return [pk for (pk,) in cursor.fetchall()]


def test_projects_know_their_last_upload(at) -> None:
    models = at("packages", "0010_statistics")
    a_file(models, "frog-1", day=3)
    a_file(models, "frog-2", day=5, deleted_at=MOMENT)  # deleted since: an upload all the same
    a_file(models, "frog-3", day=4)
    local = models("repos", "Repository").objects.get()
    models("packages", "Project").objects.create(
        repository=local, name="bare", normalized="bare", created_at=MOMENT
    )
    unnamed = a_file(models, "frog-4", day=9)
    models("packages", "Distribution").objects.filter(pk=unnamed.pk).update(release=None)
    at("packages", "0011_last_uploads")
    last = dict(Project.objects.values_list("normalized", "last_upload_at"))
    assert last == {"frog": MOMENT.replace(day=5), "bare": None}


def test_what_files_require_is_named(at, monkeypatch: pytest.MonkeyPatch) -> None:
    models = at("packages", "0011_last_uploads")
    first, second = a_file(models, "frog-1"), a_file(models, "frog-2")
    for value in (
        "Toad_Fu[x]>=1; python_version<'4'", "toad.fu", "v2", "no requirement at all", "(" * 900,
        "x; " + "(" * 400 + "os_name=='a'" + ")" * 400,
    ):  # fmt: skip
        a_property(models, first, "pypi.requires.dist", value, origin="archive")
    a_property(models, first, "pypi.requires.name", "v2", origin="person")
    a_property(models, first, "pypi.requires", "newt", origin="archive")  # of another name
    a_property(models, second, "pypi.requires.dist", "toad-fu", origin="client")
    a_property(models, second, "pypi.requires.dist", "mine", origin="person")
    monkeypatch.setattr("packages.migrations.0012_names_of_requirements._BATCH", 2)
    at("packages", "0012_names_of_requirements")
    named = Property.objects.filter(name="pypi.requires.name").order_by("distribution", "value")
    assert list(named.values_list("distribution", "value", "origin")) == [
        (first.pk, "toad-fu", "archive"),
        (first.pk, "v2", "person"),
        (second.pk, "toad-fu", "client"),
    ]


def test_events_name_their_repository(at, monkeypatch: pytest.MonkeyPatch) -> None:
    models = at("base", "0001_initial")
    long = "k" * 100
    for action, subject in (
        ("contents.yank", "acme/local/frog 1.0"), ("grant.create", "acme/local"),
        ("upstream.file", f"acme/{long}/a/b"), ("distribution.publish", f"{long}/{long}/frog"),
        ("team.create", "acme/red"), ("token.create", "ada's"), ("membership.end", "ada"),
    ):  # fmt: skip
        models("base", "AuditEvent").objects.create(
            at=MOMENT, actor="ada", action=action, subject=subject
        )
    monkeypatch.setattr("base.migrations.0002_events_of_repositories._BATCH", 2)
    models = at("base", "0002_events_of_repositories")
    told = models("base", "AuditEvent").objects.values_list("action", "repository")
    assert dict(told) == {
        "contents.yank": "acme/local", "grant.create": "acme/local",
        "upstream.file": f"acme/{long}", "distribution.publish": f"{long}/{long}",
        "team.create": "", "token.create": "", "membership.end": "",
    }  # fmt: skip
