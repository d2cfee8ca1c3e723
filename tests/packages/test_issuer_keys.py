"""The keys of issuers: how they are found, how long they are kept, and how seldom asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from jwt.algorithms import RSAAlgorithm

from accounts.assertions import AssertionRefused, IssuerAway
from accounts.models import Issuer
from packages.issuer_keys import keys_of
from tests.authority import ca_pem
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.issuers import DISCOVERY, LoopbackIssuer, issuing
from tests.publishers import make_issuer
from tests.signing import rsa_key
from tests.upstreams import Asked, Reply


@pytest.fixture
def issuer(
    db: None, time: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoopbackIssuer]:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    with issuing() as running:
        yield running


def away(row: Issuer) -> str:
    with pytest.raises(IssuerAway) as refusal:
        keys_of(row)("one")
    return refusal.value.sentence


def test_keys_are_found_by_the_discovery_document(issuer: LoopbackIssuer) -> None:
    issuer.has_keys("one", "ec")
    key_of = keys_of(issuer.row())
    assert key_of("one").algorithm_name == "RS256"
    assert key_of("ec").algorithm_name == "ES256"
    assert issuer.times_asked == 1


def test_a_key_that_is_new_is_fetched_at_most_once_a_minute(
    issuer: LoopbackIssuer, time: MovableClock
) -> None:
    key_of = keys_of(issuer.row())
    key_of("one")
    issuer.has_keys("two")
    for made_up in ("two", "three", "four"):
        with pytest.raises(AssertionRefused, match="no key of the id"):
            key_of(made_up)
    assert issuer.times_asked == 1
    time.move(seconds=60)
    assert key_of("two")
    with pytest.raises(AssertionRefused, match="no key of the id"):
        key_of("one")  # it is rotated away
    assert issuer.times_asked == 2


def test_keys_are_kept_for_an_hour(issuer: LoopbackIssuer, time: MovableClock) -> None:
    row = issuer.row()
    keys_of(row)("one")
    time.move(minutes=59)
    keys_of(row)("one")
    assert issuer.times_asked == 1
    issuer.has_keys("two")
    time.move(minutes=1)
    with pytest.raises(AssertionRefused, match="no key of the id"):
        keys_of(row)("one")
    assert issuer.times_asked == 2


def test_of_many_who_need_keys_one_asks(issuer: LoopbackIssuer) -> None:
    key_of = keys_of(issuer.row())
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(key_of, ["one"] * 8))) == 8
    assert issuer.times_asked == 1


def test_an_issuer_that_nobody_vouches_for_is_not_believed(issuer: LoopbackIssuer) -> None:
    assert "cannot be trusted" in away(issuer.row(ca=""))
    assert not issuer.server.asked


def test_an_address_that_is_not_public_is_asked_where_that_is_allowed(
    issuer: LoopbackIssuer,
) -> None:
    assert "not public" in away(issuer.row(private_allowed=False))
    assert not issuer.server.asked


def test_the_place_of_the_keys_is_guarded_too(issuer: LoopbackIssuer) -> None:
    issuer.describes_itself(jwks_uri="https://127.0.0.2/keys")
    assert "https://127.0.0.2/ is not asked: inside your network" in away(issuer.row())


def test_an_issuer_inside_the_network_needs_leave(issuer: LoopbackIssuer) -> None:
    row = issuer.row()
    row.private_allowed = False
    told = away(row)
    assert "which is not public. Say of the issuer that it may have a private address" in told
    assert "index URL" not in told


def test_an_administrator_asks_whether_it_answers(
    issuer: LoopbackIssuer, capsys: pytest.CaptureFixture[str]
) -> None:
    row = issuer.row()
    for names, told in ((("one",), "1 key"), (("one", "ec"), "2 keys")):
        issuer.has_keys(*names)
        call_command("check_issuer", row.url)
        assert capsys.readouterr().out == f"{row.url} answers, with {told}.\n"
    issuer.has_keys()
    with pytest.raises(CommandError, match=r"none of them has an id and is read here \(ES256 or"):
        call_command("check_issuer", row.url)
    issuer.describes_itself(jwks_uri=None)
    with pytest.raises(CommandError, match=r"The keys of .* cannot be had: its discovery document"):
        call_command("check_issuer", row.url)
    with pytest.raises(CommandError, match="was not added"):
        call_command("check_issuer", "https://ci.example")


def test_it_is_an_action_of_the_admin(
    issuer: LoopbackIssuer, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [issuer.row(), make_issuer(url=f"{issuer.url}/other", ca=ca_pem(), private_allowed=True)]
    listed = reverse("admin:accounts_issuer_changelist")
    asking = {"action": "ask_for_keys", "_selected_action": [row.pk for row in rows]}
    client.force_login(cast.acme.admin.user)
    assert client.post(listed, asking).status_code == 403
    assert not issuer.times_asked
    client.force_login(cast.superuser.user)
    page = client.post(listed, asking, follow=True).content.decode()
    assert f"{issuer.url} answers, with 1 key." in page
    assert f"The keys of {issuer.url}/other cannot be had: 127.0.0.1 answered 404" in page
    monkeypatch.setattr("packages.admin.issuers._ASKED_AT_MOST", 1)
    assert "Select 1 at the most" in client.post(listed, asking, follow=True).content.decode()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"issuer": "https://evil.example"}, "names another issuer"),
        ({"jwks_uri": "http://127.0.0.1/keys"}, "no https:// URL of keys"),
        ({"jwks_uri": None}, "no https:// URL of keys"),
        ({"jwks_uri": "https://"}, "no http:// or https:// URL"),
    ],
)
def test_a_discovery_document_that_is_wrong_is_refused(
    issuer: LoopbackIssuer, other: dict[str, Any], reason: str
) -> None:
    issuer.describes_itself(**other)
    assert reason in away(issuer.row())


@pytest.mark.parametrize(
    ("path", "reply", "reason"),
    [
        (DISCOVERY, Reply(status=404), "answered 404"),
        (DISCOVERY, Reply(b"<html>"), "no JSON object"),
        (DISCOVERY, Reply(b"[" * 100_000), "no JSON object"),
        (DISCOVERY, Reply(b" " * 300_000), "more than 262144 bytes"),
        ("/keys", Reply(b'{"keys": 1}'), "no list of keys"),
        ("/keys", Reply(b"[]"), "no JSON object"),
        ("/keys", Reply(status=302, headers={"Location": "http://127.0.0.1/"}), "to http://"),
    ],
)
def test_an_answer_that_is_wrong_is_refused(
    issuer: LoopbackIssuer, path: str, reply: Reply, reason: str
) -> None:
    issuer.server.replies[path] = reply
    assert reason in away(issuer.row())


def test_what_failed_is_tried_again_after_ten_seconds(
    issuer: LoopbackIssuer, time: MovableClock
) -> None:
    row = issuer.row()
    kept = issuer.server.replies[DISCOVERY]
    issuer.server.replies[DISCOVERY] = Reply(status=500)
    assert "answered 500" in away(row)
    issuer.server.replies[DISCOVERY] = kept
    assert "answered 500" in away(row)
    time.move(seconds=10)
    assert keys_of(row)("one")


def test_what_is_no_key_for_signatures_is_passed_over(issuer: LoopbackIssuer) -> None:
    odd = ({"kty": "oct", "k": "AAAA", "kid": "shared"}, {"kty": "?", "kid": "x"}, 7, {"kid": "y"})
    encrypting = {"kid": "one", "use": "enc", "kty": "RSA"}
    issuer.has_keys("one", more=(*odd, encrypting))
    key_of = keys_of(issuer.row())
    assert key_of("one")
    for each in ("x", "y"):
        with pytest.raises(AssertionRefused):
            key_of(each)


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "RSA", "alg": "none"},
        {"kty": "oct", "alg": "HS256"},
        {"kty": ["RSA"]},
        {"kty": "RSA", "alg": ["RS256"]},
        {"kty": "RSA", "alg": "RS512"},
        {"kty": "RSA", "n": 7, "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        RSAAlgorithm.to_jwk(rsa_key("one"), as_dict=True),  # it has told its secret
    ],
)
def test_an_odd_key_is_passed_over_and_the_others_are_read(
    issuer: LoopbackIssuer, odd: dict[str, Any]
) -> None:
    issuer.has_keys("one", more=(odd | {"kid": "odd"},))
    key_of = keys_of(issuer.row())
    assert key_of("one")
    with pytest.raises(AssertionRefused, match="no key of the id"):
        key_of("odd")


def test_keys_that_are_there_are_believed_while_the_issuer_is_away(
    issuer: LoopbackIssuer, time: MovableClock
) -> None:
    key_of = keys_of(issuer.row())
    assert key_of("one")
    issuer.server.replies[DISCOVERY] = Reply(status=500)
    time.move(minutes=59)
    with pytest.raises(IssuerAway, match="answered 500"):
        key_of("made up")
    assert key_of("one")
    time.move(minutes=1)
    with pytest.raises(IssuerAway, match="answered 500"):
        key_of("one")


def test_a_slow_issuer_keeps_nobody_waiting_whose_key_is_there_or_who_knows_it_is_away(
    issuer: LoopbackIssuer, time: MovableClock
) -> None:
    key_of = keys_of(issuer.row())
    assert key_of("one")
    begun, goes_on = Event(), Event()

    def slow(_asked: Asked) -> Reply:
        begun.set()
        goes_on.wait(timeout=20)
        return Reply(status=404)

    issuer.server.replies[DISCOVERY] = Reply(status=404)
    time.move(minutes=1)
    with pytest.raises(IssuerAway, match="answered 404"):
        key_of("made up")
    issuer.server.replies[DISCOVERY] = slow
    time.move(seconds=10)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(key_of, "made up")
        try:
            assert begun.wait(timeout=20)
            assert key_of("one")
            with pytest.raises(IssuerAway, match="takes too long"):
                key_of("made up too")
        finally:
            goes_on.set()
        assert isinstance(waits.exception(), IssuerAway)
