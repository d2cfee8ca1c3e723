"""The exchange of CI as its clients do it: the audience, the token, its end, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import throttle
from accounts.models import Issuer, PublishingToken, SignInFailures
from accounts.throttle import PER_ADDRESS_OF_CI
from base.audit import SYSTEM
from base.models import AuditEvent
from repos import publishers
from tests.cast import Cast, basic
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.issuers import LoopbackIssuer, issuing
from tests.publishers import make_issuer, trust
from tests.signing import by_hand, claims_at, signed, with_public_key_as_secret
from tests.uploads import upload

AUDIENCE, MINT, BURN = "/_/oidc/audience", "/_/oidc/mint-token", "/_/oidc/burn-token"


@pytest.fixture
def issuer(db: None) -> Iterator[LoopbackIssuer]:
    with issuing() as running:
        yield running


def post(path: str, said: Any, **headers: str) -> Any:
    return Client().post(path, said, content_type="application/json", headers=headers)


def refused(answer: Any, status: int = 422) -> tuple[str, str]:
    assert answer.status_code == status, answer.content
    said = answer.json()
    (error,) = said["errors"]
    assert error["description"] == said["message"]
    return error["code"], error["description"]


def test_ci_publishes_without_a_secret(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row())
    asked = Client().get(AUDIENCE)
    assert (asked.status_code, asked["Cache-Control"]) == (200, "no-store")
    claims = claims_at(time(), iss=issuer.url, aud=asked.json()["audience"])
    text = signed(claims)
    minted = post(MINT, {"token": text})
    assert minted.status_code == 200, minted.content
    said = minted.json()
    assert said["success"]
    assert said["expires"] == int(time().timestamp()) + 900
    shows = basic("__token__", said["token"])["Authorization"]
    file = make_wheel("frog", "1.0")
    assert upload(Client(), "frog", "1.0", file, by=None, Authorization=shows).status_code == 200
    code, sentence = refused(post(MINT, {"token": text}))
    assert (code, sentence.split(".")[0]) == (
        "invalid-reuse-token",
        "This token was exchanged before",
    )
    assert post(BURN, {"token": said["token"]}).json() == {"success": True}
    again = upload(Client(), "frog", "2.0", make_wheel("frog", "2.0"), by=None, Authorization=shows)
    assert again.status_code == 401
    events = AuditEvent.objects.filter(actor__startswith="GitHub at ")
    assert sorted(events.values_list("action", "repository")) == [
        ("distribution.publish", "acme/local"),
        ("publisher.burn", ""),
        ("publisher.token", ""),
    ]


def test_each_forgery_is_refused_with_its_reason(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row(), owner_id="4711", source_id="815")
    now = time()
    at = int(now.timestamp())

    def claims(**other: Any) -> dict[str, Any]:
        return claims_at(now, iss=issuer.url) | other

    none = {"alg": "none", "kid": "one"}
    for text, code, reason in (
        (by_hand(none, claims(), lambda _: b""), "invalid-token", "not signed with"),
        (with_public_key_as_secret(claims()), "invalid-token", "not signed with"),
        (signed(claims(aud="elsewhere")), "invalid-token", "not for testserver"),
        (signed(claims(iss="https://evil.example")), "invalid-token", "no issuer"),
        (signed(claims(exp=at - 60)), "invalid-token", "expired"),
        (signed(claims(nbf=at + 60)), "invalid-token", "not valid yet"),
        (signed(claims(), "two"), "invalid-token", "no key of the id"),
        (signed(claims(), "two", kid="one"), "invalid-token", "not signed by"),
        (signed(claims(repository="evil/frog")), "invalid-publisher", "No project here trusts"),
        ("nonsense", "invalid-token", "no signed JSON Web Token"),
    ):
        heard = refused(post(MINT, {"token": text}))
        assert heard[0] == code, heard
        assert reason in heard[1]
    assert not PublishingToken.objects.exists()
    assert post(MINT, {"token": signed(claims())}).status_code == 200
    for change, told in (
        ({"repository_owner_id": "666"}, "another owner"),
        ({"repository_id": "816"}, "another than the one of this name"),
    ):
        other = signed(claims(jti="j2", **change))
        assert told in refused(post(MINT, {"token": other}))[1]


@pytest.mark.parametrize("path", [MINT, BURN])
@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", "{}", '{"token": 1}', '{"token": ""}', "[" * 10_000]
)
def test_a_body_that_is_none_is_refused(db: None, path: str, body: str) -> None:
    assert refused(post(path, body))[0] == "invalid-payload"


def test_a_body_that_is_too_long_is_refused(db: None) -> None:
    assert refused(post(MINT, {"token": "x" * 40_000}))[0] == "invalid-payload"
    assert refused(post(MINT, {"token": "x" * 20_000}))[0] == "invalid-token"


def test_where_it_is_off_clients_hear_so_in_json(db: None) -> None:
    assert refused(Client().get(AUDIENCE), 404)[0] == "not-enabled"
    assert refused(post(MINT, {"token": "x.y.z"}))[0] == "invalid-token"
    assert post(BURN, {"token": "x"}).status_code == 200
    issuer = make_issuer()
    assert Client().get(AUDIENCE).status_code == 200
    issuer.is_active = False
    publishers.save_issuer(issuer, by=SYSTEM)
    assert refused(Client().get(AUDIENCE), 404)[0] == "not-enabled"


def test_an_issuer_that_is_off_is_said_to_be(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row())
    Issuer.objects.update(is_active=False)
    text = signed(claims_at(time(), iss=issuer.url))
    assert "it is switched off" in refused(post(MINT, {"token": text}))[1]
    assert not issuer.server.asked


def test_an_issuer_that_is_away_is_said_to_be(cast: Cast, time: MovableClock) -> None:
    with issuing() as issuer:
        issuer.row(ca="")
        text = signed(claims_at(time(), iss=issuer.url))
        assert "cannot be trusted" in refused(post(MINT, {"token": text}), 503)[1]


def test_the_audience_is_this_installation_alone(db: None, settings: Settings) -> None:
    make_issuer()
    settings.BASE_URL = "http://Testserver:8443"
    assert Client().get(AUDIENCE).json() == {"audience": "testserver:8443"}


def test_the_wrong_method_is_told_the_right_one(db: None) -> None:
    make_issuer()
    for path, right in ((AUDIENCE, "GET, HEAD"), (MINT, "POST"), (BURN, "POST")):
        answer = Client().put(path)
        refused(answer, 405)
        assert answer["Allow"] == right
    head = Client().head(AUDIENCE)
    assert (head.status_code, head.content) == (200, b"")


def test_a_page_of_another_site_gets_no_token(db: None) -> None:
    refused(post(MINT, {"token": "x"}, Sec_Fetch_Site="cross-site"), 403)


def test_pep_807_leads_to_the_same_exchange(cast: Cast) -> None:
    def discover(path: str) -> Any:
        return Client().get("/.well-known/pytp", {"discover": path})

    assert discover("/acme/local/").status_code == 404
    make_issuer()
    found = discover("/acme/local/")
    assert (found.status_code, found["Content-Type"]) == (
        200,
        "application/vnd.pypi.pytp.v1+json",
    )
    # PEP 807: a client that finds no default assumes it.
    assert found.json()["default-features"] == found.json()["features"] == ["multi-use-token"]
    assert found.json()["audience-endpoint"] == f"http://testserver{AUDIENCE}"
    assert found.json()["token-mint-endpoint"] == f"http://testserver{MINT}"
    # Whether there is such a repository is not told.
    assert discover("/acme/nowhere/").json() == found.json()
    for none in ("", "/", "nonsense", "/acme/local/simple/", "/accounts/sign-in/"):
        answer = discover(none)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_kind_of_token_that_is_not_made_here_is_refused(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row())
    text = signed(claims_at(time(), iss=issuer.url))
    for features in (["single-use-token"], "single-use-token", 7):
        heard = refused(post(MINT, {"token": text, "features": features}))
        assert heard[0] == "invalid-payload"
        assert "more than once" in heard[1]
    asked = {"token": text, "features": ["multi-use-token"]}
    assert post(MINT, asked).status_code == 200


def test_a_refusal_is_a_problem_as_pep_807_says(db: None) -> None:
    answer = post(MINT, {"token": "x"})
    said = answer.json()
    assert (said["status"], said["title"]) == (422, "Unprocessable Entity")
    assert said["detail"] == said["message"]


def test_after_too_many_refusals_an_address_hears_no_more_why(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row())
    for _ in range(PER_ADDRESS_OF_CI):
        assert refused(post(MINT, {"token": "nonsense"}))[0] == "invalid-token"
    answer = post(MINT, {"token": "nonsense"})
    code, sentence = refused(answer, 429)
    assert (code, answer["Retry-After"]) == ("too-many-requests", "300")
    assert sentence == "Too many wrong passwords or tokens. Try again in 300 seconds."
    elsewhere = Client(REMOTE_ADDR="10.9.8.7")
    sent = elsewhere.post(MINT, {"token": "nonsense"}, content_type="application/json")
    assert sent.status_code == 422


def test_many_jobs_at_one_address_publish_beside_one_that_is_set_up_wrongly(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row())
    for number in range(PER_ADDRESS_OF_CI + 5):
        post(MINT, {"token": "nonsense"})
        if number % 5 == 0:
            text = signed(claims_at(time(), iss=issuer.url, jti=f"job-{number}"))
            assert post(MINT, {"token": text}).status_code == 200
    # Nor are the people there kept from signing in.
    throttle.require_room(address="127.0.0.1", account="ada")
    time.move(minutes=5)
    assert refused(post(MINT, {"token": "nonsense"}))[0] == "invalid-token"
    assert SignInFailures.objects.filter(subject__startswith="ci").count() == 2


def test_an_issuer_that_is_away_counts_against_nobody(cast: Cast, time: MovableClock) -> None:
    with issuing() as issuer:
        issuer.row(ca="")
        text = signed(claims_at(time(), iss=issuer.url))
        for _ in range(PER_ADDRESS_OF_CI + 1):
            assert post(MINT, {"token": text}).status_code == 503
    assert not SignInFailures.objects.exists()


def test_a_job_that_took_too_long_locks_nobody_out(
    cast: Cast, time: MovableClock, issuer: LoopbackIssuer
) -> None:
    trust(cast.acme.repository, issuer.row())
    secret = post(MINT, {"token": signed(claims_at(time(), iss=issuer.url))}).json()["token"]
    time.move(minutes=15)
    shows = basic("__token__", secret)["Authorization"]
    for number in range(throttle.PER_ADDRESS + 1):
        file = make_wheel("frog", f"1.{number}")
        sent = upload(Client(), "frog", f"1.{number}", file, by=None, Authorization=shows)
        assert sent.status_code == 401
    assert not SignInFailures.objects.exists()
    wrong = basic("__token__", secret[:-1] + ("a" if secret[-1] != "a" else "b"))
    file = make_wheel("frog", "2.0")
    upload(Client(), "frog", "2.0", file, by=None, Authorization=wrong["Authorization"])
    assert SignInFailures.objects.exists()
