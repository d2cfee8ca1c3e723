"""The circuit breaker: an upstream that is away costs each request a look, not its time-out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import F

from base import clock
from base.quick_rows import find
from packages.models import UpstreamHealth
from packages.upstream.addresses import origin_of
from packages.upstream.errors import (
    CircleClosed,
    NotAsked,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamUnreadable,
)
from packages.upstream.source import Source

FAILURES_UNTIL_CLOSED = 3
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)

_FAILURE_AT_MOST = 500
_NOTED_ANEW_AFTER = timedelta(minutes=1)  # a good answer is not written down each time


def require_open(source: Source) -> UpstreamHealth | None:
    """Refuse to ask an upstream that has just failed several times in a row.

    When the pause is over one caller may try, and the others wait for what becomes of that.
    """
    row = health_of(source)
    if row is None or row.closed_until is None:
        return row
    now = clock.now()
    if row.closed_until > now:
        raise _away(source, row)
    probing = UpstreamHealth.objects.filter(pk=row.pk, closed_until=row.closed_until)
    if not probing.update(closed_until=now + FIRST_PAUSE):
        raise _away(source, row)
    return row


def health_of(source: Source) -> UpstreamHealth | None:
    """Return how it has answered since its settings were last changed, if it was asked."""
    row = find(UpstreamHealth, repository_id=source.repository.pk)
    if row is not None and row.asked_as != source.reached_by:
        new = UpstreamHealth(repository=source.repository, asked_as=source.reached_by)
        new.save()
        return new
    return row


@contextmanager
def counted_there(source: Source, url: str) -> Iterator[None]:
    """Count what comes of asking for `url` within the block; other hosts say nothing of it."""
    if origin_of(url) not in source.origins:
        yield
        return
    with counted(source, require_open(source)):
        yield


@contextmanager
def counted(source: Source, before: UpstreamHealth | None) -> Iterator[None]:
    """Count what comes of asking within the block; `before` is what `require_open` found.

    An upstream that refuses, or answers with what cannot be read, is there.
    """
    try:
        yield
    except (NotAsked, CircleClosed):
        raise
    except (UpstreamRefused, UpstreamUnreadable):
        note_answer(source, before)
        raise
    except UpstreamFailed as failure:
        note_failure(source, failure.sentence)
        raise
    note_answer(source, before)


def note_answer(source: Source, before: UpstreamHealth | None) -> None:
    """Write down that upstream answered; `before` is what `require_open` found."""
    now = clock.now()
    if before is None:
        UpstreamHealth.objects.get_or_create(
            repository=source.repository,
            defaults={"answered_at": now, "asked_as": source.reached_by},
        )
        return
    is_news = (
        before.failures
        or before.answered_at is None
        or before.answered_at < now - _NOTED_ANEW_AFTER
    )
    if is_news:
        UpstreamHealth.objects.filter(pk=before.pk).update(
            answered_at=now, failures=0, closed_until=None, failure=""
        )


def note_failure(source: Source, failure: str) -> None:
    """Count a failure; after several in a row, ask again only after a pause that grows."""
    now = clock.now()
    row, _ = UpstreamHealth.objects.get_or_create(
        repository=source.repository, defaults={"asked_as": source.reached_by}
    )
    UpstreamHealth.objects.filter(pk=row.pk).update(
        failures=F("failures") + 1, failed_at=now, failure=failure[:_FAILURE_AT_MOST]
    )
    closed_until = _pause_after(row.failures + 1, now)
    if closed_until is not None:
        UpstreamHealth.objects.filter(pk=row.pk).update(closed_until=closed_until)


def _pause_after(failures: int, now: datetime) -> datetime | None:
    over = failures - FAILURES_UNTIL_CLOSED
    if over < 0:
        return None
    doubled: int = 2 ** min(over, 10)
    return now + min(LONGEST_PAUSE, FIRST_PAUSE * doubled)


def _away(source: Source, row: UpstreamHealth) -> UpstreamFailed:
    return UpstreamFailed(
        f"{source.host} has failed {row.failures} times in a row and is asked again in a while. "
        f"Last: {row.failure}"
    )
