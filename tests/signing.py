"""An issuer of the tests: keys of its own, the assertions that it signs, and forgeries of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from accounts.assertions import AssertionRefused, KeySource

ISSUER = "https://ci.example"
AUDIENCE = "testserver"
GITHUB = {
    "sub": "repo:octo/frog:ref:refs/heads/main",
    "repository": "Octo/frog",
    "repository_id": "815",
    "repository_owner": "Octo",
    "repository_owner_id": "4711",
    "workflow_ref": "Octo/frog/.github/workflows/release.yml@refs/heads/main",
    "ref": "refs/heads/main",
}


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """Return a key of this name, made once: it takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return a key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def jwk_of(name: str) -> dict[str, Any]:
    """Return the public key of this name as an issuer publishes it."""
    if name.startswith("ec"):
        found = ECAlgorithm(ECAlgorithm.SHA256).to_jwk(ec_key(name).public_key(), as_dict=True)
        return found | {"kid": name, "use": "sig", "alg": "ES256"}
    found = RSAAlgorithm.to_jwk(rsa_key(name).public_key(), as_dict=True)
    return found | {"kid": name, "use": "sig", "alg": "RS256"}


def keys(*names: str) -> KeySource:
    """Return a source that has the keys of these names."""

    def key_of(key_id: str) -> jwt.PyJWK:
        if key_id not in names:
            raise AssertionRefused("unknown key")
        return jwt.PyJWK.from_dict(jwk_of(key_id))

    return key_of


def claims_at(now: datetime, *without: str, **other: Any) -> dict[str, Any]:
    """Return the claims of a job of octo/frog on GitHub."""
    at = int(now.timestamp())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "iat": at, "nbf": at, "exp": at + 300, "jti": "j1"}
    file, _, ref = GITHUB["workflow_ref"].partition("@")
    found = GITHUB | usual | {"workflow_ref": f"{file}@{other.get('ref', ref)}"} | other
    return {name: value for name, value in found.items() if name not in without}


def signed(claims: Mapping[str, Any], key: str = "one", **header: Any) -> str:
    """Return the assertion that says so, signed with the key of this name."""
    private: Any = ec_key(key) if key.startswith("ec") else rsa_key(key)
    algorithm = "ES256" if key.startswith("ec") else "RS256"
    return jwt.encode(dict(claims), private, algorithm=algorithm, headers={"kid": key} | header)


def by_hand(
    header: Mapping[str, Any], claims: Mapping[str, Any], sign: Callable[[bytes], bytes]
) -> str:
    """Return a token made without the library, which would refuse to."""
    start = b".".join(_packed(json.dumps(part).encode()) for part in (header, claims))
    return (start + b"." + _packed(sign(start))).decode()


def with_public_key_as_secret(claims: Mapping[str, Any]) -> str:
    """Return the forgery that takes the public key for the secret of HS256."""
    public = (
        rsa_key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    header = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    return by_hand(header, claims, lambda text: hmac.digest(public, text, hashlib.sha256))


def _packed(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def weak_key() -> rsa.RSAPrivateKey:
    """Return a key that can be broken."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is what it is for
