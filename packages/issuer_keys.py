"""The keys by which issuers sign what CI shows: fetched as upstreams are, and kept in memory.

Each process has its own. One thread fetches an issuer's keys, the others wait for it: whoever
invents key ids has them fetched once a minute, and not more.
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

from accounts.assertions import AssertionRefused, IssuerAway, KeySource
from accounts.models import Issuer
from base import clock
from base.connections import give_back
from packages.upstream import connection
from packages.upstream.addresses import split_url
from packages.upstream.errors import UpstreamFailed
from packages.upstream.source import Source
from repos.models import Repository, Upstream

KEPT_FOR = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=1)
AFTER_A_FAILURE = timedelta(seconds=10)
_SECONDS = 10
_SILENCE_SECONDS = 5
_BYTES_AT_MOST = 256 * 1024
_KEYS_AT_MOST = 100

_Settings = tuple[str, str, bool]  # all that its keys depend on


@dataclass(slots=True)
class _Kept:
    """What one issuer answered last."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    asked_at: datetime | None = None
    failed: str = ""  # why there are no keys


_kept: dict[_Settings, _Kept] = {}
_kept_lock = threading.Lock()


def keys_of(issuer: Issuer) -> KeySource:
    """Return what finds the keys of `issuer` by their ids."""
    settings = (issuer.url, issuer.ca, issuer.private_allowed)
    with _kept_lock:
        kept = _kept.setdefault(settings, _Kept())

    def key_of(key_id: str) -> jwt.PyJWK:
        if not kept.lock.acquire(timeout=2 * _SECONDS):
            raise IssuerAway(f"{issuer} takes too long to say its keys. Try again.")
        try:
            if _is_due(kept, key_id):
                _ask(kept, issuer)
            if kept.failed:
                raise IssuerAway(f"The keys of {issuer} cannot be had: {kept.failed}")
            if key_id not in kept.keys:
                raise AssertionRefused(f"{issuer} has no key of the id that signed the token.")
            return kept.keys[key_id]
        finally:
            kept.lock.release()

    return key_of


def forget() -> None:
    """Forget all keys; they are fetched anew."""
    with _kept_lock:
        _kept.clear()


def _is_due(kept: _Kept, key_id: str) -> bool:
    if kept.asked_at is None:
        return True
    age = clock.now() - kept.asked_at
    if kept.failed:
        return age >= AFTER_A_FAILURE
    return age >= (KEPT_FOR if key_id in kept.keys else AGAIN_AFTER)


def _ask(kept: _Kept, issuer: Issuer) -> None:
    give_back()
    kept.asked_at = clock.now()
    try:
        kept.keys, kept.failed = _fetched(issuer), ""
    except UpstreamFailed as error:
        kept.keys, kept.failed = {}, error.sentence


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
    reply = connection.ask(source, url, headers, limit=_BYTES_AT_MOST, seconds=_SECONDS)
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
    """Return a key with its id; None for one of another use, and of a kind that is not read."""
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig":
        return None
    key_id = listed.get("kid")
    try:
        return (key_id, jwt.PyJWK.from_dict(listed)) if isinstance(key_id, str) else None
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
