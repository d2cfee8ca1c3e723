"""Lets only so many threads of a process wait for upstreams: the rest go on serving."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from packages.upstream.errors import UpstreamBusy

_lock = threading.Lock()
_waiting = 0


def begin_waiting() -> None:
    """Take a place among those who wait. Raises UpstreamBusy when there is none."""
    global _waiting  # noqa: PLW0603 - one count per process, on purpose
    with _lock:
        if _waiting >= settings.UPSTREAM_WAITERS:
            raise UpstreamBusy(
                "Too many are waiting for other indexes here at this moment. Try again."
            )
        _waiting += 1


def end_waiting() -> None:
    """Give the place back."""
    global _waiting  # noqa: PLW0603 - as above
    with _lock:
        _waiting -= 1


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for an upstream within the block."""
    begin_waiting()
    try:
        yield
    finally:
        end_waiting()
