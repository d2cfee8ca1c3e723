"""What CI shows of itself: what is taken, and every way to forge it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from accounts.assertions import (
    LEEWAY,
    REMEMBERED_FOR,
    Assertion,
    AssertionRefused,
    issuer_named_in,
    verified,
)
from tests.signing import (
    AUDIENCE,
    ISSUER,
    by_hand,
    claims_at,
    ec_key,
    jwk_of,
    keys,
    signed,
    weak_key,
    with_public_key_as_secret,
)

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())


def take(text: str, now: datetime = NOW) -> Assertion:
    return verified(text, issuer=ISSUER, audience=AUDIENCE, key_of=keys("one", "ec"), now=now)


def refused(text: str, now: datetime = NOW) -> str:
    with pytest.raises(AssertionRefused) as refusal:
        take(text, now)
    assert refusal.value.code == "invalid-token"
    return refusal.value.sentence


@pytest.mark.parametrize("key", ["one", "ec"])
def test_what_the_issuer_signed_is_taken(key: str) -> None:
    text = signed(claims_at(NOW), key)
    assert issuer_named_in(text) == ISSUER
    found = take(text)
    assert found.claims["repository"] == "Octo/frog"
    assert found.until == NOW + timedelta(seconds=300) + LEEWAY + REMEMBERED_FOR


FORGERIES: dict[str, tuple[Callable[[], str], str]] = {
    "alg none": (
        lambda: by_hand({"alg": "none", "kid": "one"}, claims_at(NOW), lambda _: b""),
        "not signed with RS256 or ES256",
    ),
    "alg None": (
        lambda: by_hand({"alg": "None", "kid": "one"}, claims_at(NOW), lambda _: b""),
        "not signed with RS256 or ES256",
    ),
    "no signature": (
        lambda: by_hand({"alg": "RS256", "kid": "one"}, claims_at(NOW), lambda _: b""),
        "not signed by",
    ),
    "public key as a secret": (
        lambda: with_public_key_as_secret(claims_at(NOW)),
        "not signed with RS256 or ES256",
    ),
    "another key under a known id": (
        lambda: signed(claims_at(NOW), "two", kid="one"),
        "not signed by",
    ),
    "a key for another algorithm": (
        lambda: signed(claims_at(NOW), "ec", kid="one"),
        "not what its key is for",
    ),
    "unknown key": (lambda: signed(claims_at(NOW), "two"), "unknown key"),
    "no key id": (lambda: by_hand({"alg": "RS256"}, claims_at(NOW), lambda _: b""), "which key"),
    "its own key": (
        lambda: signed(claims_at(NOW), "two", jwk=jwk_of("two"), kid="one"),
        "not signed by",
    ),
    "something critical": (lambda: signed(claims_at(NOW), crit=["b64"], b64=True), "(crit)"),
    "another audience": (lambda: signed(claims_at(NOW, aud="elsewhere")), "not for testserver"),
    "several audiences": (
        lambda: signed(claims_at(NOW, aud=[AUDIENCE, "elsewhere"])),
        "not for testserver",
    ),
    "another issuer": (lambda: signed(claims_at(NOW, iss="https://evil.example")), "is not of"),
    "the issuer with a slash": (lambda: signed(claims_at(NOW, iss=f"{ISSUER}/")), "is not of"),
    "expired": (lambda: signed(claims_at(NOW, exp=AT - 31)), "has expired"),
    "not yet valid": (lambda: signed(claims_at(NOW, nbf=AT + 31)), "not valid yet"),
    "issued in the future": (lambda: signed(claims_at(NOW, iat=AT + 31)), "not valid yet"),
    "no text": (lambda: "", "no signed JSON Web Token"),
    "two parts": (lambda: "a.b", "no signed JSON Web Token"),
    "not JSON": (lambda: "YQ.YQ.YQ", "no signed JSON Web Token"),
    "a list": (lambda: "W10.W10.", "no signed JSON Web Token"),
    "too long": (lambda: signed(claims_at(NOW, more="x" * 20_000)), "no signed JSON Web Token"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_with_its_reason(name: str) -> None:
    made, reason = FORGERIES[name]
    assert reason in refused(made())


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "iat", "exp"])
def test_what_must_be_said_must_be_there(name: str) -> None:
    assert f"lacks the claim {name}" in refused(signed(claims_at(NOW, name)))


def test_claims_that_were_changed_are_not_signed() -> None:
    one, other = signed(claims_at(NOW)), signed(claims_at(NOW, repository="evil/frog"))
    header, _, signature = one.split(".")
    assert "not signed by" in refused(".".join((header, other.split(".")[1], signature)))


@pytest.mark.parametrize("value", ["soon", True, None, 1e300, -1e300, [1], {}])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_is_a_number(name: str, value: Any) -> None:
    sentence = refused(signed_oddly(claims_at(NOW, **{name: value})))
    assert f"{name} is no time" in sentence or f"lacks the claim {name}" in sentence


@pytest.mark.parametrize("at", [253402300799, 253402300500])
def test_an_expiry_at_the_end_of_all_times_is_refused(at: int) -> None:
    assert "exp is no time" in refused(signed_oddly(claims_at(NOW, exp=at)))


def test_a_time_long_ago_and_an_odd_id_are_taken() -> None:
    long_ago = {"iat": -62135596800, "nbf": -62135596800}
    assert take(signed_oddly(claims_at(NOW, jti="\ud800") | long_ago))


def signed_oddly(claims: dict[str, Any]) -> str:
    """Return what a careless issuer would sign; the library would not."""
    algorithm = jwt.get_algorithm_by_name("ES256")
    header = {"alg": "ES256", "kid": "ec"}
    return by_hand(header, claims, lambda text: algorithm.sign(text, ec_key("ec")))


def test_clocks_may_differ_by_half_a_minute() -> None:
    assert take(signed(claims_at(NOW, exp=AT - 29)))
    assert take(signed(claims_at(NOW, nbf=AT + 30, iat=AT + 30)))
    text = signed(claims_at(NOW))
    assert take(text, NOW + timedelta(seconds=329))
    assert "expired" in refused(text, NOW + timedelta(seconds=330))


def test_what_makes_an_assertion_the_only_one_is_its_id_else_what_was_signed() -> None:
    same_id = {take(signed(claims_at(NOW, more=each))).digest for each in ("a", "b")}
    assert len(same_id) == 1
    assert take(signed(claims_at(NOW, jti="j2"))).digest not in same_id
    # Each signature of ES256 is another one.
    without = claims_at(NOW, "jti")
    assert len({take(signed(without, "ec")).digest for _ in range(2)}) == 1
    assert take(signed(without | {"exp": AT + 301}, "ec")).digest != take(signed(without)).digest


def test_a_key_that_can_be_broken_is_none() -> None:
    key = weak_key()
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    algorithm = jwt.get_algorithm_by_name("RS256")
    header = {"alg": "RS256", "kid": "weak"}
    text = by_hand(header, claims_at(NOW), lambda start: algorithm.sign(start, key))
    with pytest.raises(AssertionRefused):
        verified(
            text,
            issuer=ISSUER,
            audience=AUDIENCE,
            key_of=lambda _: jwt.PyJWK.from_dict(public),
            now=NOW,
        )
