"""Tells whether what a process holds is still true: one small question for many requests.

The question is put to the primary, alike on every node, and no message has to reach anybody. A
request uses an answer whose question began after the request came, or less than a lease ago
(`base.stamps`): whoever has been answered that something was changed has waited that long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from threading import Condition

import structlog
from django.db import Error

from base.stamps import LEASE_SECONDS, Stamp
from repos.stamp_questions import ANSWERED_WITHIN_SECONDS, StampsInDatabase
from repos.stamps import Answered

log = structlog.get_logger(__name__)

# A repository is asked about for so long after somebody wanted it, so that whoever comes within a
# lease finds it answered.
_WANTED_FOR_SECONDS = 1.0
# The part of a lease after which the next question is sent, so that its answer is there in time.
AHEAD = 0.75
# Where a question takes longer than its answer serves, everybody who comes waits for one of their
# own, unless they wait together.
_QUICK_SECONDS = LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Present:
    """What the stamps were at a moment that began at `asked_at`, by the monotonic clock."""

    asked_at: float
    about: frozenset[int]
    access: Stamp
    stamps: Mapping[int, Stamp]  # a repository that is not there has none
    # Of two presents of one lease with the same, the stamps are the same.
    version: int


# Sends a question and returns what waits for the answer; None: only asking will do.
Begin = Callable[[Collection[int]], Callable[[], Answered] | None]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A question that was sent and whose answer nobody has waited for."""

    asked_at: float
    about: frozenset[int]
    answer: Callable[[], Answered]


class StampsUnknown(Exception):
    """The database does not answer, or not in time."""


class Lease:
    """The stamps as of now, for all threads of a process. One question is on its way at a time."""

    def __init__(
        self,
        ask: Callable[[Collection[int]], Answered],
        *,
        begin: Begin | None = None,
        seconds: float = LEASE_SECONDS,
    ) -> None:
        """Take what asks the database, and what begins to; never called by two threads at once.

        Where it returns the object that it returned before, nothing has changed since.
        """
        self._ask = ask
        self._begin = begin
        self._begun: _Begun | None = None
        self._seconds = seconds
        self._latest: Present | None = None
        self._said: Answered | None = None
        self._version = 0
        self._wanted: dict[int, float] = {}
        self._is_asking = False
        self._is_answered = True
        self._is_quick = False
        self._rests_until = 0.0
        self._waiting = Condition()

    @classmethod
    def in_database(cls) -> Lease:
        """Return the lease of a process that serves: by one connection that is its own."""
        stamps = StampsInDatabase()
        return cls(stamps, begin=stamps.begin)

    def present(self, repositories: frozenset[int], *, is_hurried: bool = False) -> Present:
        """Return the stamps of at least these repositories. Raises StampsUnknown.

        If `is_hurried`, neither a connection nor another caller is waited for, and the database
        only where the last question was answered quickly.
        """
        arrived = time.monotonic()
        latest = self._latest
        if latest is None or not self._serves(latest, arrived, repositories):
            if is_hurried and (self._is_asking or not self._is_quick):
                raise StampsUnknown
            return self._asked(arrived, repositories, is_hurried=is_hurried)
        if arrived - latest.asked_at > self._seconds * AHEAD:
            self._ask_ahead()
        return latest

    def _ask_ahead(self) -> None:
        """Send the next question while the answer to the last one serves: nobody waits for it."""
        if self._begin is None or self._begun is not None:
            return
        with self._waiting:
            if self._is_asking or self._begun is not None:
                return
            self._is_asking = True
            asked_at = time.monotonic()
            about = self._still_wanted(asked_at)
        begun: _Begun | None = None
        try:
            answer = self._begin(about)
            begun = None if answer is None else _Begun(asked_at, about, answer)
        except Error:
            pass  # who comes next asks, and is told
        finally:
            with self._waiting:
                self._begun = begun
                self._is_asking = False
                self._waiting.notify_all()

    def _asked(self, arrived: float, repositories: frozenset[int], *, is_hurried: bool) -> Present:
        if arrived < self._rests_until:
            raise StampsUnknown
        with self._waiting:
            for each in repositories:
                self._wanted[each] = arrived
            while self._is_asking:
                if is_hurried:
                    raise StampsUnknown
                latest = self._heard_by_another(arrived)
                if self._serves(latest, arrived, repositories):
                    return latest
            self._is_asking = True
            begun, self._begun = self._begun, None
            about = repositories.union(self._still_wanted(arrived))
        found: Present | None = None
        waits_since = time.monotonic()
        try:
            found = self._told(begun, about, arrived, repositories)
        except Error as error:
            if self._is_answered:  # said once: until the next answer everybody is told the same
                log.warning("the database does not tell the stamps", reason=str(error))
            self._rest(arrived)
            raise StampsUnknown from error
        finally:
            with self._waiting:
                if found is not None:
                    self._rests_until = 0.0
                took = time.monotonic() - waits_since
                self._is_answered = found is not None
                self._is_quick = found is not None and took < _QUICK_SECONDS
                self._latest = found
                self._is_asking = False
                self._waiting.notify_all()
        return found

    def _heard_by_another(self, arrived: float) -> Present:
        """Wait until the one who asks is answered; the lock is held. Raises StampsUnknown."""
        left = arrived + ANSWERED_WITHIN_SECONDS - time.monotonic()
        if not self._waiting.wait(max(0.0, left)):
            self._rest(arrived)
            raise StampsUnknown
        if self._latest is None:  # whoever asked was not answered; why, they say
            raise StampsUnknown
        return self._latest

    def _told(
        self,
        begun: _Begun | None,
        about: frozenset[int],
        arrived: float,
        repositories: frozenset[int],
    ) -> Present:
        """Return what was asked ahead, where that serves, or ask. Raises django.db.Error."""
        if begun is not None:
            told = self._found(begun.asked_at, begun.about, begun.answer())
            if self._serves(told, arrived, repositories):
                return told
        asked_at = time.monotonic()
        return self._found(asked_at, about, self._ask(about))

    def _found(self, asked_at: float, about: frozenset[int], said: Answered) -> Present:
        if said is not self._said:
            self._said = said
            self._version += 1
        return Present(asked_at, about, *said, self._version)

    def _still_wanted(self, now: float) -> frozenset[int]:
        """Return what somebody has wanted lately, and forget the rest; the lock is held."""
        self._wanted = {
            each: at for each, at in self._wanted.items() if now - at < _WANTED_FOR_SECONDS
        }
        return frozenset(self._wanted)

    def _rest(self, since: float) -> None:
        """Keep nobody waiting who comes within as long as it took to hear nothing."""
        failed_at = time.monotonic()
        self._rests_until = failed_at + (failed_at - since)

    def _serves(self, latest: Present, arrived: float, repositories: frozenset[int]) -> bool:
        is_of_now = arrived - latest.asked_at < self._seconds
        return is_of_now and latest.about.issuperset(repositories)
