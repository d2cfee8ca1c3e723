"""Fetches files: once for any number of callers in any number of processes.

One thread of one process receives and keeps the file, whether or not its callers stay. Callers on
its machine read its spool as it grows; those on other machines wait for the file to be kept.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError

from base import clock
from base.connections import give_back
from packages.models import Fetch
from packages.storage import Readable
from packages.upstream import heartbeats
from packages.upstream.errors import CircleClosed, UpstreamFailed, WrongBytes
from packages.upstream.keeping import is_kept
from packages.upstream.receiving import Wanted
from packages.upstream.spools import SpoolStream, WriterGone, spool_path
from packages.upstream.transfers import Key, Transfer, key_of, running, start
from packages.upstream.waiting import begin_waiting, end_waiting

_POLLED_EVERY = 0.05  # seconds
_LOOKED_OUT_FOR = 1.0  # seconds
_BEGUN_WITHIN = 120.0  # seconds

# By file: set when the one thread of this process that watches another's fetch has seen news.
_lookouts: dict[Key, threading.Event] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Followed:
    """A file on its way: read it as it comes. `size` is in bytes, None where nobody says."""

    stream: Readable
    size: int | None


@dataclass(frozen=True, slots=True)
class _Joined:
    """A spool to read along with, and its size, if known."""

    stream: SpoolStream
    size: int | None


def follow(wanted: Wanted) -> Followed | None:
    """Begin to fetch a file, or join who does; return once bytes come.

    None: it has just been kept, or could not be; look again. Raises UpstreamFailed, and
    WrongBytes for a while after upstream sent another file than it listed.
    """
    begin_waiting()
    try:
        found = _followed(wanted)
    except BaseException:
        end_waiting()
        raise
    if found is None:
        end_waiting()
        return None
    return Followed(_Following(wanted, found.stream), found.size)


class _Following:
    """Reads along with a transfer, and with the next one when its process dies.

    It holds a place among those who wait until all bytes are here.
    """

    def __init__(self, wanted: Wanted, stream: SpoolStream) -> None:
        self._wanted = wanted
        self._stream = stream
        self._given = 0
        self._waits = True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, once there are some. Raises UpstreamFailed when none will come."""
        while True:
            try:
                chunk = self._stream.read(size)
            except WriterGone:
                self._go_on()
                continue
            self._given += len(chunk)
            if not chunk or self._stream.is_whole():  # the rest waits for the caller alone
                self._end_waiting()
            return chunk

    def close(self) -> None:
        """Stop reading along; the transfer goes on."""
        self._end_waiting()
        self._stream.close()

    def _go_on(self) -> None:
        """Go on behind what was given out: a digest says that it is the same file."""
        if not self._wanted.line.hashes:
            raise UpstreamFailed(f"{self._wanted.line.filename} came to no end. Try again.")
        self._stream.close()
        found = _followed(self._wanted)
        if found is None:
            raise UpstreamFailed(f"{self._wanted.line.filename} came meanwhile. Try again.")
        self._stream, left = found.stream, self._given
        while left and (again := self._stream.read(left)):
            left -= len(again)

    def _end_waiting(self) -> None:
        if self._waits:
            self._waits = False
            end_waiting()


def wait_until_kept(wanted: Wanted) -> None:
    """Fetch a file, or wait for who does, until all is done. Raises as `follow`."""
    followed = follow(wanted)
    if followed is None:
        return
    try:
        while followed.stream.read():
            pass
    finally:
        followed.stream.close()
    transfer = running(wanted)
    if transfer is not None:
        transfer.ended.wait(_BEGUN_WITHIN)
    while transfer is None and _is_held(wanted):
        give_back()
        time.sleep(_POLLED_EVERY)


def _followed(wanted: Wanted) -> _Joined | None:
    deadline, watched = time.monotonic() + _BEGUN_WITHIN, ""
    while time.monotonic() < deadline:
        if (transfer := running(wanted)) is not None:
            with suppress(CircleClosed):
                return _joined(transfer)
            time.sleep(_POLLED_EVERY)  # the circle was another caller's
            continue
        row = _row(wanted)
        if row is None and watched:
            return None  # whoever fetched it is done
        row = row or _new_row(wanted)
        if row is None:
            return None
        _raise_if_refused(row)
        if not heartbeats.is_held(row):
            if watched == row.fence and row.reason:
                raise UpstreamFailed(row.reason)  # it failed elsewhere while we waited
            if (fence := heartbeats.claim(row)) is not None:
                row.fence = fence
                if is_kept(wanted.source, wanted.project, wanted.line):
                    row.delete()  # it came between our look and our claim
                    return None
                return _joined(start(wanted, row))
        watched = row.fence
        # A spool is named by its fence: another's is that of a dead process.
        if row.spool == row.fence and row.host == socket.gethostname():
            with suppress(WriterGone):
                return _joined_elsewhere(row)
        _await_news(wanted, row)
    raise UpstreamFailed(f"{wanted.source.host} takes too long to send {wanted.line.filename}.")


def _await_news(wanted: Wanted, seen: Fetch) -> None:
    """Wait until another process has got further; one thread looks, for all that want the file."""
    give_back()
    with _lock:
        news = _lookouts.get(key_of(wanted))
        is_mine = news is None
        if news is None:
            news = _lookouts[key_of(wanted)] = threading.Event()
    if not is_mine:
        news.wait(_LOOKED_OUT_FOR)
        return
    try:
        until = time.monotonic() + _LOOKED_OUT_FOR
        while time.monotonic() < until:
            time.sleep(_POLLED_EVERY)
            row = _row(wanted)
            give_back()
            if row is None or not heartbeats.is_held(row):
                return
            if (row.fence, row.spool) != (seen.fence, seen.spool):
                return
    finally:
        with _lock:
            del _lookouts[key_of(wanted)]
        news.set()


def _joined_elsewhere(row: Fetch) -> _Joined | None:
    """Read along with another process of this machine; raises WriterGone when it has died."""
    path = spool_path(row.spool)
    try:
        stream = SpoolStream(path)
    except FileNotFoundError:
        return None  # it ended between two looks
    if not stream.writer_is_gone():
        return _Joined(stream, row.size)
    stream.close()
    heartbeats.release(row, row.fence)  # sooner than its heart is missed
    path.unlink(missing_ok=True)
    raise WriterGone(f"Whoever fetched {row.filename} is gone.")


def _joined(transfer: Transfer) -> _Joined | None:
    give_back()
    if not transfer.begun.wait(_BEGUN_WITHIN):
        raise UpstreamFailed("Upstream takes too long to begin to send the file.")
    if transfer.failure is not None:
        raise transfer.failure
    try:
        stream = SpoolStream(transfer.path)
    except FileNotFoundError:
        return None  # it ended between two looks
    return _Joined(stream, transfer.size)


def _row(wanted: Wanted) -> Fetch | None:
    return Fetch.objects.filter(**_columns(wanted)).first()


def _new_row(wanted: Wanted) -> Fetch | None:
    """Return the row of this fetch; None where another one began and ended at this very moment."""
    try:
        return Fetch.objects.get_or_create(**_columns(wanted))[0]
    except IntegrityError:
        return None


def _columns(wanted: Wanted) -> dict[str, Any]:
    names = ("repository_id", "scope", "normalized", "filename", "sha256")
    return dict(zip(names, key_of(wanted), strict=True))


def _is_held(wanted: Wanted) -> bool:
    row = _row(wanted)
    give_back()
    return row is not None and heartbeats.is_held(row)


def _raise_if_refused(row: Fetch) -> None:
    if row.refused_until is not None and row.refused_until > clock.now():
        raise WrongBytes(row.reason)
