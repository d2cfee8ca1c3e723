"""A virtual is searched as its pages show it: hits name their member, the hidden are none."""

from __future__ import annotations

import pytest

from accounts.principal import Principal
from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.filenames import NormalizedName
from packages.models import Project
from packages.search.finding import search
from packages.search.language import QueryRefused
from repos import configure
from repos.access import SignInRequired
from repos.models import Repository
from tests.cast import Cast, grant, make_repository
from tests.packages.search.shelves import put
from tests.virtuals import make_remote, make_virtual


@pytest.fixture
def remote(cast: Cast) -> Repository:
    """A remote that holds a frog of a stranger and a newt."""
    remote = make_remote(cast.acme, "remote")
    put(remote, "frog", "9.0", {"team": ["red"]})
    put(remote, "newt", "1.0", {"team": ["red"]})
    return remote


@pytest.fixture
def virtual(cast: Cast, remote: Repository) -> Repository:
    """Acme's local, with a frog of its own, before the remote."""
    put(cast.acme.repository, "frog", "1.0", {"team": ["red"]})
    virtual = make_virtual(cast.acme, "all", [cast.acme.repository, remote])
    for repository in (virtual, remote):
        grant(repository, Role.READER, cast.acme.reader)
    return virtual


def files(query: str, by: Principal) -> set[tuple[str, str, str]]:
    found = search(text=f"repository:acme/all {query}", by=by)
    assert found.count is None
    return {(hit.through, hit.repository, hit.filename) for hit in found.files}


def test_files_are_those_that_the_virtual_shows(cast: Cast, virtual: Repository) -> None:
    assert files("team:red", cast.acme.reader.principal) == {
        ("acme/all", "acme/local", "frog-1.0-py3-none-any.whl"),
        ("acme/all", "acme/remote", "newt-1.0-py3-none-any.whl"),
    }
    everywhere = search(text="team:red", by=cast.acme.reader.principal)
    assert {(hit.repository, hit.version) for hit in everywhere.files} == {
        ("acme/local", "1.0"),
        ("acme/remote", "9.0"),
        ("acme/remote", "1.0"),
    }


def test_words_find_through_it(cast: Cast, virtual: Repository) -> None:
    found = search(text="(frog or newt) repository:acme/all", by=cast.acme.reader.principal)
    assert [(hit.repository, hit.name, hit.version) for hit in found.projects] == [
        ("acme/local", "frog", "1.0"),
        ("acme/remote", "newt", "1.0"),
    ]


def test_a_member_that_one_may_not_read_gives_no_hit_and_keeps_its_names(
    cast: Cast, virtual: Repository
) -> None:
    mona = cast.acme.member
    for key in ("all", "remote"):
        grant(Repository.objects.get(tenant=cast.acme.tenant, key=key), Role.READER, mona)
    assert {each[2] for each in files("team:red", mona.principal)} == {"newt-1.0-py3-none-any.whl"}


def test_a_name_that_was_let_go_is_the_strangers_again(cast: Cast, virtual: Repository) -> None:
    frog = Project.objects.get(repository=cast.acme.repository, normalized="frog")
    ada = cast.acme.admin.principal
    curate.delete(frog.releases.get().distributions.get(), by=ada)
    assert {each[1] for each in files("pypi.name:frog", ada)} == set()
    curate.let_go(cast.acme.repository, NormalizedName("frog"), by=ada)
    assert {each[1] for each in files("pypi.name:frog", ada)} == {"acme/remote"}


def test_a_token_of_the_virtual_alone_reads_through_it(cast: Cast, virtual: Repository) -> None:
    configure.limit_token(cast.acme.admin.token, [virtual], by=SYSTEM)
    limited = cast.acme.admin.limited
    assert len(files("team:red", limited)) == 2
    assert search(text="team:red", by=limited).count == 0


def test_nobody_searches_a_virtual_that_is_not_for_everybody(
    cast: Cast, virtual: Repository
) -> None:
    grant(virtual, Role.READER)
    with pytest.raises(SignInRequired):
        search(text="repository:acme/all", by=Principal())


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("team:red or repository:acme/all", 13),
        ("not repository:acme/all", 5),
        ("repository:acme/all repository:acme/more", 21),
        ("team:red repository:twice", 10),
    ],
)
def test_a_virtual_is_named_once_and_by_itself(
    cast: Cast, virtual: Repository, query: str, column: int
) -> None:
    make_virtual(cast.acme, "more")
    make_virtual(cast.globex, "twice")
    make_repository(cast.acme.tenant, "twice")
    with pytest.raises(QueryRefused) as refused:
        search(text=query, by=cast.superuser.principal)
    assert refused.value.column == column
