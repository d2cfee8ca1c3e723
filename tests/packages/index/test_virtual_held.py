"""What a virtual costs its readers, and that nothing held is served when it is no longer true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.principal import Principal
from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.filenames import parse_name
from packages.index import held
from packages.index.base import ProjectNotFound
from packages.models import Distribution, Project
from repos import configure
from repos.access import RoleMissing
from repos.models import AlsoUpstream, Claim, Kind, Repository, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published
from tests.virtuals import Upstreams, files_of, make_remote, make_virtual

FROG = parse_name("frog")
# The door: the repository, the caller's place, grants; the stamps, what may be read.
WARM_READ = 9


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    """Begin and end with nothing held."""
    held.forget()
    yield
    held.forget()


def publish(repository: Repository, cast: Cast, version: str = "1.0", name: str = "frog") -> None:
    wheel = make_wheel(name, version, files={"whose.py": str(repository).encode()})
    published(Client(), name, version, wheel, by=cast.acme.admin, to=f"/{repository}/")


def queries(call: Callable[[], object]) -> int:
    """Return how many questions `call` asks the database."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    return len(captured)


def over(cast: Cast, count: int) -> Repository:
    """Make a virtual over so many locals, all of which have frog."""
    locals_ = [make_repository(cast.acme.tenant, f"l{count}-{n}") for n in range(count)]
    for number, repository in enumerate(locals_):
        publish(repository, cast, f"{number}.0")
    return make_virtual(cast.acme, f"over-{count}", locals_)


def test_a_virtual_over_thirty_members_costs_a_reader_what_one_over_one_costs(
    client: Client, cast: Cast
) -> None:
    costs = {}
    for count in (1, 30):
        url = f"/{over(cast, count)}/simple/frog/"
        headers = cast.acme.admin.headers
        assert client.get(url, headers=headers).content.count(b"<a ") == count
        costs[count] = queries(partial(client.get, url, headers=headers))
    assert costs[30] == costs[1] <= WARM_READ


def test_only_what_has_the_name_is_read_when_a_page_is_merged(cast: Cast) -> None:
    members = [make_repository(cast.acme.tenant, f"m{n}") for n in range(30)]
    publish(members[7], cast)
    costs = []
    for virtual in (
        make_virtual(cast.acme, "one", [members[7]]),
        make_virtual(cast.acme, "thirty", members),
    ):
        index = Upstreams().index(virtual, cast.acme.admin.principal)
        costs.append(queries(partial(index.page, FROG)))
    assert costs[0] == costs[1]


def test_each_change_holds_from_the_next_request(cast: Cast, upstreams: Upstreams) -> None:
    """Whatever alters the page of a held name, by whichever use case."""
    local, ada, mona = cast.acme.repository, cast.acme.admin.principal, cast.acme.member
    other, remote = make_repository(cast.acme.tenant, "other"), make_remote(cast.acme, "remote")
    inner = make_virtual(cast.acme, "inner", [local])
    virtual = make_virtual(cast.acme, "virtual", [inner, other, remote])
    publish(local, cast)
    publish(other, cast, "2.0")
    upstreams.has("remote", "frog", "frog-9.0.tar.gz")
    for repository in (inner, local, remote):
        grant(repository, Role.READER, mona)

    def shown(by: Principal = ada) -> str:
        files = files_of(upstreams.index(virtual, by), "frog")
        assert files == files_of(upstreams.index(virtual, by), "frog")
        return " ".join(file.split("-")[1].removesuffix(".tar.gz") for file in files)

    assert (shown(), shown(mona.principal)) == ("1.0 2.0", "1.0")
    publish(other, cast, "3.0")
    assert shown() == "1.0 2.0 3.0"
    curate.delete(Distribution.objects.get(filename__contains="3.0"), by=ada)
    assert shown() == "1.0 2.0"
    claim = Claim(repository=other, pattern="frog")
    configure.add_claim(claim, by=SYSTEM)
    assert shown() == "2.0"
    configure.remove_claim(claim, by=SYSTEM)
    mark = AlsoUpstream(virtual=virtual, normalized="frog")
    configure.mark_also_upstream(mark, by=SYSTEM)
    assert shown() == "1.0 2.0 9.0"
    settings = VirtualSettings(repository=virtual, merge=VirtualSettings.Merge.FIRST)
    configure.save_virtual(settings, by=SYSTEM)
    assert shown() == "1.0"
    configure.set_members(virtual, [other, inner], by=SYSTEM)
    assert (shown(), shown(mona.principal)) == ("2.0", "1.0")
    status = Project.Status.QUARANTINED
    curate.set_status(Project.objects.get(repository=other), status=status, reason="", by=ada)
    assert shown() == ""
    configure.set_members(inner, [], by=SYSTEM)
    with pytest.raises(RoleMissing):
        shown(mona.principal)
    row = grant(other, Role.READER, mona)
    assert shown(mona.principal) == ""
    configure.end_grant(row, by=SYSTEM)
    with pytest.raises(RoleMissing):
        shown(mona.principal)


@pytest.fixture
def upstreams() -> Upstreams:
    """What stands behind the remotes."""
    return Upstreams()


def test_upstreams_are_asked_again_soon(
    cast: Cast, upstreams: Upstreams, time: MovableClock
) -> None:
    virtual = make_virtual(cast.acme, "virtual", [make_remote(cast.acme, "remote")])
    index = upstreams.index(virtual, cast.acme.admin.principal)
    upstreams.has("remote", "frog", "frog-1.0.tar.gz")
    for _ in range(3):
        assert files_of(index, "frog") == ["frog-1.0.tar.gz"]
    assert len(upstreams.asked) == 1
    upstreams.has("remote", "frog", "frog-2.0.tar.gz")
    time.move(seconds=2)
    assert files_of(index, "frog") == ["frog-1.0.tar.gz", "frog-2.0.tar.gz"]


def test_what_is_held_is_bounded(
    cast: Cast, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_BYTES_AT_MOST", 4_000)
    virtual = make_virtual(cast.acme, "virtual", [make_remote(cast.acme, "remote")])
    index = upstreams.index(virtual, cast.acme.admin.principal)
    for name in ("frog", "toad", "newt"):
        upstreams.has("remote", name, f"{name}-1.0.tar.gz")
        files_of(index, name)
    assert [key[1] for key in held._decisions] == ["toad", "newt"]
    assert held._bytes == 2 * (1_000 + 2 * 200 + 500)


def test_a_name_that_nobody_has_takes_room_as_well(cast: Cast, upstreams: Upstreams) -> None:
    members = [make_remote(cast.acme, f"remote-{number}") for number in range(3)]
    virtual = make_virtual(cast.acme, "virtual", members)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    with pytest.raises(ProjectNotFound):
        index.page(parse_name("frog"))
    assert held._bytes == 1_000 + 4 * 200


def test_page_larger_than_all_that_is_held_is_not_made_for_each_reader(
    cast: Cast, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_BYTES_AT_MOST", 2_000)
    virtual = make_virtual(cast.acme, "virtual", [make_remote(cast.acme, "remote")])
    index = upstreams.index(virtual, cast.acme.admin.principal)
    upstreams.has("remote", "frog", "frog-1.0.tar.gz", "frog-2.0.tar.gz")
    for _ in range(3):
        assert len(files_of(index, "frog")) == 2
    assert len(upstreams.asked) == 1


def test_a_kind_of_its_own_needs_no_members(cast: Cast, upstreams: Upstreams) -> None:
    empty = make_repository(cast.acme.tenant, "empty", Kind.VIRTUAL)
    assert list(upstreams.index(empty, cast.acme.admin.principal).projects().names) == []
