"""Whom repositories trust to publish, and what the tokens do that these get."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import publishing
from accounts.assertions import AssertionRefused
from accounts.models import Issuer, PublishingToken, UsedAssertion
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.models import Distribution
from repos import configure, publishers
from repos.access import RoleMissing
from repos.models import Kind, TrustedPublisher, VirtualSettings
from tests.cast import Cast, assemble, basic, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.publishers import exchanged, make_issuer, trust
from tests.uploads import upload

GITLAB = {
    "project_path": "acme/frog",
    "project_id": "9",
    "namespace_path": "acme",
    "namespace_id": "7",
    "ci_config_ref_uri": "ci.example/acme/frog//ci.yml@refs/heads/main",
    "ref_path": "refs/heads/main",
}
GOOGLE = {"sub": "1234", "email": "robot@acme.example", "email_verified": True}


def send(secret: str, project: str = "frog", to: str = "/acme/local/", version: str = "1.0"):
    file = make_wheel(project, version)
    shows = basic("__token__", secret)["Authorization"]
    return upload(Client(), project, version, file, by=None, to=to, Authorization=shows)


def refused(issuer: Issuer, *without: str, **claims: Any) -> tuple[str, str]:
    with pytest.raises(AssertionRefused) as refusal:
        exchanged(issuer, *without, **claims)
    return refusal.value.code, refusal.value.sentence


def test_a_pending_publisher_makes_the_project_and_publishes_again(
    cast: Cast, time: MovableClock
) -> None:
    issuer = make_issuer()
    publisher = trust(cast.acme.repository, issuer)
    for version in ("1.0", "2.0"):
        minted = exchanged(issuer, jti=version)
        answer = send(minted.secret, version=version)
        assert answer.status_code == 200, answer.content
    row = Distribution.objects.get(filename="frog-2.0-py3-none-any.whl")
    assert row.uploaded_by == "GitHub at ci.example: octo/frog, release.yml"
    event = AuditEvent.objects.filter(action="distribution.publish").latest("at", "pk")
    assert (event.actor, event.token) == (row.uploaded_by, str(minted.token))
    publisher.refresh_from_db()
    assert (publisher.owner_id, publisher.source_id) == ("4711", "815")
    assert publisher.last_used_at == time()
    assert AuditEvent.objects.filter(action="publisher.token", tenant="").count() == 2


def test_a_token_publishes_its_pairs_of_repository_and_project_alone(cast: Cast) -> None:
    issuer = make_issuer()
    other = make_repository(cast.acme.tenant, "other")
    trust(cast.acme.repository, issuer, "frog")
    trust(other, issuer, "toad")
    trust(cast.globex.repository, issuer, "newt")
    minted = exchanged(issuer)
    heard = {
        (to, project): send(minted.secret, project, to).status_code
        for to in ("/acme/local/", "/acme/other/", "/globex/local/")
        for project in ("frog", "toad", "newt")
    }
    assert {pair for pair, status in heard.items() if status == 200} == {
        ("/acme/local/", "frog"),
        ("/acme/other/", "toad"),
        ("/globex/local/", "newt"),
    }
    assert set(heard.values()) == {200, 403}
    told = (
        "GitHub at ci.example: octo/frog, release.yml is not trusted to publish toad to acme/local."
    )
    assert told in send(minted.secret, "toad").content.decode()


def test_who_names_somebody_elses_ci_is_told_nothing_of_it(cast: Cast, time: MovableClock) -> None:
    issuer = make_issuer()
    theirs = trust(cast.acme.repository, issuer, environment="release")
    spying = trust(cast.globex.repository, issuer)
    before = AuditEvent.objects.filter(tenant="globex").count()
    minted = exchanged(issuer, environment="release")
    assert send(minted.secret).status_code == 200
    publishers.burn(minted.secret, address="10.0.0.9")
    for each in (theirs, spying):
        each.refresh_from_db()
    assert (theirs.last_used_at, spying.last_used_at) == (time(), None)
    assert AuditEvent.objects.filter(tenant="globex").count() == before
    event = AuditEvent.objects.get(action="publisher.token")
    assert (event.tenant, event.subject, event.address) == ("", issuer.url, "10.0.0.9")
    assert event.after["publishes"] == ["acme/local/frog", "globex/local/frog"]


def test_a_thousand_publishers_of_one_source_hold_nobody_up(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    TrustedPublisher.objects.bulk_create(
        TrustedPublisher(
            repository=cast.globex.repository,
            normalized=f"toad-{number}",
            issuer=issuer,
            source="octo/frog",
            workflow="release.yml",
            created_at=clock.now(),
        )
        for number in range(1000)
    )
    with CaptureQueriesContext(connection) as asked:
        minted = exchanged(issuer)
    assert len(asked) < 30
    assert minted.token.publishers.count() == 1001
    assert send(minted.secret).status_code == 200


def test_what_is_not_there_is_answered_as_what_is_not_trusted(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    secret = exchanged(issuer).secret
    there, not_there = send(secret, to="/globex/local/"), send(secret, to="/globex/wrong/")
    assert there.status_code == not_there.status_code == 403
    assert there.content.replace(b"local", b"wrong") == not_there.content


def test_a_token_opens_no_other_door(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    headers = basic("__token__", exchanged(issuer).secret)
    client = Client()
    for path in (
        "/acme/local/simple/",
        "/acme/local/simple/frog/",
        "/api/v1/repositories/acme/local",
    ):
        assert client.get(path, headers=headers).status_code in {401, 404}, path
    name, content = make_wheel("frog", "1.0")
    put = client.put(f"/artifactory/local/frog/1.0/{name}", content, headers=headers)
    assert put.status_code == 401
    assert not Distribution.objects.exists()


def test_through_a_virtual_it_publishes_to_the_local_behind(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    virtual = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    secret = exchanged(issuer).secret
    assert send(secret, to="/acme/all/").status_code == 403  # it passes on to nobody
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    settings = VirtualSettings(repository=virtual, deployment=cast.acme.repository)
    configure.save_virtual(settings, by=SYSTEM)
    assert send(secret, to="/acme/all/").status_code == 200
    assert Distribution.objects.get().repository == cast.acme.repository


def test_a_token_ends_after_a_quarter_of_an_hour(cast: Cast, time: MovableClock) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    minted = exchanged(issuer)
    time.move(minutes=14, seconds=59)
    assert send(minted.secret).status_code == 200
    time.move(seconds=1)
    assert send(minted.secret, version="2.0").status_code == 401


def test_a_burnt_token_is_over(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    secret = exchanged(issuer).secret
    publishers.burn(secret, address="")
    publishers.burn(secret, address="")
    publishers.burn("lrp_wrong", address="")
    assert send(secret).status_code == 401
    assert AuditEvent.objects.filter(action="publisher.burn").count() == 1


@pytest.mark.parametrize("what", ["publisher", "repository", "issuer"])
def test_a_token_ends_with_what_it_hangs_on(cast: Cast, what: str) -> None:
    issuer = make_issuer()
    publisher = trust(cast.acme.repository, issuer)
    secret = exchanged(issuer).secret
    if what == "publisher":
        publishers.remove_publisher(publisher, by=SYSTEM)
    elif what == "repository":
        configure.delete_repository(cast.acme.repository, by=SYSTEM)
    else:
        issuer.is_active = False
        publishers.save_issuer(issuer, by=SYSTEM)
    assert send(secret).status_code in {401, 403}


def test_a_token_stays_over_when_its_issuer_is_switched_on_again(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    secret = exchanged(issuer).secret
    for is_active in (False, True):
        issuer.is_active = is_active
        publishers.save_issuer(issuer, by=SYSTEM)
    assert send(secret).status_code == 401
    assert send(exchanged(issuer, jti="j2").secret).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"repository": "octo/toad"},
        {"repository": "evil/frog"},
        {"workflow_ref": "octo/frog/.github/workflows/test.yml@refs/heads/main"},
        {"workflow_ref": "evil/frog/.github/workflows/release.yml@refs/heads/main"},
    ],
)
def test_another_repository_or_workflow_is_not_trusted(cast: Cast, claims: dict[str, str]) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    code, sentence = refused(issuer, **claims)
    assert code == "invalid-publisher"
    assert sentence.startswith("No project here trusts this job: repository ")


def test_the_same_claims_of_another_issuer_are_not_trusted(cast: Cast) -> None:
    issuer, other = make_issuer(), make_issuer(url="https://other.example")
    trust(cast.acme.repository, issuer)
    assert refused(other, iss=other.url)[0] == "invalid-publisher"


def test_environment_ref_and_further_claims_must_fit(cast: Cast) -> None:
    issuer = make_issuer()
    trust(
        cast.acme.repository,
        issuer,
        environment="Release",
        ref="refs/tags/*",
        claims={"runner_environment": "hosted"},
    )
    fits = {"environment": "release", "ref": "refs/tags/1.0", "runner_environment": "hosted"}
    for name, other in (
        ("environment", "test"),
        ("ref", "refs/heads/main"),
        ("runner_environment", "own"),
    ):
        assert refused(issuer, **fits | {name: other})[0] == "invalid-publisher"
        assert refused(issuer, name, **{each: fits[each] for each in fits if each != name})
    assert exchanged(issuer, **fits)


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_what_a_stranger_can_start_is_trusted_where_the_publisher_says_so(
    cast: Cast, event: str
) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer, ref="refs/heads/main")
    code, sentence = refused(issuer, event_name=event)
    assert code == "invalid-publisher"
    assert f"event {event}. Compare it" in sentence
    assert exchanged(issuer, event_name="push")
    trust(cast.acme.repository, issuer, "toad", claims={"event_name": event})
    minted = exchanged(issuer, event_name=event, jti="j2")
    assert [each.normalized for each in minted.token.publishers.all()] == ["toad"]


@pytest.mark.parametrize(
    ("kind", "claims", "told"),
    [
        (
            "github",
            {"environment": "QA", "ref": "refs/tags/1"},
            "this job: repository octo/frog, workflow release.yml, environment qa, ref refs/tags/1",
        ),
        (
            "gitlab",
            GITLAB | {"ci_config_ref_uri": "", "ref_path": ""},
            "this job: project acme/frog, no pipeline file of its own, no environment, no ref",
        ),
        (
            "google",
            {"email": "robot@acme.example", "email_verified": True},
            "this service account: robot@acme.example",
        ),
        ("other", {"sub": "s" * 300}, f"this subject (sub): {'s' * 200}…"),
    ],
)
def test_who_is_not_trusted_hears_what_they_are_and_nothing_of_others(
    cast: Cast, kind: str, claims: dict[str, Any], told: str
) -> None:
    without = () if "ref" in claims else ("ref", "environment")
    _, sentence = refused(make_issuer(kind), *without, **claims)
    end = "Compare it, and its further claims, with the tab Publishers."
    assert sentence == f"No project here trusts {told}. {end}"


def test_a_name_that_went_to_another_owner_is_not_trusted(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    assert send(exchanged(issuer, jti="first").secret).status_code == 200
    code, sentence = refused(issuer, jti="second", repository_owner_id="666")
    assert code == "invalid-publisher"
    assert sentence.startswith("octo/frog has another owner")
    assert "the number of its owner is 666, and was 4711." in sentence
    assert "presses Trust it anew on the publisher's page." in sentence
    assert exchanged(issuer, jti="third")


@pytest.mark.parametrize("kind", ["github", "gitlab", "google"])
def test_what_is_made_again_under_a_name_is_not_trusted(cast: Cast, kind: str) -> None:
    issuer = make_issuer(kind)
    kinds: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
        "github": ({}, "repository_id", {}),
        "gitlab": (GITLAB, "project_id", {"source": "acme/frog", "workflow": "ci.yml"}),
        "google": (GOOGLE, "sub", {"source": "robot@acme.example", "workflow": ""}),
    }
    claims, number, publisher = kinds[kind]
    row = trust(cast.acme.repository, issuer, **publisher)
    assert send(exchanged(issuer, **claims, jti="first").secret).status_code == 200
    again = claims | {number: "816", "jti": "second"}
    code, sentence = refused(issuer, **again)
    assert code == "invalid-publisher"
    assert f"{row.source} is another than the one of this name that was trusted:" in sentence
    assert "its number is 816, and was " in sentence
    row.refresh_from_db()
    publishers.trust_anew(row, source_id="816", by=SYSTEM)
    assert send(exchanged(issuer, **again).secret, version="2.0").status_code == 200
    assert TrustedPublisher.objects.get().source_id == "816"


def test_all_publishers_of_one_source_in_a_repository_are_kept_together(cast: Cast) -> None:
    """Whoever makes the repository again under its name finds no door that nobody has used yet."""
    issuer = make_issuer()
    trust(cast.acme.repository, issuer, environment="release")
    pending = trust(cast.acme.repository, issuer, "newt")
    elsewhere = trust(cast.globex.repository, issuer, "newt")
    assert send(exchanged(issuer, jti="first", environment="release").secret).status_code == 200
    again = {"repository_id": "816", "repository_owner_id": "666"}
    late = exchanged(issuer, jti="late", **again)  # globex has kept nobody
    assert [each.pk for each in late.token.publishers.all()] == [elsewhere.pk]
    publishers.remove_publisher(elsewhere, by=SYSTEM)
    # Neither has a publisher that is added later.
    added = trust(cast.acme.repository, issuer, "frog")
    assert refused(issuer, jti="second", **again)[0] == "invalid-publisher"
    for each in (pending, added):
        each.refresh_from_db()
        assert (each.owner_id, each.source_id) == ("4711", "815")
    # If that is right, one act trusts the other with all of them.
    publishers.trust_anew(added, by=SYSTEM)
    assert exchanged(issuer, jti="third", **again).token.publishers.count() == 2
    assert set(TrustedPublisher.objects.values_list("source_id", flat=True)) == {""}


def test_who_was_removed_is_told_so_and_not_that_another_has_the_name(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    token = exchanged(issuer).token
    TrustedPublisher.objects.all().delete()
    with pytest.raises(RoleMissing, match="no longer trusted to publish"):
        publishers.keep_by_token(token.pk, repository=cast.acme.repository, normalized="frog")


def test_who_asks_for_a_token_and_publishes_nothing_is_not_kept(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    late = exchanged(issuer, jti="late", repository_id="816").secret
    assert send(exchanged(issuer, jti="first").secret).status_code == 200
    answer = send(late, version="2.0")
    assert answer.status_code == 403
    assert "Octo/frog is another than the one of this name" in answer.content.decode()
    assert Distribution.objects.count() == 1


def test_an_assertion_is_exchanged_once(cast: Cast, time: MovableClock) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    exchanged(issuer)
    assert refused(issuer)[0] == "invalid-reuse-token"
    assert PublishingToken.objects.count() == 1
    time.move(minutes=5, seconds=20)
    assert publishing.forget() == 0  # it would be good still, by the clock of some
    time.move(minutes=6)
    assert publishing.forget() == 1
    time.move(days=2)
    assert publishing.forget() == 1
    assert not PublishingToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_twenty_who_exchange_one_assertion_one_wins() -> None:
    cast = assemble()
    issuer = make_issuer()
    publisher = trust(cast.acme.repository, issuer)
    start = threading.Barrier(20)

    def one(_: int) -> str:
        try:
            start.wait()
            exchanged(issuer)
        except AssertionRefused as refusal:
            return refusal.code
        else:
            return "token"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        heard = sorted(pool.map(one, range(20)))
    assert heard == ["invalid-reuse-token"] * 19 + ["token"]
    assert PublishingToken.objects.count() == UsedAssertion.objects.count() == 1
    assert publisher.tokens.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_come_first_at_once_one_is_the_owner() -> None:
    cast = assemble()
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    start = threading.Barrier(8)

    def one(number: int) -> str:
        try:
            start.wait()
            owner = str(1 + number % 2)
            minted = exchanged(issuer, jti=str(number), repository_owner_id=owner)
            return str(send(minted.secret, version=f"{number}.0").status_code)
        except AssertionRefused:  # somebody has published by then
            return "403"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == ["200"] * 4 + ["403"] * 4


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("github", {"workflow": ""}),
        ("github", {"workflow": ".github/workflows/release.yml"}),
        ("github", {"source": "frog"}),
        ("github", {"source": "octo/deep/frog"}),
        ("google", {"source": "robot@acme.example"}),  # with a workflow
        ("github", {"claims": ["sub"]}),
        ("github", {"claims": {"sub": 1}}),
        ("github", {"claims": {"s\0": "1"}}),
        ("github", {"claims": {"sub": "\ud800"}}),
        ("github", {"claims": {"sub": "x" * 2000}}),
        ("github", {"environment": "rel\u200dease"}),
        ("github", {"ref": "\ud800"}),
        ("github", {"project": "Frog_"}),
    ],
)
def test_a_publisher_that_could_never_come_is_refused(
    cast: Cast, kind: str, what: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        trust(cast.acme.repository, make_issuer(kind), **what)
    assert not TrustedPublisher.objects.exists()


@pytest.mark.parametrize(
    ("ref", "written"),
    [
        ("v1", "refs/tags/v1"),
        ("v*", "refs/tags/v*"),
        ("tags/v*", "refs/tags/v*"),
        ("main", "refs/heads/main"),
        ("refs", "refs/heads/refs"),
    ],
)
def test_a_ref_that_no_job_has_is_refused_with_how_it_is_written(
    cast: Cast, ref: str, written: str
) -> None:
    issuer = make_issuer()
    with pytest.raises(ValidationError, match=re.escape(f"refs/: write {written}.")):
        trust(cast.acme.repository, issuer, ref=ref)
    assert trust(cast.acme.repository, issuer, ref=written)


@pytest.mark.parametrize("ref", ["*", "re*/v1", "[r]efs/tags/*"])
def test_a_pattern_of_which_a_ref_may_be_one_is_taken(cast: Cast, ref: str) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer, ref=ref)
    assert exchanged(issuer, ref="refs/tags/v1")


def test_google_is_told_by_an_address(cast: Cast) -> None:
    issuer = make_issuer("google")
    with pytest.raises(ValidationError, match="Give the service account's e-mail address"):
        trust(cast.acme.repository, issuer, source="releases", workflow="")
    address = "releases@acme.iam.gserviceaccount.com"
    with pytest.raises(ValidationError, match="Give its number, not its name"):
        trust(cast.acme.repository, issuer, source=address, workflow="", source_id="releases")
    assert trust(cast.acme.repository, issuer, source=address, workflow="", source_id="1082746")


def test_what_somebody_has_removed_is_not_trusted_again_by_another(cast: Cast) -> None:
    publisher = trust(cast.acme.repository, make_issuer())
    same = TrustedPublisher.objects.get()
    publishers.remove_publisher(publisher, by=SYSTEM)
    for change in (publishers.remove_publisher, publishers.trust_anew):
        with pytest.raises(publishers.PublisherMissing):
            change(same, by=SYSTEM)
    assert not TrustedPublisher.objects.exists()
    assert AuditEvent.objects.filter(action="publisher.remove").count() == 1


def test_one_source_is_trusted_a_hundred_times_in_a_repository(cast: Cast) -> None:
    issuer = make_issuer()
    with patch.object(publishers, "PUBLISHERS_AT_MOST", 2):
        for project in ("frog", "toad"):
            trust(cast.acme.repository, issuer, project)
        with pytest.raises(ValidationError, match=r"trusts octo/frog 2 times, which is the most"):
            trust(cast.acme.repository, issuer, "newt")
        trust(cast.acme.repository, issuer, "newt", source="octo/newt")
        trust(cast.globex.repository, issuer, "newt")
        publishers.trust_anew(TrustedPublisher.objects.earliest("pk"), by=SYSTEM)


def test_a_remote_trusts_nobody(cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "far", Kind.REMOTE)
    with pytest.raises(ValidationError, match="Only a local"):
        trust(remote, make_issuer())


@pytest.mark.parametrize(
    "url",
    [
        "http://ci.example",
        "https://",
        "ci.example",
        "https://a@b.example",
        "https://ci.example?x=1",
    ],
)
def test_an_issuer_is_an_https_url(db: None, url: str) -> None:
    with pytest.raises(ValidationError):
        make_issuer(url=url)


@pytest.mark.parametrize("url", ["https://CI.example/a", "https://ci.example/a/"])
def test_an_issuer_is_not_there_twice_by_what_people_overlook(db: None, url: str) -> None:
    first = make_issuer(url="https://ci.example/a")
    with pytest.raises(ValidationError, match="/a is there already"):
        make_issuer(url=url)
    make_issuer(url="https://ci.example/A")  # a path is another with another case
    first.url = url
    publishers.save_issuer(first, by=SYSTEM)  # corrected
    Issuer(url="https://ci.example/a", kind="github").save()  # of before there was this rule
    first.is_active = False
    publishers.save_issuer(first, by=SYSTEM)


def test_an_issuer_that_is_needed_stays(cast: Cast) -> None:
    issuer = make_issuer()
    publisher = trust(cast.acme.repository, issuer)
    with pytest.raises(ValidationError, match="Remove them first"):
        publishers.delete_issuer(issuer, by=SYSTEM)
    issuer.kind = "other"
    with pytest.raises(ValidationError, match="it stays"):
        publishers.save_issuer(issuer, by=SYSTEM)
    publishers.remove_publisher(publisher, by=SYSTEM)
    publishers.delete_issuer(issuer, by=SYSTEM)
    assert not Issuer.objects.exists()


def test_public_repositories_are_read_as_by_anybody(cast: Cast) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    grant(cast.globex.repository, Role.READER)
    headers = basic("__token__", exchanged(issuer).secret)
    assert Client().get("/globex/local/simple/", headers=headers).status_code == 200
