"""How Larder names itself to upstreams, so that a circle of proxies is noticed (RFC 9110, Via)."""

from __future__ import annotations

import hashlib
import hmac
import re
from contextvars import ContextVar
from functools import lru_cache

from django.conf import settings

USER_AGENT = "Larder/0.1.0"

_HOPS_AT_MOST = 10
_HOP = re.compile(r"[\w./-]+ [\w.:-]+", re.ASCII)  # a protocol and a name, no comment
_HOP_AT_MOST = 60  # characters
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
    """Keep the Via of the request that this thread answers: its hops, and nothing else of it."""
    hops = [" ".join(hop.split()[:2]) for hop in via.split(",") if hop.strip()]
    plain = [hop for hop in hops if len(hop) <= _HOP_AT_MOST and _HOP.fullmatch(hop)]
    _came_through.set(", ".join(plain[-_HOPS_AT_MOST:]))


def via() -> str:
    """Return the Via of a request to upstream."""
    before = _came_through.get()
    return f"{before}, 1.1 {instance_id()}" if before else f"1.1 {instance_id()}"


@lru_cache(maxsize=4)
def _derived(key: str) -> str:
    digest = hmac.new(key.encode(), b"larder instance id v1", hashlib.sha256).hexdigest()
    return f"larder-{digest[:16]}"
