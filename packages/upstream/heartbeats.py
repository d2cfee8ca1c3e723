"""Says for this process that it is still at work: one thread for all that it holds.

A row is held by a random fence and a heartbeat. A process that dies stops beating, and another
takes its rows over; only the holder of the fence may write what comes of the work.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import Error, close_old_connections, connection
from django.db.models import Q

from base import clock
from base.quick_rows import insert_or_leave
from packages.models import Fetch, UpstreamPage

log = structlog.get_logger(__name__)

LOST_AFTER = timedelta(seconds=10)
_EVERY = 2.0  # seconds

Held = UpstreamPage | Fetch


def insert_claimed(row: Held) -> str | None:
    """Insert a new row and be at work on it; returns the fence, or None when it is there by now."""
    row.fence, row.heartbeat_at = secrets.token_hex(16), clock.now()
    return row.fence if insert_or_leave(row) else None


def claim(row: Held) -> str | None:
    """Take a row that nobody is at work on; returns the fence, or None when somebody is."""
    fence, now = secrets.token_hex(16), clock.now()
    free = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=now - LOST_AFTER)
    rows = type(row)._default_manager.filter(free, pk=row.pk)  # noqa: SLF001 - Django's public way
    return fence if rows.update(fence=fence, heartbeat_at=now) else None


def is_held(row: Held) -> bool:
    """Say whether somebody is at work on the row now."""
    return row.heartbeat_at is not None and row.heartbeat_at >= clock.now() - LOST_AFTER


def release(row: Held, fence: str) -> None:
    """Let go of a row, unless somebody else has taken it over meanwhile."""
    rows = type(row)._default_manager.filter(pk=row.pk, fence=fence)  # noqa: SLF001 - as above
    rows.update(fence="", heartbeat_at=None)


@contextmanager
def beating(row: Held, fence: str) -> Iterator[None]:
    """Keep the row's heart beating within the block."""
    _pulse.add(type(row), row.pk, fence)
    try:
        yield
    finally:
        _pulse.remove(fence)


class _Pulse:
    """The thread that beats, while there is something to beat for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[type[Held], int]] = {}
        self._thread: threading.Thread | None = None
        self._changed = threading.Event()

    def add(self, kind: type[Held], pk: int, fence: str) -> None:
        with self._lock:
            if self._thread is None:
                self._changed.clear()
                thread = threading.Thread(target=self._run, name="heartbeats", daemon=True)
                thread.start()  # the system may have none to give
                self._thread = thread
            self._held[fence] = (kind, pk)

    def remove(self, fence: str) -> None:
        with self._lock:
            self._held.pop(fence, None)
            if not self._held:
                self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait(_EVERY)
            with self._lock:
                self._changed.clear()
                if not self._held:
                    self._thread = None
                    return
                held = dict(self._held)
            _beat(held)


def _beat(held: dict[str, tuple[type[Held], int]]) -> None:
    close_old_connections()
    try:
        for fence, (kind, pk) in held.items():
            rows = kind._default_manager.filter(pk=pk, fence=fence)  # noqa: SLF001 - as above
            rows.update(heartbeat_at=clock.now())
    except Error:  # also of a connection that broke: the next beat may come through
        log.warning("a heartbeat was missed", exc_info=True)
    finally:
        connection.close()


_pulse = _Pulse()
