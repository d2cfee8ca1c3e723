"""Fetches files: once for any number of callers in any number of processes.

One thread of one process receives and keeps the file, whether or not its callers stay. Callers on
its machine read its spool as it grows; those on other machines wait for the file to be kept.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection as database

from base import audit, clock
from base.audit import SYSTEM
from packages.models import Fetch
from packages.storage import Readable
from packages.upstream import heartbeats
from packages.upstream.addresses import origin_of
from packages.upstream.errors import (
    CircleClosed,
    TooLarge,
    UpstreamAway,
    UpstreamBusy,
    UpstreamFailed,
    UpstreamRefused,
    WrongBytes,
)
from packages.upstream.health import note_answer, note_failure, require_open
from packages.upstream.keeping import is_kept, keep
from packages.upstream.receiving import Wanted, received
from packages.upstream.spools import Spool, SpoolStream, WriterGone, spool_path
from packages.upstream.waiting import begin_waiting, end_waiting

log = structlog.get_logger(__name__)

REFUSED_FOR = timedelta(seconds=60)

_Key = tuple[int, str, str, str, str]

_POLLED_EVERY = 0.05  # seconds
_BEGUN_WITHIN = 120.0  # seconds
_REASON_AT_MOST = 500


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


@dataclass(slots=True)
class _Transfer:
    """What one thread of this process receives."""

    path: Path
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    size: int | None = None
    failure: UpstreamFailed | None = None


_transfers: dict[_Key, _Transfer] = {}
_running = 0  # threads that fetch: they go on when their callers have left
_lock = threading.Lock()


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
    with _lock:
        transfer = _transfers.get(_key(wanted))
    if transfer is not None:
        transfer.ended.wait(_BEGUN_WITHIN)
    while transfer is None and _is_held(wanted):
        heartbeats.give_back()
        time.sleep(_POLLED_EVERY)


def _followed(wanted: Wanted) -> _Joined | None:
    deadline, watched = time.monotonic() + _BEGUN_WITHIN, ""
    while time.monotonic() < deadline:
        with _lock:
            transfer = _transfers.get(_key(wanted))
        if transfer is not None:
            with suppress(CircleClosed):
                return _joined(transfer)
            time.sleep(_POLLED_EVERY)  # the circle was another caller's
            continue
        row = _row(wanted)
        if row is None and watched:
            return None  # whoever fetched it is done
        row = row or _new_row(wanted)
        _raise_if_refused(row)
        if not heartbeats.is_held(row):
            if watched == row.fence and row.reason:
                raise UpstreamFailed(row.reason)  # it failed elsewhere while we waited
            if (fence := heartbeats.claim(row)) is not None:
                row.fence = fence
                if is_kept(wanted.source, wanted.project, wanted.line):
                    row.delete()  # it came between our look and our claim
                    return None
                return _joined(_start(wanted, row))
        watched = row.fence
        # A spool is named by its fence: another's is that of a dead process.
        if row.spool == row.fence and row.host == socket.gethostname():
            with suppress(WriterGone):
                return _joined_elsewhere(row)
        heartbeats.give_back()
        time.sleep(_POLLED_EVERY)
    raise UpstreamFailed(f"{wanted.source.host} takes too long to send {wanted.line.filename}.")


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


def _joined(transfer: _Transfer) -> _Joined | None:
    heartbeats.give_back()
    if not transfer.begun.wait(_BEGUN_WITHIN):
        raise UpstreamFailed("Upstream takes too long to begin to send the file.")
    if transfer.failure is not None:
        raise transfer.failure
    try:
        stream = SpoolStream(transfer.path)
    except FileNotFoundError:
        return None  # it ended between two looks
    return _Joined(stream, transfer.size)


def _take_place(row: Fetch) -> None:
    """Take a place among the transfers of this process. Raises UpstreamBusy when there is none."""
    global _running  # noqa: PLW0603 - one count per process, on purpose
    with _lock:
        if _running < settings.UPSTREAM_TRANSFERS:
            _running += 1
            return
    row.delete()
    raise UpstreamBusy("Too many files are on their way here at this moment. Try again.")


def _give_place_back() -> None:
    global _running  # noqa: PLW0603 - as above
    with _lock:
        _running -= 1


def _start(wanted: Wanted, row: Fetch) -> _Transfer:
    """Begin a transfer in a thread of its own. Raises UpstreamBusy."""
    _take_place(row)
    transfer = _Transfer(spool_path(row.fence))
    with _lock:
        _transfers[_key(wanted)] = transfer

    def run() -> None:
        try:
            _fetched(wanted, row, transfer)
        except UpstreamFailed as failure:
            transfer.failure = failure
            log.warning("a file was not fetched", file=row.filename, reason=failure.sentence)
        except BaseException as error:
            transfer.failure = UpstreamFailed(f"Fetching {row.filename} did not end well.")
            log.exception("a fetch failed", file=row.filename)
            if not isinstance(error, Exception):
                raise
        finally:
            transfer.begun.set()
            transfer.ended.set()
            with _lock:  # another may have begun by now, if this one's heart was missed
                if _transfers.get(_key(wanted)) is transfer:
                    del _transfers[_key(wanted)]
            _give_place_back()
            database.close()

    # With what the request came through (Via), so that a circle of files is noticed too.
    context = copy_context()
    thread = threading.Thread(target=lambda: context.run(run), name="fetch", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system gives no more threads
        with _lock:
            _transfers.pop(_key(wanted), None)
        _give_place_back()
        row.delete()
        raise
    return transfer


def _fetched(wanted: Wanted, row: Fetch, transfer: _Transfer) -> None:
    """Receive the file, check it, let its last block go, keep it."""
    line = wanted.line
    with heartbeats.beating(row, row.fence), _spool(wanted, transfer) as spool:
        try:
            with _breaker(wanted):
                for size in received(wanted, spool):
                    transfer.size = size
                    _announce(wanted, row, transfer)
            whole = spool.finish()
            keep(wanted.source, wanted.project, line, whole, row)
        except WrongBytes as wrong:
            _note_failure(row, wrong, refused_until=True)
            _record(wanted, wrong)
            raise
        except CircleClosed:
            raise  # a matter of who began this; the others begin anew
        except UpstreamFailed as failure:
            _note_failure(row, failure)
            raise
        finally:
            # Of what was kept the row is gone already.
            Fetch.objects.filter(pk=row.pk, fence=row.fence, reason="").delete()


@contextmanager
def _breaker(wanted: Wanted) -> Iterator[None]:
    """Count how an upstream that is away fails; files on other hosts say nothing of it."""
    source = wanted.source
    if origin_of(wanted.line.url) not in source.origins:
        yield
        return
    health = require_open(source)
    heartbeats.give_back()
    try:
        yield
    except UpstreamAway as failure:
        note_failure(source, failure.sentence)
        raise
    except CircleClosed:
        raise
    except (UpstreamRefused, WrongBytes, TooLarge):
        note_answer(source, health)  # it is there, whatever it says
        raise
    note_answer(source, health)


@contextmanager
def _spool(wanted: Wanted, transfer: _Transfer) -> Iterator[Spool]:
    spool = Spool(transfer.path, wanted.line.hashes)
    try:
        yield spool
    except BaseException:
        spool.break_off()
        raise
    finally:
        spool.close()


def _announce(wanted: Wanted, row: Fetch, transfer: _Transfer) -> None:
    """Let those who wait begin to read, here and in other processes."""
    begun = Fetch.objects.filter(pk=row.pk, fence=row.fence).update(
        host=socket.gethostname(), spool=row.fence, size=transfer.size, reason=""
    )
    if not begun:
        raise UpstreamFailed(f"Another process fetches {wanted.line.filename} by now.")
    heartbeats.give_back()
    transfer.begun.set()


def _key(wanted: Wanted) -> _Key:
    source, line = wanted.source, wanted.line
    return source.repository.pk, source.scope, wanted.project, line.filename, line.sha256


def _row(wanted: Wanted) -> Fetch | None:
    return Fetch.objects.filter(**_columns(wanted)).first()


def _new_row(wanted: Wanted) -> Fetch:
    return Fetch.objects.get_or_create(**_columns(wanted))[0]


def _columns(wanted: Wanted) -> dict[str, Any]:
    names = ("repository_id", "scope", "normalized", "filename", "sha256")
    return dict(zip(names, _key(wanted), strict=True))


def _is_held(wanted: Wanted) -> bool:
    row = _row(wanted)
    heartbeats.give_back()
    return row is not None and heartbeats.is_held(row)


def _raise_if_refused(row: Fetch) -> None:
    if row.refused_until is not None and row.refused_until > clock.now():
        raise WrongBytes(row.reason)


def _note_failure(row: Fetch, failure: UpstreamFailed, *, refused_until: bool = False) -> None:
    """Tell those who wait in other processes; a wrong file is refused for a while."""
    Fetch.objects.filter(pk=row.pk, fence=row.fence).update(
        heartbeat_at=None,
        spool="",
        reason=failure.sentence[:_REASON_AT_MOST],
        refused_until=clock.now() + REFUSED_FOR if refused_until else None,
    )


def _record(wanted: Wanted, wrong: WrongBytes) -> None:
    repository = wanted.source.repository
    audit.record(
        by=SYSTEM,
        action="upstream.wrong-bytes",
        tenant=repository.tenant.slug,
        subject=f"{repository}/{wanted.line.filename}",
        after={"reason": wrong.sentence},
    )
