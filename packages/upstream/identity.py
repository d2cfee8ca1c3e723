"""How Larder names itself to upstreams, so that a circle of proxies is noticed (RFC 9110, Via)."""

from __future__ import annotations

import hashlib
import hmac
from contextvars import ContextVar
from functools import lru_cache

from django.conf import settings

USER_AGENT = "Larder/0.1.0"

_HOPS_AT_MOST = 10
_VIA_AT_MOST = 2000
# What the request that is being answered came through; upstream is told, so that a circle of
# several closes at the first of them.
_came_through: ContextVar[str] = ContextVar("came_through", default="")


def instance_id() -> str:
    """Return the name of this installation, the same in all its processes, and no secret."""
    return _derived(settings.SECRET_KEY)


def came_full_circle(via: str) -> bool:
    """Say whether a request that came with this Via has been here, or has come too far."""
    hops = [hop.split() for hop in via.split(",") if hop.strip()]
    return len(hops) > _HOPS_AT_MOST or any(instance_id() in hop for hop in hops)


def remember_via(via: str) -> None:
    """Keep the Via of the request that this thread answers."""
    _came_through.set(via if via.isascii() and via.isprintable() else "")


def via() -> str:
    """Return the Via of a request to upstream."""
    before = _came_through.get()[:_VIA_AT_MOST]
    return f"{before}, 1.1 {instance_id()}" if before else f"1.1 {instance_id()}"


@lru_cache(maxsize=4)
def _derived(key: str) -> str:
    digest = hmac.new(key.encode(), b"larder instance id v1", hashlib.sha256).hexdigest()
    return f"larder-{digest[:16]}"
