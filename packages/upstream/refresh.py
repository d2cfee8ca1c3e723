"""Keeps what upstream says of each project: asked once for everybody, kept, refreshed in time.

Of all threads of all processes that want a page, one asks. Within a process the others wait for
its flight; across processes the row's fence and heartbeat say who is at it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection as database

from base import clock
from base.connections import give_back
from base.quick_rows import find, get
from packages.filenames import NormalizedName
from packages.models import UpstreamPage
from packages.upstream import documents, heartbeats
from packages.upstream.asking import ask_for_page, seconds_at_most
from packages.upstream.errors import (
    CircleClosed,
    UpstreamBusy,
    UpstreamFailed,
)
from packages.upstream.links import Document
from packages.upstream.source import Source
from packages.upstream.waiting import waiting

log = structlog.get_logger(__name__)

USE_NOTED_EVERY = timedelta(minutes=5)

_POLLED_EVERY = 0.05  # seconds
_AGEING_FROM = 0.8  # of the time for which a page is fresh
_FAILURE_HOLDS_FOR = timedelta(seconds=10)
_LOOKED_AT_AGAIN = timedelta(seconds=2)  # what is being refreshed, or cannot be now
_BACKGROUND_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a project upstream; no document: the index has no such project."""

    document: Document | None
    serial: int  # the repository's, when this last changed
    stale_since: datetime | None  # when upstream said so, if it cannot be asked now
    until: datetime  # then this is to be looked at again, by whoever holds what is made of it


@dataclass(slots=True)
class _Flight:
    landed: threading.Event = field(default_factory=threading.Event)
    failure: UpstreamFailed | None = None


Asking = Callable[[Source, NormalizedName, UpstreamPage, str], UpstreamPage]

_flights: dict[tuple[int, str, str], _Flight] = {}
_flights_lock = threading.Lock()
_background = threading.BoundedSemaphore(_BACKGROUND_AT_MOST)


def known_page(source: Source, project: NormalizedName) -> Known:
    """Return what upstream says of `project`: kept while fresh, else asked, else stale.

    Raises UpstreamFailed when it cannot be asked and nothing is kept.
    """
    row = kept_row(source, project)
    if row is not None:
        note_use(row)
    if row is not None and _is_fresh(source, row):
        if is_ageing(source, row):
            refresh_soon(source, project)
        return _known(source, row)
    kept = row if row is not None and row.is_served else None
    if kept is not None and (source.upstream.offline or failed_lately(kept)):
        return _known(source, kept, is_stale=True)
    if source.upstream.offline:
        raise UpstreamFailed(f"{source.repository} is offline and has kept no page of {project}.")
    try:
        row = refreshed(source, project)
    except UpstreamFailed as failure:
        # Where nobody ever waits, as at the edge, who may is asked: what is kept may be of any age.
        is_for_others = isinstance(failure, UpstreamBusy) and not settings.UPSTREAM_WAITERS
        if kept is None or is_for_others:
            raise
        return _known(source, kept, is_stale=True)
    note_use(row)  # of a page that is new; the others were noted above
    return _known(source, row)


def refreshed(
    source: Source, project: NormalizedName, asking: Asking | None = None
) -> UpstreamPage:
    """Ask upstream now, or wait for whoever does; return the row that came of it.

    `asking` asks and writes, under the row's fence; without it, for the project's page.
    """
    key = (source.repository.pk, source.scope, str(project))
    with _flights_lock:
        flight = _flights.get(key)
        is_mine = flight is None
        if flight is None:
            flight = _flights[key] = _Flight()
    if not is_mine:
        try:
            return _waited_for(flight, source, project)
        except CircleClosed:  # it was the way of another caller's request that came full circle
            return refreshed(source, project, asking)
    try:
        with waiting():
            return _asked_by_one_process(source, project, asking or ask_for_page)
    except UpstreamFailed as failure:
        flight.failure = failure
        raise
    except ObjectDoesNotExist:  # swept, or its remote removed, at this very moment
        flight.failure = UpstreamFailed(f"{source.repository} is being changed. Try again.")
        raise flight.failure from None
    except BaseException:
        flight.failure = UpstreamFailed(f"Asking {source.host} for {project} did not end well.")
        raise
    finally:
        with _flights_lock:
            del _flights[key]
        flight.landed.set()


def refresh_soon(source: Source, project: NormalizedName) -> None:
    """Refresh a page beside what this thread does; if much of that is going on, later."""
    if not source.upstream.offline and _background.acquire(blocking=False):
        try:
            _spawn(source, project)
        except BaseException:
            _background.release()
            raise


def _spawn(source: Source, project: NormalizedName) -> None:
    def run() -> None:
        try:
            refreshed(source, project)
        except UpstreamFailed as failure:
            log.info("a page was not refreshed", project=project, reason=failure.sentence)
        finally:
            database.close()
            _background.release()

    threading.Thread(target=run, name="refresh", daemon=True).start()


def _waited_for(flight: _Flight, source: Source, project: NormalizedName) -> UpstreamPage:
    with waiting():
        give_back()
        if not flight.landed.wait(seconds_at_most(source) + 1):
            raise UpstreamFailed(f"{source.host} takes too long to say what it has of {project}.")
    if flight.failure is not None:
        raise flight.failure
    row = kept_row(source, project)
    if row is None:  # its settings have just changed
        raise _out_of_date(source, project)
    return row


def _asked_by_one_process(source: Source, project: NormalizedName, asking: Asking) -> UpstreamPage:
    row, fence = _row(source, project), None
    if row is None:
        row = UpstreamPage(used_at=clock.now(), **source.place_of(project))
        fence = heartbeats.insert_claimed(row)
        if fence is None:
            row = get(UpstreamPage, **source.place_of(project))
    is_new = fence is not None
    before, deadline = (row.answered_at, row.failed_at), time.monotonic() + seconds_at_most(source)
    while (fence := fence or heartbeats.claim(row)) is None:
        give_back()
        _pause(_POLLED_EVERY)
        row.refresh_from_db()
        if (row.answered_at, row.failed_at) != before:
            return _outcome(source, row)
        if time.monotonic() > deadline:
            raise UpstreamFailed(f"{source.host} takes too long to say what it has of {project}.")
    is_held = True
    try:
        if not is_new:
            row.refresh_from_db()
            if (row.answered_at, row.failed_at) != before:
                return _outcome(source, row)
        with heartbeats.beating(row, fence):
            answered = asking(source, project, row, fence)
        is_held = bool(answered.fence)  # not if what was written let go of it, too
        return answered
    finally:
        if is_held:
            heartbeats.release(row, fence)


def _outcome(source: Source, row: UpstreamPage) -> UpstreamPage:
    """Return what another process has just found out, if it asked where we would."""
    if row.failed_at is not None:
        raise UpstreamFailed(row.failure)
    if not _is_of(source, row):
        raise _out_of_date(source, row.normalized)
    return row


def _out_of_date(source: Source, project: str) -> UpstreamFailed:
    return UpstreamFailed(f"What {source.host} says of {project} is out of date. Try again.")


def kept_row(source: Source, project: NormalizedName) -> UpstreamPage | None:
    """Return what is kept; not what another upstream said, before the settings changed."""
    row = _row(source, project)
    return row if row is not None and _is_of(source, row) else None


def _row(source: Source, project: NormalizedName) -> UpstreamPage | None:
    """Return the row of a project; it does not know its repository."""
    return find(UpstreamPage, **source.place_of(project))


def page_at_once(source: Source, project: NormalizedName) -> Known:
    """Return what is kept of `project`, however old, and have it refreshed beside that.

    For people: they see what is known, and wait for upstream only where nothing is. Raises
    UpstreamFailed as `known_page` does.
    """
    row = kept_row(source, project)
    if row is None or not row.is_served:
        return known_page(source, project)
    note_use(row)
    is_fresh = _is_fresh(source, row)
    if not is_fresh and not failed_lately(row):
        refresh_soon(source, project)
    is_stale = not is_fresh and (source.upstream.offline or bool(row.failed_at))
    return _known(source, row, is_stale=is_stale)


def kept_page(source: Source, project: NormalizedName) -> Known:
    """Return what upstream once said of `project`, however long ago, and ask nobody."""
    return kept_of(source, kept_row(source, project))


def kept_of(source: Source, row: UpstreamPage | None) -> Known:
    """Return the same for whoever has the row, if there is one."""
    if row is None or not _is_of(source, row):
        return Known(None, 0, None, until=clock.now())
    return _known(source, row)


def _is_of(source: Source, row: UpstreamPage) -> bool:
    """Say whether a row is what this upstream said, not another before the settings changed."""
    return row.asked_as == source.asked_as(NormalizedName(row.normalized))


def _known(source: Source, row: UpstreamPage, *, is_stale: bool = False) -> Known:
    document = None
    if row.is_served and row.document is not None:
        document = documents.unpacked(bytes(row.document))
    stale_since, soon = (row.answered_at if is_stale else None), clock.now() + _LOOKED_AT_AGAIN
    until = soon if is_stale else _looked_at_again(source, row, soon)
    return Known(document, row.changed, stale_since, until)


def _looked_at_again(source: Source, row: UpstreamPage, soon: datetime) -> datetime:
    """Return when to look again at a page that is no news: to refresh it, or to note its use."""
    assert row.answered_at is not None  # noqa: S101 - only asked of rows that were answered
    freshness = timedelta(seconds=_freshness(source, row))
    if is_ageing(source, row):
        return min(soon, row.answered_at + freshness)
    return min(clock.now() + USE_NOTED_EVERY, row.answered_at + _AGEING_FROM * freshness)


def _is_fresh(source: Source, row: UpstreamPage) -> bool:
    return row.answered_at is not None and age_of(row) < _freshness(source, row)


def _freshness(source: Source, row: UpstreamPage) -> float:
    upstream = source.upstream
    return float(upstream.fresh_seconds if row.is_served else upstream.negative_seconds)


def age_of(row: UpstreamPage) -> float:
    """Return how many seconds ago upstream said so."""
    assert row.answered_at is not None  # noqa: S101 - only asked of rows that were answered
    return (clock.now() - row.answered_at).total_seconds()


def is_ageing(source: Source, row: UpstreamPage) -> bool:
    """Say whether a page is soon, or already, out of date."""
    return age_of(row) > _AGEING_FROM * _freshness(source, row)


def failed_lately(row: UpstreamPage) -> bool:
    """Say whether upstream has just failed to answer: then it is not asked for each caller."""
    return row.failed_at is not None and row.failed_at > clock.now() - _FAILURE_HOLDS_FOR


def note_use(row: UpstreamPage) -> None:
    """Note that a client asked for it: what is in use is refreshed in the background."""
    now = clock.now()
    if row.used_at is None or row.used_at < now - USE_NOTED_EVERY:
        UpstreamPage.objects.filter(pk=row.pk).update(used_at=now)


def _pause(seconds: float) -> None:
    time.sleep(seconds)
