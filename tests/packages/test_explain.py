"""Why this file? What `explain` lists, and that the page is what it says."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate
from packages.curate import NotKept
from packages.explain import Explained, explain
from packages.filenames import parse_name
from packages.index.decision import Cause
from packages.models import Distribution, Project
from repos import configure
from repos.access import RoleMissing
from repos.models import AlsoUpstream, Claim, Repository, Upstream, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.dists import make_wheel
from tests.uploads import published, upload
from tests.virtuals import Upstreams, ever_had, files_of, make_remote, make_virtual

FROG = parse_name("frog")


@pytest.fixture
def upstreams() -> Upstreams:
    """What stands behind the remotes."""
    return Upstreams()


def publish(repository: Repository, cast: Cast, *versions: str) -> None:
    """Let ada publish frogs, each repository's own."""
    for version in versions:
        wheel = make_wheel("frog", version, files={"whose.py": str(repository).encode()})
        published(Client(), "frog", version, wheel, by=cast.acme.admin, to=f"/{repository}/")


def told(lines: list[Explained]) -> list[str]:
    """Return the lines as short texts."""
    return [
        f"{line.file.version if line.file else '-'} {line.source or '?'}: {line.why or 'shown'}"
        for line in lines
    ]


def test_every_line_that_one_may_see_is_listed_with_its_cause(
    cast: Cast, upstreams: Upstreams
) -> None:
    closed = make_repository(cast.acme.tenant, "closed")
    other = make_repository(cast.acme.tenant, "other")
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [other, cast.acme.repository, closed, remote])
    publish(other, cast, "1.0")
    publish(cast.acme.repository, cast, "1.0", "2.0")
    upstreams.has("remote", "frog", "frog-9.0.tar.gz")
    ray = cast.acme.reader.principal
    for repository in (other, remote):
        grant(repository, Role.READER, cast.acme.reader)
    assert told(explain(virtual, FROG, ray, upstreams.open)) == [
        "1.0 acme/other: shown",
        "1.0 acme/local: acme/other comes first and has other bytes under this name",
        "2.0 acme/local: shown",
        "- ?: you may not read it",
        "- acme/remote: the name is kept by acme/other",
    ]
    assert not upstreams.asked


@dataclass
class Behind:
    """A remote's file behind every cause that there is, taken away one by one."""

    cast: Cast
    upstreams: Upstreams
    first: Repository
    remote: Repository
    virtual: Repository
    target = "frog-1.0-py3-none-any.whl"

    def cause(self) -> Cause | None:
        """Return what hides the remote's line from mona."""
        by = self.cast.acme.member.principal
        for line in explain(self.virtual, FROG, by, self.upstreams.open):
            is_it = line.file is None or line.file.filename == self.target
            if is_it and line.source in {"", str(self.remote)}:
                return line.cause
        raise AssertionError

    def merge(self, merge: str) -> None:
        """Let the virtual show all members that have a name, or the first."""
        settings = VirtualSettings.objects.filter(repository=self.virtual).first()
        settings = settings or VirtualSettings(repository=self.virtual)
        settings.merge = merge
        configure.save_virtual(settings, by=SYSTEM)

    def exclude(self, *patterns: str) -> None:
        """Let the remote never be asked for names like these."""
        upstream = Upstream.objects.get(repository=self.remote)
        upstream.exclude = list(patterns)
        configure.save_upstream(upstream, by=SYSTEM)

    def quarantine(self, status: Project.Status) -> None:
        """Give the first local's project this status."""
        project = Project.objects.get(repository=self.first)
        curate.set_status(project, status=status, reason="", by=self.cast.acme.admin.principal)


@pytest.fixture
def behind(cast: Cast, upstreams: Upstreams) -> Behind:
    """The file behind all the causes."""
    first = make_repository(cast.acme.tenant, "first")
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [first, cast.acme.repository, remote])
    scene = Behind(cast, upstreams, first, remote, virtual)
    publish(first, cast, "1.0", "3.0")
    publish(cast.acme.repository, cast, "2.0")
    curate.delete(Distribution.objects.get(filename=scene.target), by=cast.acme.admin.principal)
    upstreams.has("remote", "frog", scene.target)
    upstreams.down.add(("remote", ""))
    configure.add_claim(Claim(repository=cast.acme.repository, pattern="frog"), by=SYSTEM)
    scene.exclude("frog")
    scene.merge("first")
    for repository in (first, cast.acme.repository):
        grant(repository, Role.READER, cast.acme.member)
    return scene


def test_removing_a_cause_shows_the_line_or_names_the_next_one(behind: Behind) -> None:
    assert behind.cause() == Cause.UNREADABLE
    grant(behind.remote, Role.READER, behind.cast.acme.member)
    assert behind.cause() == Cause.EXCLUDED
    behind.exclude()
    assert behind.cause() == Cause.CLAIMED
    configure.remove_claim(Claim.objects.get(), by=SYSTEM)
    assert behind.cause() == Cause.KEPT
    mark = AlsoUpstream(virtual=behind.virtual, normalized="frog")
    configure.mark_also_upstream(mark, by=SYSTEM)
    assert behind.cause() == Cause.NOT_FIRST
    behind.merge("all")
    assert behind.cause() == Cause.UNAVAILABLE
    behind.upstreams.down.clear()
    assert behind.cause() == Cause.DELETED
    ada = behind.cast.acme.admin.principal
    curate.restore(Distribution.objects.get(filename=behind.target), by=ada)
    behind.quarantine(Project.Status.QUARANTINED)
    assert behind.cause() == Cause.QUARANTINED
    behind.quarantine(Project.Status.ACTIVE)
    assert behind.cause() == Cause.OTHER_BYTES
    configure.set_members(behind.virtual, [behind.remote], by=SYSTEM)
    configure.remove_claim(Claim.objects.get(), by=SYSTEM)  # which the locals have left
    assert behind.cause() is None


def test_a_name_that_is_let_go_comes_from_upstream_until_it_is_published_again(
    client: Client, cast: Cast, upstreams: Upstreams
) -> None:
    remote = make_remote(cast.acme, "remote")
    virtual = make_virtual(cast.acme, "virtual", [remote, cast.acme.repository])
    publish(cast.acme.repository, cast, "1.0")
    upstreams.has("remote", "frog", "frog-9.0.tar.gz")
    ada = cast.acme.admin
    index = upstreams.index(virtual, ada.principal)
    for person in (cast.acme.writer, cast.acme.reader):
        with pytest.raises(RoleMissing):
            curate.let_go(cast.acme.repository, FROG, by=person.principal)
    curate.let_go(cast.acme.repository, FROG, by=ada.principal)
    assert files_of(index, "frog") == ["frog-1.0-py3-none-any.whl", "frog-9.0.tar.gz"]
    event = AuditEvent.objects.filter(action="contents.let_go").get()
    assert (event.actor, event.subject) == ("ada", "acme/local/frog")
    with pytest.raises(NotKept, match="acme/local does not keep the name frog"):
        curate.let_go(cast.acme.repository, FROG, by=ada.principal)
    assert upload(client, "frog", "2.0", make_wheel("frog", "2.0"), by=ada).status_code == 200
    assert [name[:8] for name in files_of(index, "frog")] == ["frog-1.0", "frog-2.0"]


def test_a_private_remote_lets_a_name_go_though_it_has_it(cast: Cast, upstreams: Upstreams) -> None:
    private = make_remote(cast.acme, "private", keeps_names=True)
    public = make_remote(cast.acme, "public")
    virtual = make_virtual(cast.acme, "virtual", [private, public])
    upstreams.has("private", "frog", "frog-1.0.tar.gz")
    upstreams.has("public", "frog", "frog-9.0.tar.gz")
    index = upstreams.index(virtual, cast.acme.admin.principal)
    assert files_of(index, "frog") == ["frog-1.0.tar.gz"]
    ever_had(private, "frog")
    curate.let_go(private, FROG, by=cast.acme.admin.principal)
    assert files_of(index, "frog") == ["frog-1.0.tar.gz", "frog-9.0.tar.gz"]


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("explain", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_prints_a_line_for_each(cast: Cast) -> None:
    other = make_repository(cast.acme.tenant, "other")
    make_virtual(cast.acme, "virtual", [other, cast.acme.repository])
    for repository in (other, cast.acme.repository):
        publish(repository, cast, "1.0")
    wheel = "frog-1.0-py3-none-any.whl"
    why = "acme/other comes first and has other bytes under this name"
    assert run("acme/virtual", "Frog") == [
        f"{wheel}  acme/other  shown",
        f"{wheel}  acme/local  hidden: {why}",
    ]
    assert run("acme/virtual", "frog", "--as", "ray") == [
        f"{wheel}  acme/local  shown",
        f"{'-':{len(wheel)}}  a member    hidden: you may not read it",
    ]
    assert run("acme/local", "frog") == [f"{wheel}  acme/local  shown"]
    assert run("acme/local", "toad") == ["No file in acme/local is of toad."]
    assert run("acme/virtual", "toad") == ["No member of acme/virtual has files of toad."]
    for wrong in (
        ["acme/nowhere", "frog"],
        ["acme/virtual", "-"],
        ["acme/virtual", "frog", "--as", "nobody"],
    ):
        with pytest.raises(CommandError):
            run(*wrong)
