"""Rows of names in sources are found by an index, in repositories of any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from packaging.version import Version

from base import clock
from packages.filenames import NormalizedName
from packages.index import keepers, kept
from packages.index.by_name import in_sources
from packages.models import Blob, Distribution, Project, Release, UpstreamMetadata, UpstreamPage
from packages.pages.project import requirements
from packages.versions import version_key
from repos.models import Kind, Repository
from repos.virtuals import Source
from tests.cast import make_house, make_repository

_PROJECTS = 1500  # of each repository
_SCOPES = ("", "team/stable")
FEW = [NormalizedName(f"frog-{number}") for number in (7, 1234)]


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Source]]:
    """Two locals and a remote with some thousand projects of a file each, one of ten deleted."""
    with django_db_blocker.unblock(), transaction.atomic():
        house = make_house("acme", "ada", "wes", "ray", "mona")
        mirror = make_repository(house.tenant, "mirror", Kind.REMOTE)
        repositories = [house.repository, make_repository(house.tenant, "second"), mirror]
        blob = Blob.objects.create(
            tenant=house.tenant, sha256="0" * 64, size=1, storage_key="x", named_at=clock.now()
        )
        for repository in repositories:
            _fill(repository, blob)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield [Source(repository, scope, None) for repository in repositories for scope in _SCOPES]
        transaction.set_rollback(True)


def _fill(repository: Repository, blob: Blob) -> None:
    now, key = clock.now(), version_key(Version("1"))
    names = [f"frog-{number}" for number in range(_PROJECTS)]
    fields: dict[str, Any] = {"repository": repository}
    projects = Project.objects.bulk_create(
        Project(name=name, normalized=name, created_at=now, **fields) for name in names
    )
    releases = Release.objects.bulk_create(
        Release(project=each, version="1", canonical="1", version_key=key, created_at=now)
        for each in projects
    )
    Distribution.objects.bulk_create(
        Distribution(
            release=release,
            blob=blob,
            filename=f"{name}-1.tar.gz",
            identity=f"{name}-1.tar.gz",
            path=name,
            size=1,
            uploaded_at=now,
            deleted_at=None if number % 10 else now,
            **fields,
        )
        for number, (name, release) in enumerate(zip(names, releases, strict=True))
    )
    if repository.kind == Kind.REMOTE:
        UpstreamPage.objects.bulk_create(UpstreamPage(normalized=name, **fields) for name in names)
        UpstreamMetadata.objects.bulk_create(
            UpstreamMetadata(normalized=name, filename="x", sha256="0" * 64, raw=b"", **fields)
            for name in names
        )


def is_by_index(plan: str) -> bool:
    """Say whether a plan begins at the names in an index, and reads nothing all through.

    PostgreSQL takes what is there of the name alone, where that is enough: few have the same.
    """
    looked_up = "repository_id=? AND scope=? AND normalized=?"
    if connection.vendor == "sqlite":
        return looked_up in plan and "SCAN packages_project" not in plan
    conditions = [line for line in plan.splitlines() if "Index Cond" in line]
    return any("normalized" in line for line in conditions) and "Seq Scan" not in plan


def looks_up(rows: QuerySet[Any]) -> bool:
    return is_by_index(rows.explain())


@pytest.mark.parametrize("model", [Project, UpstreamPage, UpstreamMetadata])
def test_repository_scope_and_name_are_all_looked_up_in_the_index(
    db: None, crowd: list[Source], model: Any
) -> None:
    there = in_sources(FEW, [each.id for each in crowd])
    assert looks_up(model.objects.filter(there).order_by())


def test_files_are_found_by_the_projects_of_the_names(db: None, crowd: list[Source]) -> None:
    there = in_sources(FEW, [each.id for each in crowd], "release__project__")
    assert looks_up(Distribution.objects.filter(there).order_by())


def test_a_plan_that_reads_all_through_is_known_as_one(db: None, crowd: list[Source]) -> None:
    assert not looks_up(Project.objects.filter(name__in=FEW).order_by())


def test_whoever_decides_names_of_a_virtual_asks_so(db: None, crowd: list[Source]) -> None:
    sources = {each.id: each for each in crowd}
    with CaptureQueriesContext(connection) as asked:
        assert len(list(keepers._withdrawn_rows(FEW[0], sources))) == 0
        assert len(list(keepers._withdrawn_rows(NormalizedName("frog-30"), sources))) == 3
        keepers._rows_of(FEW, sources)
        kept._rows(FEW, list(sources))
        requirements._here(FEW, crowd)
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    plans = []
    with connection.cursor() as cursor:
        for question in [each["sql"] for each in asked]:
            cursor.execute(f"{explain} {question}")
            plans.append("\n".join(str(line[-1]) for line in cursor.fetchall()))
    assert len(plans) == 5
    assert [plan for plan in plans if not is_by_index(plan)] == []


def test_only_rows_of_the_names_and_the_repositories_are_found(
    db: None, crowd: list[Source]
) -> None:
    there = in_sources(FEW, [each.id for each in crowd[:2]])
    rows = Project.objects.filter(there)
    assert {(row.repository_id, row.normalized) for row in rows} == {
        (crowd[0].repository.pk, name) for name in FEW
    }
    assert not Project.objects.filter(in_sources([], [crowd[0].id])).exists()
    assert not Project.objects.filter(in_sources(FEW, [])).exists()
