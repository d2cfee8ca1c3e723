"""The keys by which issuers sign what CI shows: fetched as upstreams are, and kept in memory.

Each process has its own. One thread fetches an issuer's keys, and the others wait for it a little,
unless the issuer did not answer before: threads are not for an issuer to hold. Whoever invents key
ids has them fetched once a minute, and keeps nobody waiting whose key is there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import jwt

from accounts.assertions import ALGORITHM_OF, AssertionRefused, IssuerAway, KeySource
from accounts.models import Issuer
from base import clock
from base.connections import give_back
from packages.upstream import connection
from packages.upstream.addresses import split_url
from packages.upstream.errors import NotConfigured, PrivateRefused, UpstreamFailed
from packages.upstream.source import Source
from repos.models import Repository, Upstream

KEPT_FOR = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=1)
AFTER_A_FAILURE = timedelta(seconds=10)
_SECONDS = 10
_SILENCE_SECONDS = 5
_WAITS_SECONDS = 5
_BYTES_AT_MOST = 256 * 1024
_KEYS_AT_MOST = 100

_Settings = tuple[str, str, bool]  # all that its keys depend on


@dataclass(frozen=True, slots=True)
class _Keys:
    """What an issuer has published, and until when it is believed."""

    by_id: Mapping[str, jwt.PyJWK]
    until: datetime

    def get(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key of this id, if it is there and believed."""
        return self.by_id.get(key_id) if clock.now() < self.until else None


@dataclass(slots=True)
class _Kept:
    """What one issuer answered last, and when it was asked; `keys` are read without the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: _Keys = field(default_factory=lambda: _Keys({}, clock.now()))
    asked_at: datetime | None = None
    failed: str = ""  # why it gave no keys when it was asked last


_kept: dict[_Settings, _Kept] = {}
_kept_lock = threading.Lock()


def keys_of(issuer: Issuer) -> KeySource:
    """Return what finds the keys of `issuer` by their ids."""
    settings = (issuer.url, issuer.ca, issuer.private_allowed)
    with _kept_lock:
        kept = _kept.setdefault(settings, _Kept())

    def key_of(key_id: str) -> jwt.PyJWK:
        found = kept.keys.get(key_id) or _asked_for(kept, issuer, key_id)
        if found is None:
            raise AssertionRefused(f"{issuer} has no key of the id that signed the token.")
        return found

    return key_of


def check(issuer: Issuer) -> str:
    """Ask an issuer for its keys now; say how many it has. Raises IssuerAway where it has none."""
    give_back()
    try:
        count = len(_fetched(issuer))
    except UpstreamFailed as error:
        raise _away(issuer, error.sentence) from None
    if not count:
        kinds = " or ".join(sorted(ALGORITHM_OF.values()))
        raise _away(issuer, f"none of them has an id and is read here ({kinds}).")
    return f"{issuer} answers, with {count} {'key' if count == 1 else 'keys'}."


def forget() -> None:
    """Forget all keys; they are fetched anew."""
    with _kept_lock:
        _kept.clear()


def _asked_for(kept: _Kept, issuer: Issuer, key_id: str) -> jwt.PyJWK | None:
    """Return the key of this id, once its issuer was asked for its keys again if that is due."""
    if not kept.lock.acquire(timeout=0 if kept.failed else _WAITS_SECONDS):
        raise IssuerAway(f"{issuer} takes too long to say its keys. Try again.")
    try:
        if kept.keys.get(key_id) is None and _is_due(kept):
            _ask(kept, issuer)
        found = kept.keys.get(key_id)
        if found is None and kept.failed:
            raise _away(issuer, kept.failed)
        return found
    finally:
        kept.lock.release()


def _away(issuer: Issuer, why: str) -> IssuerAway:
    return IssuerAway(f"The keys of {issuer} cannot be had: {why}")


def _is_due(kept: _Kept) -> bool:
    return kept.asked_at is None or clock.now() - kept.asked_at >= (
        AFTER_A_FAILURE if kept.failed else AGAIN_AFTER
    )


def _ask(kept: _Kept, issuer: Issuer) -> None:
    """Ask; when that fails, the keys that are there are believed until their hour is over."""
    give_back()
    kept.asked_at = clock.now()
    try:
        kept.keys, kept.failed = _Keys(_fetched(issuer), clock.now() + KEPT_FOR), ""
    except UpstreamFailed as error:
        kept.failed = error.sentence


def _fetched(issuer: Issuer) -> dict[str, jwt.PyJWK]:
    """Return the keys that the issuer's discovery document leads to. Raises UpstreamFailed."""
    upstream = Upstream(
        index_url=issuer.url,
        ca=issuer.ca,
        private_allowed=issuer.private_allowed,
        connect_seconds=_SILENCE_SECONDS,
        read_seconds=_SILENCE_SECONDS,
    )
    source = Source(Repository(), upstream)
    about = _document(source, f"{issuer.url.rstrip('/')}/.well-known/openid-configuration")
    if about.get("issuer") != issuer.url:
        raise UpstreamFailed("its discovery document names another issuer.")
    place = about.get("jwks_uri")
    if not isinstance(place, str) or split_url(place).scheme != "https":
        raise UpstreamFailed("its discovery document names no https:// URL of keys (jwks_uri).")
    listed = _document(source, place).get("keys")
    if not isinstance(listed, list):
        raise UpstreamFailed("what it says its keys are is no list of keys.")
    return dict(found for each in listed[:_KEYS_AT_MOST] if (found := _key(each)) is not None)


def _document(source: Source, url: str) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    try:
        reply = connection.ask(source, url, headers, limit=_BYTES_AT_MOST, seconds=_SECONDS)
    except PrivateRefused as refused:
        told = "Say of the issuer that it may have a private address, if that is right"
        raise UpstreamFailed(f"{refused.found}. {told}.") from None
    except NotConfigured as refused:
        raise UpstreamFailed(
            f"{refused.url} is not asked: inside your network, and on other ports than the web's, "
            "only the issuer's own host and port are."
        ) from None
    if reply.status != HTTPStatus.OK:
        raise UpstreamFailed(f"{source.host} answered {reply.status}.")
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UpstreamFailed(f"{source.host} answered what is no JSON object.")
    return document


def _key(listed: object) -> tuple[str, jwt.PyJWK] | None:
    """Return a key with its id; None for one of another use, of a kind that is not read, or odd."""
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig" or "d" in listed:
        return None
    key_id, kind = listed.get("kid"), listed.get("kty")
    if not isinstance(key_id, str) or not isinstance(kind, str) or kind not in ALGORITHM_OF:
        return None
    algorithm = ALGORITHM_OF[kind]
    if listed.get("alg", algorithm) != algorithm:
        return None
    try:
        return key_id, jwt.PyJWK.from_dict(listed, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
