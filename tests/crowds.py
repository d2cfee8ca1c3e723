"""Very many files with properties, written straight into PostgreSQL, and the plans of searches.

For `bench/search.py`, `bench/pages.py` and `bench/speed`, and with small counts for the tests of
the plans.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.test.utils import CaptureQueriesContext
from packaging.version import Version

from accounts.models import Tenant
from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.models import (
    Blob,
    Distribution,
    Document,
    FileDownloads,
    Project,
    Property,
    Release,
)
from packages.properties import key_of_value
from packages.search.finding import search
from packages.versions import version_key
from packages.words import words_of
from repos import configure
from repos.models import Kind, Repository, VirtualSettings
from tests.cast import House, grant, make_house, make_repository, make_user

_NOUNS = ("sensor", "pipeline", "frog", "parser", "router", "model", "client", "codec", "graph")
_OWNERS = ("acme", "globex", "initech", "umbrella", "py", "data", "cloud", "web")
_VERBS = ("measures", "reads", "writes", "draws", "stores", "sends", "trains", "checks")
_TEAMS = ("red", "blue", "green", "amber", "black", "white", "pink", "grey")
_PYTHONS = (">=3.9", ">=3.8", ">=3.10", ">=3.11", ">=3.7", "", ">=3.12", ">=2.7")
_RELEASES = 5  # of each project
_SMALL = 20  # repositories of a hundredth of the files each

_VERSIONS = ("1.0", "1.1", "1.2", "2.0", "2.1")  # of each project on the shelves
_KINDS = (("wheel", "-py3-none-any.whl"), ("sdist", ".tar.gz"))  # of each version

Row = tuple[Any, ...]


def fill(files: int, seed: int = 1) -> Mapping[str, Principal]:
    """Write that many files, and return who searches them."""
    house = make_house("acme", "ada", "wes", "ray", "mona")
    keys = [house.repository]
    keys += [make_repository(house.tenant, f"small-{number}") for number in range(_SMALL)]
    grant(keys[1], Role.READER, house.member)
    make = _Maker(house.tenant, keys, random.Random(seed))  # noqa: S311 - made-up data
    make.write(files)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE")
    root = make_user("root", is_superuser=True)
    return {
        "reads everything": Principal(user=root),
        "reads one of 21": Principal(user=house.member.user),
    }


def stock(projects: int) -> House:
    """Write that many projects of ten files each into one local, and show it in `acme/all`."""
    house = make_house("acme", "ada", "wes", "ray", "mona")
    virtual = make_repository(house.tenant, "all", Kind.VIRTUAL)
    configure.set_members(virtual, [house.repository], by=SYSTEM)
    grant(virtual, Role.READER, house.reader)
    configure.save_virtual(
        VirtualSettings(repository=virtual, deployment=house.repository), by=SYSTEM
    )
    stock_into(house.repository, projects)
    return house


def stock_into(repository: Repository, projects: int) -> None:
    """Write that many projects of ten files each into a local, where there are none so far.

    With documents, metadata, downloads of a month and an event for each file, all by statements
    of PostgreSQL's own: rows that pages read, not archives.
    """
    counts = {"projects": projects, "versions": len(_VERSIONS), "kinds": len(_KINDS)}
    values: dict[str, Any] = counts | {
        "tenant": repository.tenant_id,
        "repository": repository.pk,
        "names": list(_VERSIONS),
        "keys": [version_key(Version(each)) for each in _VERSIONS],
        "kind_names": [kind for kind, _ in _KINDS],
        "ends": [end for _, end in _KINDS],
        "now": clock.now(),
        "metadata": _METADATA,
    }
    with connection.cursor() as cursor:
        for statement in _STOCK:
            cursor.execute(statement, values)
        for model in (Blob, Project, Release, Distribution, AuditEvent, FileDownloads):
            for reset in connection.ops.sequence_reset_sql(no_style(), [model]):
                cursor.execute(reset)
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE")


def sizes() -> str:
    """Return how much there is."""
    return (
        f"{Distribution.objects.count()} files, {Property.objects.count()} properties, "
        f"{Document.objects.count()} documents"
    )


def timed(text: str, by: Principal, rounds: int) -> Iterator[float]:
    """Yield how long each of so many searches takes, after one that fills the caches."""
    search(text=text, by=by)
    for _ in range(rounds):
        started = time.perf_counter()
        search(text=text, by=by)
        yield time.perf_counter() - started


def found(text: str, by: Principal) -> str:
    """Return how much a search finds."""
    result = search(text=text, by=by)
    if result.is_similar:
        return f"{len(result.projects)} alike"
    more = "more than " if result.has_more else ""
    return f"{more}{result.count}"


def plans(text: str, by: Principal) -> list[str]:
    """Return the plan of each question that a search asks of properties and documents."""
    with CaptureQueriesContext(connection) as asked:
        search(text=text, by=by)
    questions = [each["sql"] for each in asked if each["sql"].startswith("SELECT")]
    mine = [each for each in questions if re.search("packages_(property|document)", each)]
    with connection.cursor() as cursor:
        told = []
        for question in mine:
            cursor.execute(f"EXPLAIN ANALYZE {question}")
            told.append("\n".join(line for (line,) in cursor.fetchall()))
    return told


def reads_all_through(plan: str) -> list[str]:
    """Return the lines of a plan that read all properties, or all words of documents, through."""
    lines = plan.splitlines()
    return [line.strip() for line in lines if "Seq Scan on packages_property" in line]


class _Maker:
    """Makes rows with ids of its own, in the order in which they are written."""

    def __init__(
        self, tenant: Tenant, repositories: list[Repository], chance: random.Random
    ) -> None:
        self.tenant = tenant
        self.repositories = repositories
        self.chance = chance
        self.now = clock.now()

    def write(self, files: int) -> None:
        """Write all rows, one table after the other."""
        projects = [self._project(number) for number in range(1, files // _RELEASES + 1)]
        _copy(Blob, [self._blob()])
        _copy(Project, (self._project_row(*each) for each in projects))
        releases = [
            (number * _RELEASES + at, *project, self._version())
            for number, project in enumerate(projects)
            for at in range(1, _RELEASES + 1)
        ]
        _copy(Release, (self._release_row(*each) for each in releases))
        _copy(Distribution, (self._file_row(*each) for each in releases))
        _copy(Property, self._properties(releases))
        _copy(Document, (self._document(*each) for each in projects))

    def _project(self, pk: int) -> tuple[int, str, int]:
        # "acme-sensor-72" is among them however many there are.
        owner, noun = _OWNERS[pk % len(_OWNERS)], _NOUNS[pk % len(_NOUNS)]
        is_small = self.chance.random() < _SMALL / 100
        where = self.repositories[self.chance.randrange(1, _SMALL + 1) if is_small else 0]
        return pk, f"{owner}-{noun}-{pk}", where.pk

    def _version(self) -> str:
        major = min(int(self.chance.expovariate(0.6)), 6)
        return f"{major}.{self.chance.randrange(5)}.{self.chance.randrange(10)}"

    def _blob(self) -> Mapping[str, Any]:
        digest = "0" * 64
        return {
            "id": 1,
            "tenant_id": self.tenant.pk,
            "sha256": digest,
            "sha1": digest[:40],
            "md5": digest[:32],
            "blake2b_256": digest,
            "size": 1,
            "storage_key": "none",
            "named_at": self.now,
        }

    def _project_row(self, pk: int, name: str, repository: int) -> Mapping[str, Any]:
        return {
            "id": pk,
            "repository_id": repository,
            "name": name,
            "scope": "",
            "normalized": name,
            "status": "active",
            "status_reason": "",
            "changed": pk,
            "created_at": self.now,
            "last_upload_at": self.now,
        }

    def _release_row(
        self, pk: int, project: int, _name: str, _repository: int, version: str
    ) -> Mapping[str, Any]:
        return {
            "id": pk,
            "project_id": project,
            "version": version,
            "canonical": f"{version} {pk}",
            "version_key": version_key(Version(version)),
            "yanked": False,
            "yanked_reason": "",
            "created_at": self.now,
        }

    def _file_row(
        self, pk: int, _project: int, name: str, repository: int, version: str
    ) -> Mapping[str, Any]:
        return {
            "id": pk,
            "repository_id": repository,
            "release_id": pk,
            "blob_id": 1,
            "path": f"{name}/{pk}",
            "filename": f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
            "identity": f"{name} {pk}",
            "kind": "wheel",
            "python_tag": "py3",
            "size": 1,
            "sha256": "0" * 64,
            "requires_python": "",
            "metadata_sha256": "",
            "yanked": False,
            "yanked_reason": "",
            "findings": "[]",
            "extraction": "extracted",
            "extraction_reason": "",
            "extraction_attempts": 1,
            "uploaded_at": self.now,
            "uploaded_by": "",
            "upstream_change": "",
        }

    def _properties(self, releases: Iterable[tuple[int, int, str, int, str]]) -> Iterator[Any]:
        pk = 0
        for file, _project, name, _repository, version in releases:
            for field, value in self._said(file, name, version):
                pk += 1
                yield {
                    "id": pk,
                    "distribution_id": file,
                    "name": field,
                    "value": value,
                    "origin": "archive",
                    "version_key": key_of_value(value) if value[0].isdigit() else "",
                }

    def _said(self, file: int, name: str, version: str) -> Iterator[tuple[str, str]]:
        pick = self.chance
        yield "pypi.name", name
        yield "pypi.normalized.name", name
        yield "pypi.version", version
        yield "pypi.summary", self._summary(name)
        yield "pypi.requires.python", pick.choice(_PYTHONS) or ">=3"
        yield "pypi.license", pick.choice(("MIT", "Apache-2.0", "BSD-3-Clause", "Proprietary"))
        yield "pypi.author", f"author {pick.randrange(2000)}"
        yield "pypi.keywords", pick.choice(_NOUNS)
        for topic in pick.sample(range(60), 3):
            yield "pypi.classifier", f"Topic :: Of {topic}"
        yield "qa.approved", pick.choice(("yes", "no"))
        yield "qa.level", str(pick.randrange(1, 6))
        yield "team", pick.choice(_TEAMS)
        yield "build.number", str(file)

    def _summary(self, name: str) -> str:
        return f"{name} {self.chance.choice(_VERBS)} what a {self.chance.choice(_NOUNS)} has"

    def _document(self, pk: int, name: str, repository: int) -> Mapping[str, Any]:
        summary = self._summary(name)
        about = list(dict.fromkeys(words_of(f"{name} {summary}")))
        words = {f"readme{int(self.chance.paretovariate(0.7))}" for _ in range(120)}
        return {
            "project_id": pk,
            "repository_id": repository,
            "normalized": name,
            "name": name,
            "version": "1.0",
            "summary": summary,
            "about": " ".join(about),
            "words": " ".join(dict.fromkeys([*about, *sorted(words)])),
        }


_METADATA = b"""Metadata-Version: 2.4
Name: acme
Version: 2.1
Summary: measures what a frog has
Requires-Dist: acme-1
Description-Content-Type: text/markdown

# Frogs for functional units
"""

# Project p has the ids of its versions and files below it: v = (p - 1) * versions + 1, and so on.
_STOCK = (
    """
    INSERT INTO packages_blob (id, tenant_id, sha256, sha1, md5, blake2b_256, size, storage_key,
        named_at)
    VALUES (1, %(tenant)s, repeat('0', 64), repeat('0', 40), repeat('0', 32), repeat('0', 64), 1,
        'none', %(now)s)
    """,
    """
    INSERT INTO packages_project (id, repository_id, name, scope, normalized, status,
        status_reason, changed, created_at, last_upload_at)
    SELECT p, %(repository)s, 'acme-' || p, '', 'acme-' || p, 'active', '', p, %(now)s,
        %(now)s::timestamptz - p * interval '1 second'
    FROM generate_series(1, %(projects)s) p
    """,
    """
    INSERT INTO packages_release (id, project_id, version, canonical, version_key, yanked,
        yanked_reason, created_at)
    SELECT (p - 1) * %(versions)s + v, p, (%(names)s::text[])[v], (%(names)s::text[])[v],
        (%(keys)s::text[])[v], false, '', %(now)s
    FROM generate_series(1, %(projects)s) p, generate_series(1, %(versions)s) v
    """,
    """
    INSERT INTO packages_distribution (id, repository_id, release_id, blob_id, path, filename,
        identity, kind, python_tag, size, sha256, requires_python, metadata_sha256, yanked,
        yanked_reason, findings, extraction, extraction_reason, extraction_attempts, uploaded_at,
        uploaded_by, upstream_change)
    SELECT (r - 1) * %(kinds)s + k, %(repository)s, r, 1,
        'acme-' || project_id || '/' || version || '/' || k,
        'acme_' || project_id || '-' || version || (%(ends)s::text[])[k],
        'acme-' || project_id || ' ' || version || ' ' || k,
        (%(kind_names)s::text[])[k], 'py3', 1000 + r %% 9000, repeat('0', 64), '>=3.9', '', false,
        '', '[]', 'extracted', '', 1, %(now)s::timestamptz - project_id * interval '1 second',
        'wes', ''
    FROM (SELECT id AS r, project_id, version FROM packages_release) releases,
        generate_series(1, %(kinds)s) k
    """,
    """
    INSERT INTO packages_storedmetadata (distribution_id, raw)
    SELECT p * %(versions)s * %(kinds)s - 1, %(metadata)s::bytea
    FROM generate_series(1, %(projects)s) p
    """,
    """
    INSERT INTO packages_reading (distribution_id, sha256, readme_html, facts, contents,
        differences, read_at)
    SELECT p * %(versions)s * %(kinds)s - 1, repeat('0', 64), '<p>Frogs</p>', '{}', ''::bytea, '[]',
        %(now)s
    FROM generate_series(1, %(projects)s) p
    """,
    """
    INSERT INTO packages_property (distribution_id, name, value, origin, version_key)
    SELECT p * %(versions)s * %(kinds)s - 1, name, value, 'archive', ''
    FROM generate_series(1, %(projects)s) p,
        LATERAL (VALUES ('pypi.name', 'acme-' || p), ('pypi.summary', 'measures what a frog has'),
            ('pypi.license', 'MIT'), ('pypi.classifier', 'Topic :: Frogs')) said (name, value)
    """,
    """
    INSERT INTO packages_document (project_id, repository_id, normalized, name, version, summary,
        about, words)
    SELECT p, %(repository)s, 'acme-' || p, 'acme-' || p, '2.1', 'measures what a frog has',
        'acme ' || p || ' measures what a frog has', 'acme ' || p || ' measures what a frog has'
    FROM generate_series(1, %(projects)s) p
    """,
    """
    INSERT INTO packages_filedownloads (distribution_id, day, count, last_at, last_by)
    SELECT p * %(versions)s * %(kinds)s - 1, (%(now)s::timestamptz - d * interval '1 day')::date,
        1 + p %% 50, %(now)s, 'ray'
    FROM generate_series(1, %(projects)s) p, generate_series(0, 29, 7) d
    """,
    """
    INSERT INTO packages_repositoryday (repository_id, day, downloads, downloaded_bytes, fetched,
        projects, files, stored_bytes, counted_serial)
    SELECT %(repository)s, (%(now)s::timestamptz - d * interval '1 day')::date, 1000, 1000000, 0,
        %(projects)s, %(projects)s * %(versions)s * %(kinds)s, 5000000000 - d * 10000000,
        %(projects)s
    FROM generate_series(0, 29) d
    """,
    "UPDATE repos_repositorystate SET serial = %(projects)s WHERE repository_id = %(repository)s",
    """
    INSERT INTO base_auditevent (at, actor, token, address, action, tenant, repository, subject,
        before, after)
    SELECT uploaded_at, 'wes', 'laptop', '127.0.0.1', 'distribution.publish', 'acme', 'acme/local',
        'acme/local/' || filename, '{}', '{"size": 1}'
    FROM packages_distribution
    """,
)


def _copy(model: type[Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows, all with the same columns, by PostgreSQL's COPY."""
    iterator = iter(rows)
    first = next(iterator)
    columns = ", ".join(f'"{each}"' for each in first)
    connection.ensure_connection()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        copy.write_row(tuple(first.values()))
        for row in iterator:
            copy.write_row(tuple(row.values()))
