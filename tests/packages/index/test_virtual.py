"""What a virtual shows of a name: whose files, in which order, and whom it asks."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.principal import Principal
from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.filenames import parse_name
from packages.index.base import (
    FileNotFound,
    FileWithheld,
    IndexUnavailable,
    ProjectList,
    ProjectNotFound,
    Stored,
)
from packages.index.virtual import _Names
from packages.models import Distribution, Project
from repos import configure
from repos.access import RoleMissing, SignInRequired
from repos.models import AlsoUpstream, Claim, Member, Repository, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published
from tests.virtuals import Upstreams, ever_had, files_of, make_remote, make_virtual

FROG = parse_name("frog")
OURS = "frog-1.0-py3-none-any.whl"
THEIRS = "frog-9.0-py3-none-any.whl"


@pytest.fixture
def upstreams() -> Upstreams:
    """What stands behind the remotes."""
    return Upstreams()


def publish(repository: Repository, cast: Cast, version: str = "1.0", name: str = "frog") -> str:
    """Let ada publish a wheel there."""
    house = cast.acme if repository.tenant_id == cast.acme.tenant.pk else cast.globex
    url = f"/{repository}/"
    wheel = make_wheel(name, version, files={"whose.py": url.encode()})
    return published(Client(), name, version, wheel, by=house.admin, to=url)


def claim(repository: Repository, pattern: str) -> None:
    configure.add_claim(Claim(repository=repository, pattern=pattern), by=SYSTEM)


def mark(virtual: Repository, name: str = "frog") -> None:
    configure.mark_also_upstream(AlsoUpstream(virtual=virtual, normalized=name), by=SYSTEM)


def show_first(virtual: Repository) -> None:
    settings = VirtualSettings(repository=virtual, merge=VirtualSettings.Merge.FIRST)
    configure.save_virtual(settings, by=SYSTEM)


# Merging.


def test_the_files_of_all_members_are_one_page_in_order_of_version(
    cast: Cast, upstreams: Upstreams
) -> None:
    other = make_repository(cast.acme.tenant, "other")
    virtual = make_virtual(cast.acme, "virtual", [other, cast.acme.repository])
    publish(other, cast, "2.0")
    publish(cast.acme.repository, cast, "10.0")
    publish(other, cast, "1.0")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert [file.split("-")[1] for file in files_of(index, "frog")] == ["1.0", "2.0", "10.0"]
    assert index.page(FROG).versions == ("1.0", "2.0", "10.0")


def test_what_only_upstream_has_comes_from_upstream(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [cast.acme.repository, remote])
    upstreams.has("remote", "toad", "toad-1.0.tar.gz")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "toad") == ["toad-1.0.tar.gz"]
    with pytest.raises(ProjectNotFound, match="no project newt in acme/virtual"):
        index.page(parse_name("newt"))
    assert upstreams.asked == [("remote", "toad"), ("remote", "newt")]


def test_of_one_file_name_the_first_members_line_stands_whole(
    cast: Cast, upstreams: Upstreams
) -> None:
    other = make_repository(cast.acme.tenant, "other")
    virtual = make_virtual(cast.acme, "virtual", [other, cast.acme.repository])
    for repository in (cast.acme.repository, other):
        publish(repository, cast)
    line = Distribution.objects.get(repository=other)
    hidden = Distribution.objects.get(repository=cast.acme.repository)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    (shown,) = index.page(FROG).files
    assert shown.sha256 == line.sha256 != hidden.sha256
    for sha256 in ("", line.sha256):
        stored = index.open(FROG, OURS, sha256)
        assert isinstance(stored, Stored)
        assert stored.sha256 == line.sha256
    assert index.metadata(FROG, OURS, line.sha256).startswith(b"Metadata-Version")
    with pytest.raises(FileWithheld, match="acme/other comes first and has other bytes"):
        index.open(FROG, OURS, hidden.sha256)
    with pytest.raises(FileWithheld):
        index.metadata(FROG, OURS, hidden.sha256)
    with pytest.raises(FileNotFound, match="another sha256"):
        index.open(FROG, OURS, "0" * 64)
    with pytest.raises(FileNotFound, match="no file frog-3"):
        index.open(FROG, "frog-3.0.tar.gz")


def test_a_local_comes_before_a_remote_wherever_it_stands(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    publish(cast.acme.repository, cast)
    mark(virtual)
    # The same file as upstream spells it.
    upstreams.has("remote", "frog", "Frog-1.0-py3-none-any.whl", THEIRS)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS, THEIRS]


def test_first_shows_the_first_direct_member_that_has_the_name(
    cast: Cast, upstreams: Upstreams
) -> None:
    near, far = make_remote(cast.acme, "near"), make_remote(cast.acme, "far")
    inner = make_virtual(cast.acme, "inner", [cast.acme.repository, near])
    virtual = make_virtual(cast.acme, "virtual", [inner, far])
    show_first(virtual)
    upstreams.has("near", "toad", "toad-1.0.tar.gz")
    upstreams.has("far", "toad", "toad-2.0.tar.gz")
    upstreams.has("far", "newt", "newt-2.0.tar.gz")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "toad") == ["toad-1.0.tar.gz"]
    assert upstreams.asked == [("near", "toad")]
    assert files_of(index, "newt") == ["newt-2.0.tar.gz"]


# Keeping.


def test_a_name_of_ours_is_neither_taken_from_upstream_nor_asked_for(
    cast: Cast, upstreams: Upstreams
) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    upstreams.has("remote", "frog", THEIRS)
    publish(cast.acme.repository, cast)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS]
    with pytest.raises(FileNotFound):
        index.open(FROG, THEIRS)
    assert not upstreams.asked


@pytest.mark.parametrize("event", ["deleted", "yanked", "quarantined", "unreadable"])
def test_nothing_that_happens_to_its_files_ends_keeping(
    cast: Cast, upstreams: Upstreams, event: str
) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    upstreams.has("remote", "frog", THEIRS, OURS)
    publish(cast.acme.repository, cast)
    ada = cast.acme.admin.principal
    file = Distribution.objects.get()
    by = ada
    match event:
        case "deleted":
            curate.delete(file, by=ada)
        case "yanked":
            curate.yank(file, reason="old", by=ada)
        case "quarantined":
            status = Project.Status.QUARANTINED
            curate.set_status(Project.objects.get(), status=status, reason="bad", by=ada)
        case "unreadable":
            by = cast.acme.member.principal
            grant(remote, Role.READER, cast.acme.member)
    index = upstreams.index(virtual, by)
    if event == "unreadable":
        with pytest.raises(RoleMissing):
            index.page(FROG)
    else:
        assert files_of(index, "frog") == ([OURS] if event == "yanked" else [])
    assert not upstreams.asked


def test_a_claim_keeps_a_name_that_nobody_has_yet(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [cast.acme.repository, remote])
    claim(cast.acme.repository, "acme-*")
    for name in ("acme-frog", "acme"):
        upstreams.has("remote", name, f"{name.replace('-', '_')}-9.0.tar.gz")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "acme-frog") == []
    assert files_of(index, "acme") == ["acme-9.0.tar.gz"]
    assert upstreams.asked == [("remote", "acme")]


def test_a_private_remote_keeps_what_it_ever_had(
    cast: Cast, upstreams: Upstreams, time: MovableClock
) -> None:
    private = make_remote(cast.acme, "private", keeps_names=True)
    public = make_remote(cast.acme, "public")
    virtual = make_virtual(cast.acme, "virtual", [public, private])
    ever_had(private, "frog")
    upstreams.has("public", "frog", THEIRS)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == []  # it had it once
    upstreams.has("private", "frog", OURS)
    time.move(seconds=2)  # for so long, upstreams' answers are held
    assert files_of(index, "frog") == [OURS]
    assert ("public", "frog") not in upstreams.asked


def test_a_private_remote_is_asked_before_any_stranger(cast: Cast, upstreams: Upstreams) -> None:
    private = make_remote(cast.acme, "private", keeps_names=True)
    public = make_remote(cast.acme, "public")
    virtual = make_virtual(cast.acme, "virtual", [public, private])
    upstreams.has("public", "frog", THEIRS)
    upstreams.has("public", "toad", "toad-1.0.tar.gz")
    upstreams.has("private", "frog", OURS)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS]
    assert upstreams.asked == [("private", "frog")]
    assert files_of(index, "toad") == ["toad-1.0.tar.gz"]
    # One that cannot say keeps the strangers from being asked.
    upstreams.down.add(("private", ""))
    upstreams.asked.clear()
    with pytest.raises(IndexUnavailable, match="private cannot be reached"):
        index.page(parse_name("newt"))
    assert upstreams.asked == [("private", "newt")]


def test_a_private_remote_keeps_also_from_those_who_may_not_read_it(
    cast: Cast, upstreams: Upstreams
) -> None:
    private = make_remote(cast.acme, "private", keeps_names=True)
    public = make_remote(cast.acme, "public")
    virtual = make_virtual(cast.acme, "virtual", [public, private])
    grant(public, Role.READER, cast.acme.member)
    upstreams.has("public", "frog", THEIRS)
    upstreams.has("private", "frog", OURS)
    index = upstreams.index(virtual, cast.acme.member.principal)
    with pytest.raises(RoleMissing):
        index.page(FROG)
    assert upstreams.asked == [("private", "frog")]


def test_of_two_private_remotes_that_had_a_name_the_first_one_shows_it(
    cast: Cast, upstreams: Upstreams
) -> None:
    first = make_remote(cast.acme, "first", keeps_names=True)
    second = make_remote(cast.acme, "second", keeps_names=True)
    virtual = make_virtual(cast.acme, "virtual", [first, second])
    for remote in (first, second):
        ever_had(remote, "frog")
    upstreams.has("first", "frog", OURS)
    upstreams.has("second", "frog", THEIRS)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS]
    claim(second, "frog")
    assert files_of(index, "frog") == [THEIRS]


# Marks.


def test_a_mark_takes_the_name_also_from_upstream(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    upstreams.has("remote", "frog", THEIRS)
    publish(cast.acme.repository, cast)
    mark(virtual)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS, THEIRS]
    configure.unmark_also_upstream(AlsoUpstream.objects.get(), by=SYSTEM)
    assert files_of(index, "frog") == [OURS]


def test_a_mark_counts_beneath_its_virtual_and_one_above_needs_its_own(
    cast: Cast, upstreams: Upstreams
) -> None:
    remote = make_remote(cast.acme, "remote")
    inner = make_virtual(cast.acme, "inner", [remote, cast.acme.repository])
    outer = make_virtual(cast.acme, "outer", [inner])
    upstreams.has("remote", "frog", THEIRS)
    publish(cast.acme.repository, cast)
    ada = cast.acme.admin.principal
    mark(inner)
    assert files_of(upstreams.index(inner, ada), "frog") == [OURS, THEIRS]
    assert files_of(upstreams.index(outer, ada), "frog") == [OURS]
    mark(outer)
    assert files_of(upstreams.index(outer, ada), "frog") == [OURS, THEIRS]
    configure.unmark_also_upstream(AlsoUpstream.objects.get(virtual=inner), by=SYSTEM)
    assert files_of(upstreams.index(outer, ada), "frog") == [OURS]


def test_a_mark_overrides_claims_for_remotes_alone(cast: Cast, upstreams: Upstreams) -> None:
    other, remote = make_repository(cast.acme.tenant, "other"), make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [other, cast.acme.repository, remote])
    publish(other, cast, "2.0")
    publish(cast.acme.repository, cast)
    claim(cast.acme.repository, "frog")
    upstreams.has("remote", "frog", THEIRS)
    mark(virtual)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS, THEIRS]


# Claims.


def test_only_the_most_specific_claims_source_contributes(cast: Cast, upstreams: Upstreams) -> None:
    tenant = cast.acme.tenant
    repositories = [make_repository(tenant, key) for key in ("a", "b", "c", "d")]
    virtual = make_virtual(cast.acme, "virtual", repositories)
    for number, repository in enumerate(repositories):
        publish(repository, cast, f"{number}.0", "acme-web-frog")
    index = upstreams.index(virtual, cast.acme.admin.principal)

    def versions() -> list[str]:
        return [file.split("-")[1] for file in files_of(index, "acme-web-frog")]

    assert versions() == ["0.0", "1.0", "2.0", "3.0"]
    claim(repositories[1], "acme-*")
    claim(repositories[2], "acme-*")
    assert versions() == ["1.0"]  # of equals, the first
    claim(repositories[2], "acme-web-*")
    assert versions() == ["2.0"]
    claim(repositories[3], "acme-web-frog")
    assert versions() == ["3.0"]


# Tombstones and quarantine.


def test_a_deleted_file_is_not_filled_up_from_upstream(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    publish(cast.acme.repository, cast)
    curate.delete(Distribution.objects.get(), by=cast.acme.admin.principal)
    mark(virtual)
    upstreams.has("remote", "frog", OURS, THEIRS)
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [THEIRS]
    with pytest.raises(FileWithheld, match="was deleted from acme/local"):
        index.open(FROG, OURS)


def test_a_quarantined_file_is_hidden_from_all(cast: Cast, upstreams: Upstreams) -> None:
    other, remote = make_repository(cast.acme.tenant, "other"), make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [other, cast.acme.repository, remote])
    for repository in (other, cast.acme.repository):
        publish(repository, cast)
    publish(other, cast, "2.0")
    mark(virtual)
    upstreams.has("remote", "frog", OURS)
    row = Project.objects.get(repository=cast.acme.repository)
    curate.set_status(
        row, status=Project.Status.QUARANTINED, reason="bad", by=cast.acme.admin.principal
    )
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == ["frog-2.0-py3-none-any.whl"]
    with pytest.raises(FileWithheld, match="quarantined"):
        index.open(FROG, OURS)


# Readers.


def test_a_local_of_another_tenant_takes_no_name_of_ours(cast: Cast, upstreams: Upstreams) -> None:
    """Whoever publishes there may claim the name and quarantine its files: ours stay ours."""
    theirs, ours = cast.globex.repository, cast.acme.repository
    grant(theirs, Role.READER)
    virtual = make_virtual(cast.acme, "all", [theirs, ours])
    publish(ours, cast)
    mine = Distribution.objects.get().sha256
    for version in ("99.0", "1.0"):
        publish(theirs, cast, version)
    publish(theirs, cast, name="toad")
    claim(theirs, "frog")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert [(file.version, file.sha256) for file in index.page(FROG).files] == [("1.0", mine)]
    Project.objects.filter(repository=theirs, normalized="frog").update(status="quarantined")
    assert [(file.version, file.sha256) for file in index.page(FROG).files] == [("1.0", mine)]
    assert index.page(parse_name("toad")).versions == ("1.0",)


def test_what_a_caller_may_not_read_contributes_nothing_and_says_nothing(
    cast: Cast, upstreams: Upstreams
) -> None:
    closed = make_repository(cast.acme.tenant, "closed")
    virtual = make_virtual(cast.acme, "virtual", [cast.acme.repository, closed])
    publish(closed, cast)
    publish(cast.acme.repository, cast, name="toad")
    publish(closed, cast, "2.0", name="toad")
    index = upstreams.index(virtual, cast.acme.reader.principal)
    assert files_of(index, "toad") == ["toad-1.0-py3-none-any.whl"]
    refusals = set()
    for name in ("frog", "newt"):  # there, and not there
        with pytest.raises(RoleMissing) as refused:
            index.page(parse_name(name))
        refusals.add(refused.value.sentence.replace(name, "it"))
    assert len(refusals) == 1
    assert list(index.projects().names) == ["toad"]


def test_nobody_comes_in_unless_anyone_may_read_everything(
    cast: Cast, upstreams: Upstreams
) -> None:
    other = make_repository(cast.acme.tenant, "other")
    virtual = make_virtual(cast.acme, "virtual", [cast.acme.repository, other])
    publish(cast.acme.repository, cast)
    grant(cast.acme.repository, Role.READER)
    index = upstreams.index(virtual, Principal())
    for name in ("frog", "newt"):
        with pytest.raises(SignInRequired):
            index.page(parse_name(name))
        with pytest.raises(SignInRequired):
            index.open(parse_name(name), OURS)
    with pytest.raises(SignInRequired):
        index.projects()
    grant(other, Role.READER)
    assert files_of(index, "frog") == [OURS]
    with pytest.raises(ProjectNotFound):
        index.page(parse_name("newt"))


def test_a_virtual_that_one_may_not_read_shows_nothing_within_another(
    cast: Cast, upstreams: Upstreams
) -> None:
    inner = make_virtual(cast.acme, "inner", [cast.acme.repository])
    outer = make_virtual(cast.acme, "outer", [inner])
    publish(cast.acme.repository, cast)
    ray = cast.acme.reader
    with pytest.raises(RoleMissing):
        upstreams.index(outer, ray.principal).page(FROG)
    grant(inner, Role.READER, ray)
    assert files_of(upstreams.index(outer, ray.principal), "frog") == [OURS]


def test_a_token_for_a_virtual_reads_through_it_as_its_owner_may(
    cast: Cast, upstreams: Upstreams
) -> None:
    virtual = make_virtual(cast.acme, "virtual", [cast.acme.repository])
    publish(cast.acme.repository, cast)
    grant(virtual, Role.READER, cast.acme.reader)
    token = cast.acme.reader.token
    configure.limit_token(token, [virtual], by=SYSTEM)
    token.refresh_from_db()
    by = cast.acme.reader.limited
    assert by.token is not None
    assert not by.token.all_repositories
    assert files_of(upstreams.index(virtual, by), "frog") == [OURS]


# Outages, patterns, scopes.


def test_a_remote_that_cannot_be_reached_is_never_a_shorter_page(
    cast: Cast, upstreams: Upstreams
) -> None:
    near, far = make_remote(cast.acme, "near"), make_remote(cast.acme, "far")
    virtual = make_virtual(cast.acme, "virtual", [near, far, cast.acme.repository])
    publish(cast.acme.repository, cast)
    upstreams.has("near", "toad", "toad-1.0.tar.gz")
    upstreams.down.add(("far", ""))
    index = upstreams.index(virtual, cast.acme.admin.principal)
    for name in ("toad", "newt"):
        with pytest.raises(IndexUnavailable, match=f"for {name} now: The index behind acme/far"):
            index.page(parse_name(name))
    assert files_of(index, "frog") == [OURS]  # nobody has to be asked


def test_a_remote_that_is_kept_out_at_one_place_is_missed_at_another(
    cast: Cast, upstreams: Upstreams
) -> None:
    """The inner virtual keeps its name from the remote; the outer one takes it also from there."""
    remote = make_remote(cast.acme, "remote")
    inner = make_virtual(cast.acme, "inner", [cast.acme.repository, remote])
    outer = make_virtual(cast.acme, "outer", [inner, remote])
    publish(cast.acme.repository, cast)
    mark(outer)
    upstreams.down.add(("remote", ""))
    with pytest.raises(IndexUnavailable, match="acme/outer cannot answer for frog now"):
        upstreams.index(outer, cast.acme.admin.principal).page(FROG)
    assert files_of(upstreams.index(inner, cast.acme.admin.principal), "frog") == [OURS]


def test_a_remote_is_asked_for_what_its_patterns_allow(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote", include=["t*"], exclude=["*-internal"])
    virtual = make_virtual(cast.acme, "virtual", [remote])
    for name in ("toad", "toad-internal", "newt"):
        upstreams.has("remote", name, f"{name.replace('-', '_')}-1.0.tar.gz")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "toad") == ["toad-1.0.tar.gz"]
    for name in ("toad-internal", "newt"):
        with pytest.raises(ProjectNotFound):
            index.page(parse_name(name))
    assert upstreams.asked == [("remote", "toad")]


def test_a_member_names_the_scope_that_its_remote_is_asked_in(
    cast: Cast, upstreams: Upstreams
) -> None:
    remote = make_remote(cast.acme, "remote", scopes=["root/pypi", "ada/*"])
    virtual = make_virtual(
        cast.acme, "virtual", [Member(repository=remote, scope="ada/dev"), remote]
    )
    upstreams.has("remote", "frog", OURS, scope="ada/dev", by="ada")
    upstreams.has("remote", "frog", OURS, THEIRS, by="the public")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS, THEIRS]
    assert index.metadata(FROG, OURS) == b"metadata from acme/remote/ada/dev"
    assert index.metadata(FROG, THEIRS) == b"metadata from acme/remote"


def test_a_source_beneath_two_members_counts_once(cast: Cast, upstreams: Upstreams) -> None:
    remote = make_remote(cast.acme, "remote")
    one = make_virtual(cast.acme, "one", [cast.acme.repository, remote])
    two = make_virtual(cast.acme, "two", [remote, cast.acme.repository])
    virtual = make_virtual(cast.acme, "virtual", [one, two, cast.acme.repository])
    publish(cast.acme.repository, cast)
    upstreams.has("remote", "toad", "toad-1.0.tar.gz")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == [OURS]
    assert files_of(index, "toad") == ["toad-1.0.tar.gz"]
    assert upstreams.asked == [("remote", "toad")]
    assert list(index.projects().names) == ["frog", "toad"]


def test_lists_of_names_are_merged_as_they_come() -> None:
    lists = [
        ProjectList(("Zope", "frog"), serial=1),
        ProjectList(("Acme.Toad", "frog", "zope"), serial=2, digest="d1"),
        ProjectList(("acme-toad", "newt"), serial=3, digest="d2"),
    ]
    names = _Names(lists)
    for _ in range(2):  # a list may be read more than once
        assert list(names) == ["Acme.Toad", "frog", "newt", "Zope"]
    assert names.digest
    assert not _Names(lists[:1]).digest
