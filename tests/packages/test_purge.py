"""A purge of what a remote keeps: by steps, gone on with after a break, one at a time, audited."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from accounts.models import Tenant
from base.models import AuditEvent
from packages import purge
from packages.cache import NotCached, cached
from packages.filenames import parse_name
from packages.index.base import Arriving, Stored
from packages.index.remote import RemoteIndex
from packages.models import Blob, CachePurge, Distribution, Project
from packages.sweep import sweep
from repos.access import RoleMissing
from repos.models import Repository
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.packages.fetching import fetched, settled
from tests.upstreams import Server, make_remote, serving

pytestmark = pytest.mark.django_db(transaction=True)

FROG, TOAD = parse_name("frog"), parse_name("toad")
WHEELS = [make_wheel("frog", "1.0"), make_wheel("frog", "2.0"), make_wheel("toad", "1.0")]
SIZE = sum(len(content) for _, content in WHEELS)


@pytest.fixture
def server():
    with serving() as running:
        yield running
        settled()


@pytest.fixture
def remote(cast: Cast, server: Server, time: MovableClock) -> Repository:
    """A remote that keeps three files of two projects, fetched a day apart."""
    remote = make_remote(cast.acme.tenant, server)
    server.add_files("frog", *WHEELS[:2])
    server.add_files("toad", WHEELS[2])
    for name, _ in WHEELS:
        fetched(remote, name)
        time.move(days=1)
    return remote


def used(remote: Repository) -> tuple[int, int]:
    tenant = Tenant.objects.get(pk=remote.tenant_id)
    return tenant.used_files, tenant.used_bytes


def kept(remote: Repository) -> list[str]:
    return sorted(cached(remote).values_list("filename", flat=True))


def asked(remote: Repository, cast: Cast, **which: int) -> CachePurge:
    return purge.ask(remote, typed=str(remote), by=cast.acme.admin.limited, **which)


def test_all_of_it_goes_and_is_fetched_anew_by_whoever_asks(
    remote: Repository, cast: Cast, time: MovableClock
) -> None:
    row = asked(remote, cast)
    assert kept(remote) == sorted(name for name, _ in WHEELS)  # nothing goes in the request
    assert purge.purge_due() == 3
    row.refresh_from_db()
    assert (row.files, row.files_done, row.bytes, row.bytes_done) == (3, 3, SIZE, SIZE)
    assert row.ended_at == time()
    assert kept(remote) == []
    assert used(remote) == (0, 0)
    assert Project.objects.filter(repository=remote).count() == 2  # names are known as before
    assert isinstance(RemoteIndex(remote).open(FROG, WHEELS[0][0]), Arriving)
    fetched(remote, WHEELS[0][0])
    assert isinstance(RemoteIndex(remote).open(FROG, WHEELS[0][0]), Stored)
    assert purge.purge_due() == 0


def test_bytes_stay_a_day_and_for_as_long_as_others_name_them(
    remote: Repository, cast: Cast, server: Server, time: MovableClock
) -> None:
    other = make_remote(cast.acme.tenant, server, key="other")
    fetched(other, WHEELS[2][0])
    asked(remote, cast)
    purge.purge_due()
    sweep()
    assert Blob.objects.count() == 3
    time.move(days=2)
    sweep()
    assert Blob.objects.get().distributions.get().repository == other


def test_what_is_fetched_while_it_goes_on_stays(
    remote: Repository, cast: Cast, time: MovableClock
) -> None:
    asked(remote, cast)
    row = purge.take(CachePurge.objects.all())
    assert row is not None
    steps = purge.steps(row)
    assert next(steps).files == 2  # a step is one project
    time.move(seconds=1)
    fetched(remote, WHEELS[0][0])
    assert next(steps).files == 1
    assert list(steps) == []
    assert kept(remote) == [WHEELS[0][0]]


def test_a_worker_that_is_killed_is_followed_by_another(
    remote: Repository, cast: Cast, time: MovableClock
) -> None:
    asked(remote, cast)
    killed = purge.take(CachePurge.objects.all())
    assert killed is not None
    dead = purge.steps(killed)
    next(dead)
    assert purge.purge_due() == 0  # the lease runs
    time.move(seconds=31)
    assert purge.purge_due() == 1
    row = CachePurge.objects.get()
    assert (row.files, row.files_done, row.bytes_done) == (3, 3, SIZE)
    # It was not dead after all: it has lost its turn, and counts nothing twice.
    assert list(dead) == []
    row.refresh_from_db()
    assert (row.files_done, used(remote)) == (3, (0, 0))


def test_a_step_that_lost_its_turn_is_undone(
    remote: Repository, cast: Cast, time: MovableClock
) -> None:
    asked(remote, cast)
    slow = purge.take(CachePurge.objects.all())
    assert slow is not None
    steps = purge.steps(slow)
    next(steps)
    CachePurge.objects.update(fence="of somebody else")
    assert list(steps) == []
    assert kept(remote) == [WHEELS[2][0]]
    assert used(remote)[0] == 1
    assert CachePurge.objects.get().fence == "of somebody else"


def test_a_turn_is_bounded_and_the_next_one_goes_on(
    remote: Repository, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "TIME_AT_MOST", timedelta(0))
    monkeypatch.setattr(purge, "FILES_AT_ONCE", 1)
    asked(remote, cast)
    assert [purge.purge_due() for _ in range(5)] == [1, 1, 1, 0, 0]
    assert CachePurge.objects.get().ended_at is not None


def test_two_purges_at_once_are_one(remote: Repository, cast: Cast) -> None:
    first = asked(remote, cast)
    assert asked(remote, cast) == first
    with pytest.raises(purge.OtherPurge, match=r"is being purged already, of other files: all\."):
        asked(remote, cast, unused_days=5)
    assert AuditEvent.objects.filter(action="upstream.purge").count() == 1
    purge.purge_due()
    assert asked(remote, cast) != first


def test_what_is_old_or_not_in_use_goes_alone(
    remote: Repository, cast: Cast, time: MovableClock
) -> None:
    def gone(**which: int) -> list[str]:
        before = kept(remote)
        asked(remote, cast, **which)
        purge.purge_due()
        return [name for name in before if name not in kept(remote)]

    assert gone(fetched_days=10) == []
    RemoteIndex(remote).open(FROG, WHEELS[0][0])
    Distribution.objects.filter(filename=WHEELS[0][0]).update(used_at=time())
    assert gone(unused_days=1, fetched_days=2) == [WHEELS[1][0]]
    assert gone(unused_days=1) == [WHEELS[2][0]]
    assert gone(fetched_days=3) == [WHEELS[0][0]]


def test_what_upstream_has_changed_is_left_to_somebody_who_looks_at_it(
    remote: Repository, cast: Cast
) -> None:
    change = Distribution.UpstreamChange
    for (name, _), what in zip(
        WHEELS, (change.REMOVED, change.QUARANTINED, change.YANKED), strict=True
    ):
        Distribution.objects.filter(filename=name).update(upstream_change=what)
    asked(remote, cast)
    purge.purge_due()
    assert kept(remote) == sorted(name for name, _ in WHEELS[:2])


def test_the_audit_tells_who_and_how_much(remote: Repository, cast: Cast) -> None:
    asked(remote, cast, fetched_days=2)
    purge.purge_due()
    size = sum(len(content) for _, content in WHEELS[:2])
    began, ended = AuditEvent.objects.filter(action__startswith="upstream.purge").order_by("pk")
    who = ("ada", str(cast.acme.admin.token), "acme", str(remote), str(remote))
    for event in (began, ended):
        said = (event.actor, event.token, event.tenant, event.repository, event.subject)
        assert said == who
    assert began.before == {"kept_files": 3, "kept_bytes": SIZE}
    assert began.after == {"to_go": "fetched 2 days ago or earlier"}
    assert ended.before == {"files": 2, "bytes": size}
    assert ended.after == {"files_let_go": 2, "bytes_let_go": size}


def test_only_an_administrator_of_a_remote_who_types_its_name_purges(
    remote: Repository, cast: Cast
) -> None:
    with pytest.raises(RoleMissing):
        purge.ask(remote, typed=str(remote), by=cast.acme.reader.principal)
    with pytest.raises(NotCached, match="is no remote"):
        asked(cast.acme.repository, cast)
    with pytest.raises(purge.NotTyped, match="type acme/remote to say"):
        purge.ask(remote, typed=remote.key, by=cast.acme.admin.principal)
    assert not CachePurge.objects.exists()


def test_a_purge_that_fails_lets_others_go_first(
    remote: Repository, cast: Cast, server: Server, monkeypatch: pytest.MonkeyPatch, time
) -> None:
    other = make_remote(cast.acme.tenant, server, key="other")
    asked(remote, cast)
    with monkeypatch.context() as patched:
        patched.setattr(purge, "remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            purge.purge_due()
    asked(other, cast)
    time.move(seconds=1)
    taken = purge.take(CachePurge.objects.all())
    assert taken is not None
    assert taken.repository == other


def test_the_command_purges_and_says_how_far_it_is(
    remote: Repository, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*more: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        call_command("purge_cache", str(remote), "--as", "ada", *more, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    monkeypatch.setattr("builtins.input", lambda _: "acme/other")
    with pytest.raises(CommandError, match="Nothing was purged"):
        run()
    with pytest.raises(CommandError, match="There is no user nobody"):
        run("--as", "nobody")
    with pytest.raises(CommandError, match="Days are from 0"):
        run("--unused-days", "-1")
    said, progress = run("--no-input")
    assert "2 of 3 files" in progress
    assert "3 of 3 files" in progress
    assert said.startswith("3 files let go, ")
    total = Distribution.objects.filter(repository=remote).aggregate(all=Sum("size"))["all"]
    assert total is None
