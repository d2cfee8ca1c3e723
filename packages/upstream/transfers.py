"""The threads of this process that fetch files: each receives one, checks it, and keeps it.

A transfer goes on whether or not those who wanted it stay (see packages.upstream.fetch).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection as database

from base import audit, clock
from base.audit import SYSTEM
from base.connections import give_back
from packages.models import Fetch
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
from packages.upstream.keeping import keep
from packages.upstream.receiving import Wanted, received
from packages.upstream.spools import Spool, spool_path

log = structlog.get_logger(__name__)

REFUSED_FOR = timedelta(seconds=60)
_REASON_AT_MOST = 500

Key = tuple[int, str, str, str, str]


@dataclass(slots=True)
class Transfer:
    """What one thread of this process receives."""

    path: Path
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    size: int | None = None
    failure: UpstreamFailed | None = None


_transfers: dict[Key, Transfer] = {}
_running = 0  # threads that fetch: they go on when their callers have left
_lock = threading.Lock()


def key_of(wanted: Wanted) -> Key:
    """Return what tells this file from all others: the columns of its `Fetch`."""
    source, line = wanted.source, wanted.line
    return source.repository.pk, source.scope, wanted.project, line.filename, line.sha256


def running(wanted: Wanted) -> Transfer | None:
    """Return the transfer of this process that brings the file, if there is one."""
    with _lock:
        return _transfers.get(key_of(wanted))


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


def start(wanted: Wanted, row: Fetch) -> Transfer:
    """Begin a transfer in a thread of its own. Raises UpstreamBusy."""
    _take_place(row)
    transfer = Transfer(spool_path(row.fence))
    with _lock:
        _transfers[key_of(wanted)] = transfer

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
                if _transfers.get(key_of(wanted)) is transfer:
                    del _transfers[key_of(wanted)]
            _give_place_back()
            database.close()

    # With what the request came through (Via), so that a circle of files is noticed too.
    context = copy_context()
    thread = threading.Thread(target=lambda: context.run(run), name="fetch", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system gives no more threads
        with _lock:
            _transfers.pop(key_of(wanted), None)
        _give_place_back()
        row.delete()
        raise
    return transfer


def _fetched(wanted: Wanted, row: Fetch, transfer: Transfer) -> None:
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
    give_back()
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
def _spool(wanted: Wanted, transfer: Transfer) -> Iterator[Spool]:
    spool = Spool(transfer.path, wanted.line.hashes)
    try:
        yield spool
    except BaseException:
        spool.break_off()
        raise
    finally:
        spool.close()


def _announce(wanted: Wanted, row: Fetch, transfer: Transfer) -> None:
    """Let those who wait begin to read, here and in other processes."""
    begun = Fetch.objects.filter(pk=row.pk, fence=row.fence).update(
        host=socket.gethostname(), spool=row.fence, size=transfer.size, reason=""
    )
    if not begun:
        raise UpstreamFailed(f"Another process fetches {wanted.line.filename} by now.")
    give_back()
    transfer.begun.set()


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
        repository=str(repository),
        subject=f"{repository}/{wanted.line.filename}",
        after={"reason": wrong.sentence},
    )
