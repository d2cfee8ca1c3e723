"""Remotes by REST: tried out, purged, and what they keep promoted into a local."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from base.audit import SYSTEM
from base.models import AuditEvent
from packages import purge
from packages.cache import cached
from packages.describe import set_by_person
from packages.filenames import parse_name
from packages.index.remote import RemoteIndex
from packages.models import CachePurge, Distribution, UpstreamHealth
from packages.upstream.refresh import refreshed
from repos import configure
from repos.models import Claim, Kind, Repository, Upstream
from tests.cast import Cast, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.packages.fetching import fetched, settled
from tests.portal.test_rest import Rest, by_session, by_token, told
from tests.upstreams import Server, make_remote, serving

pytestmark = pytest.mark.django_db(transaction=True)

WHEELS = [make_wheel("frog", "1.0"), make_wheel("toad", "1.0")]
FROG = WHEELS[0][0]
REMOTE = "/repositories/acme/remote"
PURGES = f"{REMOTE}/cache/purges"
TYPED = {"typed": "acme/remote"}


@pytest.fixture
def server() -> Iterator[Server]:
    """An index with two files."""
    with serving() as running:
        running.add_files("frog", WHEELS[0])
        running.add_files("toad", WHEELS[1])
        yield running
        settled()


@pytest.fixture
def remote(cast: Cast, server: Server, time: MovableClock) -> Repository:
    """A remote that keeps both, one of them for a day longer."""
    remote = make_remote(cast.acme.tenant, server)
    for name, _ in WHEELS:
        fetched(remote, name)
        time.move(days=1)
    return remote


@pytest.fixture
def ada(cast: Cast) -> Rest:
    """Acme's administrator, in their browser."""
    return by_session(cast.acme.admin)


@pytest.fixture
def production(cast: Cast) -> Repository:
    """A local that no virtual shows beside the remote."""
    return make_repository(cast.acme.tenant, "production")


def the_frog(remote: Repository) -> Distribution:
    return Distribution.objects.select_related("repository__tenant", "release__project").get(
        repository=remote, filename=FROG
    )


def promoting(remote: Repository) -> str:
    return f"{REMOTE}/files/{the_frog(remote).pk}/promote"


# What it keeps


def test_a_purge_is_begun_followed_and_ends(remote: Repository, ada: Rest) -> None:
    kept = ada("GET", f"{REMOTE}/cache").json()
    size = sum(len(content) for _, content in WHEELS)
    assert (kept["files"], kept["bytes"], kept["purge"]) == (2, size, None)
    begun = ada("POST", PURGES, TYPED)
    assert begun.status_code == 202, begun.content
    one = f"{PURGES}/{begun.json()['id']}"
    assert (begun.json()["state"], begun.json()["files"]) == ("running", None)
    assert ada("GET", f"{REMOTE}/cache").json()["purge"] == begun.json()
    assert cached(remote).count() == 2, "nothing goes within the request"
    assert purge.purge_due() == 2
    ended = ada("GET", one).json()
    assert (ended["state"], ended["files"], ended["files_done"]) == ("ended", 2, 2)
    assert (ended["bytes_done"], ended["by"]) == (size, "ada")
    assert ada("GET", PURGES).json()["results"] == [ended]
    assert ada("GET", f"{REMOTE}/cache").json()["purge"] is None
    acts = AuditEvent.objects.filter(repository="acme/remote", action__startswith="upstream.purge")
    assert set(acts.values_list("action", "actor")) == {
        ("upstream.purge", "ada"), ("upstream.purged", "ada"),
    }  # fmt: skip


def test_a_purge_of_what_is_old_leaves_the_rest(
    remote: Repository, ada: Rest, time: MovableClock
) -> None:
    begun = ada("POST", PURGES, TYPED | {"fetched_days": 2})
    assert (begun.json()["fetched_days"], begun.json()["unused_days"]) == (2, 0)
    other = ada("POST", PURGES, TYPED)
    assert "being purged already, of other files" in told(other, 400)
    assert ada("POST", PURGES, TYPED | {"fetched_days": 2}).json()["id"] == begun.json()["id"]
    purge.purge_due()
    assert list(cached(remote).values_list("filename", flat=True)) == [WHEELS[1][0]]
    second = ada("POST", PURGES, TYPED | {"unused_days": 900})
    assert second.status_code == 202
    time.move(minutes=16)
    assert ada("GET", PURGES).json()["results"][0]["state"] == "stopped"


def test_a_key_keeps_a_purge_from_being_begun_again_once_it_has_ended(
    remote: Repository, ada: Rest
) -> None:
    first = ada("POST", PURGES, TYPED, Idempotency_Key="nightly")
    purge.purge_due()
    again = ada("POST", PURGES, TYPED, Idempotency_Key="nightly")
    assert (again.status_code, again.json()) == (202, first.json())
    assert CachePurge.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "typed: This field is required"),
        ({"typed": "acme/local"}, "Nothing was purged: type acme/remote"),
        (TYPED | {"fetched_days": -1}, "fetched_days: "),
        (TYPED | {"unused_days": 10**9}, "unused_days: "),
        (TYPED | {"days": 1}, "days: There is no such field"),
    ],
)
def test_a_purge_that_is_not_meant_so_is_refused(
    remote: Repository, ada: Rest, body: dict[str, object], words: str
) -> None:
    assert words in told(ada("POST", PURGES, body), 400)
    assert not CachePurge.objects.exists()


def test_only_who_administers_a_remote_purges_it(cast: Cast, remote: Repository, ada: Rest) -> None:
    for who in (cast.acme.writer, cast.acme.reader):
        told(by_token(who)("POST", PURGES, TYPED), 403)
        told(by_token(who)("GET", f"{REMOTE}/cache"), 403)
    told(by_session(cast.globex.admin)("POST", PURGES, TYPED), 403)
    local = "/repositories/acme/local/cache"
    assert "is no remote" in told(ada("POST", f"{local}/purges", {"typed": "acme/local"}), 400)
    assert "is no remote" in told(ada("GET", local), 400)
    other = make_remote(cast.acme.tenant, None, "other", index_url="https://index.example/")
    row = purge.ask(other, typed=str(other), by=cast.acme.admin.limited)
    assert "acme/remote has no purge" in told(ada("GET", f"{PURGES}/{row.pk}"), 404)


def test_what_upstream_has_changed_is_found_among_the_files(remote: Repository, ada: Rest) -> None:
    Distribution.objects.filter(filename=FROG).update(upstream_change="removed")
    for asked, names in (("any", [FROG]), ("removed", [FROG]), ("yanked", [])):
        found = ada("GET", f"{REMOTE}/files?upstream_change={asked}").json()["results"]
        assert [each["filename"] for each in found] == names
    told(ada("GET", f"{REMOTE}/files?upstream_change=gone"), 400)


@pytest.mark.parametrize("path", [f"{REMOTE}/cache", PURGES])
def test_what_is_asked_of_a_remote_takes_few_questions(
    remote: Repository, ada: Rest, django_assert_max_num_queries, path: str
) -> None:
    for _ in range(5):
        ada("POST", PURGES, TYPED)
        purge.purge_due()
    with django_assert_max_num_queries(12):
        assert ada("GET", path).status_code == 200


# What stands behind it


def test_an_upstream_is_tried_out_and_the_answer_says_what_is_wrong(
    cast: Cast, remote: Repository, ada: Rest, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    events = AuditEvent.objects.count()
    tried = ada("POST", f"{REMOTE}/upstream/check")
    assert tried.status_code == 200, tried.content
    assert tried.json()["works"]
    assert tried.json()["trials"][0]["says"].endswith("with 1 files.")
    Upstream.objects.update(suffix="nowhere")
    wrong = ada("POST", f"{REMOTE}/upstream/check").json()
    assert not wrong["works"]
    assert "there is no index" in wrong["trials"][0]["says"]
    assert AuditEvent.objects.count() == events
    told(by_token(cast.acme.writer)("POST", f"{REMOTE}/upstream/check"), 403)


def test_an_address_inside_the_network_is_not_tried_out_without_leave(
    remote: Repository, ada: Rest, server: Server
) -> None:
    Upstream.objects.update(private_allowed=False)
    before = len(server.asked)
    tried = ada("POST", f"{REMOTE}/upstream/check").json()
    assert not tried["works"]
    assert len(server.asked) == before


def test_trials_leave_threads_for_everybody_else(
    remote: Repository, ada: Rest, server: Server, settings
) -> None:
    settings.UPSTREAM_WAITERS = 0
    before = len(server.asked)
    tried = ada("POST", f"{REMOTE}/upstream/check").json()
    assert tried["trials"][0]["says"].startswith("Too many are waiting for other indexes")
    assert (tried["works"], len(server.asked)) == (False, before)


def test_what_has_no_upstream_is_not_tried_out(cast: Cast, ada: Rest) -> None:
    make_repository(cast.acme.tenant, "bare", Kind.REMOTE)
    bare = "/repositories/acme/bare"
    assert "no index URL yet" in told(ada("POST", f"{bare}/upstream/check"), 400)
    local = "/repositories/acme/local/upstream/check"
    assert "is no remote" in told(ada("POST", local), 400)


def test_the_cache_says_whether_upstream_answers(remote: Repository, ada: Rest) -> None:
    assert ada("GET", f"{REMOTE}/cache").json()["answers"]
    UpstreamHealth.objects.update(failures=3, failure="index.example is away.")
    said = ada("GET", f"{REMOTE}/cache").json()
    assert (said["answers"], said["failure"]) == (False, "index.example is away.")
    UpstreamHealth.objects.all().delete()
    assert ada("GET", f"{REMOTE}/cache").json()["answers"] is None


# Promotion out of it


def test_what_a_remote_keeps_is_copied_into_a_local_and_upstream_is_not_asked(
    cast: Cast, remote: Repository, ada: Rest, production: Repository, server: Server
) -> None:
    frog = the_frog(remote)
    set_by_person(frog, {"qa.approved": ["yes"]}, by=SYSTEM)
    asked = len(server.asked)
    done = ada("POST", promoting(remote), {"to": "acme/production"})
    assert done.status_code == 201, done.content
    copy = Distribution.objects.get(pk=done.json()["file"]["id"])
    assert (copy.repository, copy.blob_id, copy.sha256) == (production, frog.blob_id, frog.sha256)
    assert copy.properties.filter(name="qa.approved", value="yes", origin="person").exists()
    assert len(server.asked) == asked
    assert AuditEvent.objects.get(action="contents.promote").after["to"] == "acme/production"
    purge.ask(remote, typed=str(remote), by=cast.acme.admin.limited)
    purge.purge_due()
    assert production.distributions.get().blob_id == copy.blob_id, "a purge leaves the copy"


def test_what_a_remote_keeps_is_not_moved(
    remote: Repository, ada: Rest, production: Repository
) -> None:
    refused = ada("POST", promoting(remote), {"to": "acme/production", "move": True})
    assert "Copy the file, do not move it" in told(refused, 400)
    assert cached(remote).count() == 2
    assert not production.distributions.exists()


@pytest.mark.parametrize("change", ["yanked", "removed", "other-bytes"])
def test_what_upstream_has_changed_since_is_the_kept_copy_and_is_promoted(
    remote: Repository, ada: Rest, production: Repository, change: str
) -> None:
    Distribution.objects.filter(filename=FROG).update(upstream_change=change)
    assert ada("POST", promoting(remote), {"to": "acme/production"}).status_code == 201
    assert production.distributions.get().sha256 == the_frog(remote).sha256


def test_what_upstream_has_yanked_arrives_yanked(
    remote: Repository, ada: Rest, production: Repository, server: Server
) -> None:
    server.add_files("frog", WHEELS[0], yanked="It loses data. " * 50)
    refreshed(RemoteIndex(remote).source, parse_name("frog"))
    path, asked = promoting(remote), len(server.asked)
    assert ada("POST", path, {"to": "acme/production"}).status_code == 201
    copy = production.distributions.get()
    assert copy.yanked
    assert copy.yanked_reason == ("It loses data. " * 50)[:500]
    assert len(server.asked) == asked


def test_what_upstream_has_quarantined_is_promoted_once_that_is_lifted(
    remote: Repository, ada: Rest, production: Repository
) -> None:
    Distribution.objects.filter(filename=FROG).update(upstream_change="quarantined")
    assert "quarantined" in told(ada("POST", promoting(remote), {"to": "acme/production"}), 403)
    assert not production.distributions.exists()
    lift = promoting(remote).replace("/promote", "/lift-quarantine")
    assert ada("POST", lift).status_code == 200
    assert ada("POST", promoting(remote), {"to": "acme/production"}).status_code == 201


def test_a_name_that_a_virtual_shows_from_upstream_is_claimed_before_it_is_promoted(
    cast: Cast, remote: Repository, ada: Rest, production: Repository
) -> None:
    """Its other versions would go for everybody who installs through the virtual."""
    both = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(both, [production, remote], by=SYSTEM)
    refused = told(ada("POST", promoting(remote), {"to": "acme/production"}), 403)
    assert "frog is served by an index beside acme/production" in refused
    assert not production.distributions.exists()
    configure.add_claim(Claim(repository=production, pattern="frog"), by=SYSTEM)
    assert ada("POST", promoting(remote), {"to": "acme/production"}).status_code == 201


def test_what_a_remote_leaves_out_by_now_is_not_promoted(
    remote: Repository, ada: Rest, production: Repository
) -> None:
    path = promoting(remote)
    Upstream.objects.update(exclude=["frog"])
    refused = ada("POST", path, {"to": "acme/production"})
    assert refused.status_code in {403, 404}, refused.content
    assert "frog" in refused.json()["detail"]
    assert not production.distributions.exists()
