"""Checks what CI shows of itself: a token of OpenID Connect, here an assertion.

Nothing here asks a database, a network or the system's clock: whose keys there are and what time
it is, the caller says.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import math
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options

from base.errors import InvalidInput

# How far a clock may be off, and how much longer a used assertion is remembered than it could
# be good for anybody.
LEEWAY = timedelta(seconds=30)
REMEMBERED_FOR = timedelta(minutes=5)
LENGTH_AT_MOST = 16 * 1024
# No other is read: "none", and the algorithms with a shared secret, are how assertions are forged.
# By the kind of key (kty).
ALGORITHM_OF = {"RSA": "RS256", "EC": "ES256"}
_PARTS = 3
_KEY_ID_AT_MOST = 200
# Times are compared here, by the caller's clock.
_OPTIONS: Options = {
    "require": ["iss", "aud", "sub", "iat", "exp"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    # A list would let each of its audiences pass the assertion on to the others.
    "strict_aud": True,
    "enforce_minimum_key_length": True,
}

# Returns the key that an issuer has published under an id. Raises AssertionRefused or IssuerAway.
KeySource = Callable[[str], jwt.PyJWK]


class AssertionRefused(InvalidInput):
    """What CI showed is not taken; `code` says why in the words of the public index."""

    def __init__(self, sentence: str, *, code: str = "invalid-token") -> None:
        super().__init__(sentence)
        self.code = code


class IssuerAway(AssertionRefused):
    """The keys of an issuer cannot be had now."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an issuer says of CI, its signature and times checked."""

    claims: Mapping[str, Any]
    digest: str  # of what makes it the only one of its kind
    until: datetime  # when it may be forgotten that it was used


def issuer_named_in(text: str) -> str:
    """Return the issuer that `text` names, unchecked: it says only whose keys to check it by.

    Raises AssertionRefused.
    """
    issuer = _part(text, 1).get("iss")
    if not isinstance(issuer, str) or not issuer:
        raise AssertionRefused("The token names no issuer (iss).")
    return issuer


def verified(
    text: str, *, issuer: str, audience: str, key_of: KeySource, now: datetime
) -> Assertion:
    """Return what the assertion `text` says, if `issuer` says it to `audience` now.

    Raises AssertionRefused.
    """
    algorithm, key_id = _signed_how(_part(text, 0))
    key = key_of(key_id)
    if key.algorithm_name != algorithm:
        raise AssertionRefused(f"The token says {algorithm}, which is not what its key is for.")
    try:
        claims = jwt.decode(
            text,
            key.key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            options=_OPTIONS,
        )
    except jwt.PyJWTError as error:
        raise AssertionRefused(_sentence(error, issuer, audience)) from None
    return _in_time(text, claims, now)


def _part(text: str, number: int) -> dict[str, Any]:
    """Return the header (0) or the claims (1) of `text`, unchecked."""
    parts = text.split(".")
    if len(text) > LENGTH_AT_MOST or len(parts) != _PARTS or not text.isascii():
        raise AssertionRefused("The token is no signed JSON Web Token.")
    try:
        raw = urlsafe_b64decode(parts[number] + "=" * (-len(parts[number]) % 4))
        part = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        part = None
    if not isinstance(part, dict):
        raise AssertionRefused("The token is no signed JSON Web Token.")
    return part


def _signed_how(header: Mapping[str, Any]) -> tuple[str, str]:
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHM_OF.values():
        raise AssertionRefused("The token is not signed with RS256 or ES256.")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _KEY_ID_AT_MOST:
        raise AssertionRefused("The token does not say which key it is signed with (kid).")
    if "crit" in header:  # RFC 7515: who does not know what it names has to refuse
        raise AssertionRefused("The token needs something that Larder does not know (crit).")
    return algorithm, key_id


def _sentence(error: jwt.PyJWTError, issuer: str, audience: str) -> str:
    match error:
        case jwt.InvalidAudienceError():
            return f"The token is not for {audience} (aud), or not for it alone."
        case jwt.InvalidIssuerError():
            return f"The token is not of {issuer} (iss)."
        case jwt.MissingRequiredClaimError():
            return f"The token lacks the claim {error.claim}."
        case jwt.InvalidSignatureError():
            return f"The token was not signed by {issuer}."
        case _:
            return "The token cannot be read as one that an issuer has signed."


def _in_time(text: str, claims: Mapping[str, Any], now: datetime) -> Assertion:
    expires = _time(claims, "exp")
    if expires <= now - LEEWAY:
        raise AssertionRefused("The token has expired.")
    begins = [_time(claims, name) for name in ("iat", "nbf") if name in claims]
    if any(each > now + LEEWAY for each in begins):
        raise AssertionRefused("The token is not valid yet.")
    try:
        until = expires + LEEWAY + REMEMBERED_FOR
    except OverflowError:  # the end of the year 9999
        raise AssertionRefused("The token's claim exp is no time.") from None
    return Assertion(claims, _digest(text, claims), until)


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    """Return a NumericDate (RFC 7519)."""
    value = claims[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return datetime.fromtimestamp(value if is_number else math.inf, UTC)
    except (ValueError, OverflowError, OSError):
        raise AssertionRefused(f"The token's claim {name} is no time.") from None


def _digest(text: str, claims: Mapping[str, Any]) -> str:
    """Return what tells this assertion from others: its id, else all that was signed.

    Not the signature, which with ES256 can be turned into another that is as good.
    """
    own = claims.get("jti")
    is_named = isinstance(own, str) and own
    one = f"jti {own}" if is_named else f"signed {text.rpartition('.')[0]}"
    return hashlib.sha256(one.encode(errors="surrogatepass")).hexdigest()
