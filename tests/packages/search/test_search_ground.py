"""Where a search looks: not beyond what is asked for, nor at names that a remote leaves out."""

from __future__ import annotations

import pytest

from accounts.roles import Role
from packages.search.finding import search
from repos.models import Upstream
from tests.cast import Cast, grant
from tests.packages.search.shelves import put
from tests.virtuals import make_remote


def found(text: str, cast: Cast) -> list[str]:
    """Return what ray, who reads acme, finds: names of projects, or of files."""
    hits = search(text=text, by=cast.acme.reader.principal)
    return [each.name for each in hits.projects] + [each.filename for each in hits.files]


@pytest.mark.parametrize(
    ("upstream", "shown"),
    [
        ({}, ["acme-frog", "frog", "toad"]),
        ({"include": ["acme-*"]}, ["acme-frog"]),
        ({"include": ["*o*"]}, ["acme-frog", "frog", "toad"]),
        ({"exclude": ["frog", "to*"]}, ["acme-frog"]),
        ({"include": ["acme-*", "frog"], "exclude": ["acme-f*g"]}, ["frog"]),
    ],
)
def test_names_that_a_remote_leaves_out_are_not_found(
    cast: Cast, upstream: dict[str, list[str]], shown: list[str]
) -> None:
    remote = make_remote(cast.acme, "mirror")
    grant(remote, Role.READER, cast.acme.reader)
    for name in ("acme-frog", "frog", "toad"):
        put(remote, name, "1.0", {"qa": ["yes"], "pypi.keywords": ["pond"]})
    Upstream.objects.filter(repository=remote).update(**upstream)
    assert sorted(found("pond", cast)) == shown
    files = [f"{name.replace('-', '_')}-1.0-py3-none-any.whl" for name in shown]
    assert sorted(found("qa:yes", cast)) == files
    if "acme-frog" not in shown:
        assert "acme-frog" not in found("acme-frgo", cast)


def test_a_pattern_of_one_remote_is_not_for_others(cast: Cast) -> None:
    remote = make_remote(cast.acme, "mirror")
    grant(remote, Role.READER, cast.acme.reader)
    Upstream.objects.filter(repository=remote).update(exclude=["frog"])
    for repository in (remote, cast.acme.repository):
        put(repository, "frog", "1.0")
    hits = search(text="frog", by=cast.acme.reader.principal).projects
    assert [each.repository for each in hits] == ["acme/local"]


def test_names_that_are_alike_come_from_where_one_looks(cast: Cast) -> None:
    remote = make_remote(cast.acme, "mirror")
    grant(remote, Role.READER, cast.acme.reader)
    put(cast.acme.repository, "acme-sensor", "1.0")
    put(remote, "acme-sensors", "1.0")
    assert found("acme-senzor", cast) == ["acme-sensor", "acme-sensors"]
    assert found("acme-senzor repository:mirror", cast) == ["acme-sensors"]
    assert found("acme-senzor (repository:mirror or repository:none)", cast) == ["acme-sensors"]
    assert found("acme-senzor tenant:globex", cast) == []
