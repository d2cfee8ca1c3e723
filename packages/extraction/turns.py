"""A worker's turn at extracting in one repository: taken, kept, and ended by compare-and-set.

A turn is a random fence in the repository's state row with a short lease. A worker that dies
stops renewing it, and the next one takes the repository over; only the holder of the fence may
write what it has read. Where a turn ends, what is due next is read from the rows, under the lock
that every upload takes: nothing that came meanwhile is forgotten, whatever messages were lost.
"""

from __future__ import annotations

import enum
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import Error, connection, transaction
from django.db.models import Q, QuerySet

from base import clock
from packages.models import Distribution
from repos.models import Repository, RepositoryState
from repos.quiet import begins_after
from repos.stamps import locked_state

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
# How long what could not be read waits before it is tried again.
TRIED_AGAIN_AFTER = timedelta(seconds=60)
_LOOKED_AT = 20
_RENEWED_AFTER = LEASE / 3


class TurnLost(Exception):
    """Another worker has taken the repository over: what was read here is dropped."""


class Ended(enum.Enum):
    """How a turn ended."""

    TRIED_ALL = "all that waited when it began was tried"
    MORE_LEFT = "there was more than one turn may do"
    SOMETHING_AWAY = "storage, or what reads archives, cannot be had now"


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to extract in one repository, as long as the fence is its own."""

    repository: Repository
    fence: str
    began: datetime

    def keep(self) -> None:
        """Renew the lease, or raise TurnLost. Within a transaction: its compare-and-set."""
        until = clock.now() + LEASE
        if not self._state().update(extraction_lease_until=until):
            raise TurnLost

    def kept_along(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield `chunks`, and renew the lease now and then where they take long."""
        renewed = clock.now()
        for chunk in chunks:
            if clock.now() >= renewed + _RENEWED_AFTER:
                self.keep()
                renewed = clock.now()
            yield chunk

    @contextmanager
    def kept_meanwhile(self) -> Iterator[None]:
        """Renew the lease from a thread of its own: a single archive may be read for minutes."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._beat, args=[is_over], name="turn", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _beat(self, is_over: threading.Event) -> None:
        try:
            while not is_over.wait(_RENEWED_AFTER.total_seconds()):
                self.keep()
        except TurnLost:
            pass  # whoever reads hears of it when the result is written
        except Error:  # the lease may run out; nothing is written twice for that
            log.warning("a turn was not renewed", of=str(self.repository), exc_info=True)
        finally:
            connection.close()

    def end(self, how: Ended) -> None:
        """Let go of the repository and say when there is something to do again, if ever."""
        with transaction.atomic():
            state = locked_state(self.repository.pk)
            if state.extraction_fence != self.fence:
                return
            state.extraction_fence, state.extraction_lease_until = "", None
            _set_next(state, how, self.repository)
            state.save()

    def _state(self) -> QuerySet[RepositoryState]:
        return RepositoryState.objects.filter(
            repository=self.repository, extraction_fence=self.fence
        )


def take_turn() -> Turn | None:
    """Return a turn at a repository where extraction is due and nobody is at it; None for none."""
    now = clock.now()
    is_free = Q(extraction_lease_until__isnull=True) | Q(extraction_lease_until__lte=now)
    due = RepositoryState.objects.filter(
        is_free, extract_after__lte=now, repository__deleted_at__isnull=True
    )
    looked_at = due.select_related("repository__tenant").order_by("extract_after")[:_LOOKED_AT]
    for state in looked_at:
        fence = secrets.token_hex(16)
        same = RepositoryState.objects.filter(
            is_free, pk=state.pk, extraction_generation=state.extraction_generation
        )
        if same.filter(extract_after__lte=now).update(
            extraction_fence=fence, extraction_lease_until=now + LEASE
        ):
            return Turn(state.repository, fence, now)
    return None


def pending(repository: Repository) -> QuerySet[Distribution]:
    """Return the files that wait to be extracted, those first that were tried least."""
    rows = Distribution.objects.filter(
        repository=repository,
        extraction=Distribution.Extraction.PENDING,
        deleted_at__isnull=True,
    )
    return rows.order_by("extraction_attempts", "pk")


def _set_next(state: RepositoryState, how: Ended, repository: Repository) -> None:
    """Set when extraction is due next, in the locked state of a repository without a turn."""
    now = clock.now()
    match how:
        case Ended.MORE_LEFT:
            # What was tried before waits, however much of it there is.
            is_new = pending(repository).filter(extraction_attempts=0).exists()
            state.extract_after = now if is_new else now + TRIED_AGAIN_AFTER
        case Ended.SOMETHING_AWAY:
            state.extract_after = now + TRIED_AGAIN_AFTER
        case Ended.TRIED_ALL:
            # What was not tried has come since the turn began.
            new = pending(repository).filter(extraction_attempts=0)
            first, last = new.first(), new.last()
            state.oldest_pending_at = first.uploaded_at if first is not None else None
            due = []
            if first is not None and last is not None:
                quiet = timedelta(seconds=repository.quiet_period)
                begins = begins_after(last.uploaded_at, first.uploaded_at, quiet)
                due.append(max(state.extract_after or begins, begins))
            if pending(repository).filter(extraction_attempts__gt=0).exists():
                due.append(now + TRIED_AGAIN_AFTER)
            state.extract_after = min(due, default=None)
