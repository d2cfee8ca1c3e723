"""What a remote keeps can be let go of, and what upstream withheld be given out again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Tenant
from base.models import AuditEvent
from packages import cache
from packages.extraction import extract
from packages.filenames import parse_name
from packages.index.base import Arriving, FileWithheld, ProjectNotFound, Stored
from packages.index.remote import RemoteIndex
from packages.models import Distribution, Fetch, Property, UpstreamPage
from packages.sweep import sweep
from packages.upstream.upkeep import refresh_pages
from repos.access import RoleMissing
from repos.stamps import stamp
from tests.dists import make_wheel
from tests.packages.extraction.extracting import FakeReader
from tests.packages.fetching import fetched, settled
from tests.upstreams import Reply, Server, json_line, make_remote, serving

pytestmark = pytest.mark.django_db(transaction=True)

FROG = parse_name("frog")
WHEELS = [make_wheel("frog", version) for version in ("1.0", "2.0")]


@pytest.fixture
def server():
    with serving() as running:
        yield running
        settled()


@pytest.fixture
def remote(cast, server: Server, time):
    server.add_files("frog", *WHEELS)
    remote = make_remote(cast.acme.tenant, server)
    for name, _ in WHEELS:
        fetched(remote, name)
        time.move(days=1)
    return remote


def used_bytes(remote) -> int:
    return Tenant.objects.get(pk=remote.tenant_id).used_bytes


def test_what_is_kept_is_extracted_and_its_page_stays(
    remote, time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "Reader", FakeReader)
    before = stamp(remote.pk)
    assert extract.extract_due() == 2
    rows = Distribution.objects.all()
    assert {row.extraction for row in rows} == {Distribution.Extraction.EXTRACTED}
    names = Property.objects.filter(name="pypi.name", origin=Property.Origin.ARCHIVE)
    assert names.count() == 2
    assert stamp(remote.pk) == before


def test_one_file_is_dropped_and_can_be_fetched_again(remote, cast, server) -> None:
    first = Distribution.objects.get(filename=WHEELS[0][0])
    dropped = cache.drop(first, by=cast.acme.admin.principal)
    assert dropped == cache.Dropped(files=1, bytes=len(WHEELS[0][1]))
    assert used_bytes(remote) == len(WHEELS[1][1])
    assert isinstance(RemoteIndex(remote).open(FROG, WHEELS[0][0]), Arriving)
    assert AuditEvent.objects.filter(action="upstream.drop").count() == 1


def test_only_an_administrator_drops(remote, cast) -> None:
    with pytest.raises(RoleMissing):
        cache.drop(Distribution.objects.all()[0], by=cast.acme.reader.principal)
    with pytest.raises(cache.NotCached, match="is no remote"):
        cache.require_remote(cast.acme.repository, cast.acme.admin.principal)


def test_what_upstream_quarantined_is_withheld_until_that_is_lifted(
    remote, cast, server, time
) -> None:
    lines = [json_line(*wheel) for wheel in WHEELS]
    server.add_page("frog", lines, **{"project-status": {"status": "quarantined"}})
    time.move(seconds=601)
    assert RemoteIndex(remote).page(FROG).files == ()
    with pytest.raises(FileWithheld, match="quarantined upstream"):
        RemoteIndex(remote).open(FROG, WHEELS[0][0])
    assert {row.filename for row in cache.changed_upstream(remote)} == {w[0] for w in WHEELS}
    first = Distribution.objects.get(filename=WHEELS[0][0])
    cache.lift_quarantine(first, by=cast.acme.admin.principal)
    assert [file.filename for file in RemoteIndex(remote).page(FROG).files] == [WHEELS[0][0]]
    assert isinstance(RemoteIndex(remote).open(FROG, WHEELS[0][0]), Stored)
    with pytest.raises(cache.NotCached):
        cache.lift_quarantine(first, by=cast.acme.admin.principal)


def test_pages_in_use_are_refreshed_before_they_are_old(remote, server, time) -> None:
    RemoteIndex(remote).page(FROG)
    asked = server.count("/simple/frog/")
    assert refresh_pages() == 0
    time.move(seconds=500)
    assert refresh_pages() == 1
    assert server.count("/simple/frog/") == asked + 1
    time.move(hours=2)
    assert refresh_pages() == 0


def test_page_that_is_refused_does_not_keep_others_from_being_refreshed(
    remote, server, time
) -> None:
    server.add_files("toad", make_wheel("toad", "1.0"))
    for name in ("frog", "toad"):
        RemoteIndex(remote).page(parse_name(name))
    server.replies["/simple/frog/"] = Reply(status=403)
    time.move(seconds=500)
    assert refresh_pages() == 1
    assert server.count("/simple/toad/") == 2


def test_notes_of_fetches_that_are_over_are_swept(remote, time) -> None:
    Fetch.objects.create(repository=remote, filename="dead", heartbeat_at=time.time)
    assert sweep().fetches == 0
    time.move(days=2)
    refused = Fetch.objects.create(
        repository=remote, filename="refused", refused_until=time.time + timedelta(minutes=1)
    )
    assert sweep().fetches == 1
    assert Fetch.objects.get() == refused


def test_names_that_upstream_never_had_are_forgotten(remote, time) -> None:
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(parse_name("newt"))
    assert sweep().pages == 0
    time.move(days=2)
    assert sweep().pages == 1
    assert [row.normalized for row in UpstreamPage.objects.all()] == ["frog"]
