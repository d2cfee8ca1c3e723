"""What this process holds of answers: visits that were let in, and what they were given.

An answer stays as long as nothing that it stands on has moved. When the contents of a repository
have (its serial), the database names the projects that changed, and the answers about all others
stay. It is asked once somebody wants an answer again: who resolves through a remote for the first
time moves its serial with each page, and wants none of them twice. When the settings of a
repository have moved (its epoch), all of its answers go.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from django.db import Error

from accounts import last_use
from accounts.principal import Principal
from base.connections import give_back
from base.stamps import Stamp
from packages.changes import names_changed_since
from packages.index.base import Ground
from packages.storage import Readable
from pypi.large_pages import LargePage, LargePages
from repos.lease import Present

K = TypeVar("K")
T = TypeVar("T")
# By what somebody showed, and where they came to.
WhoWhere = tuple[bytes, str]
Headers = list[tuple[str, str]]
# Of all answers held by a process. A page of five thousand files is two million of them.
_BYTES_AT_MOST = 32 * 1024 * 1024
# What an answer takes beside its body, and for each repository that it stands on.
_BESIDE = 4 * 1024
_FOR_EACH_STAMP = 300
# A visit takes 4 KiB, one to a virtual of sixty members 11.
CALLERS_AT_MOST = 5_000
# nginx would keep Cache-Control beside that of gunicorn, where it comes to ask it for the page.
CACHING_OF_A_LARGE_PAGE = "X-Larder-Cache-Control"
_salt = secrets.token_bytes(32)


class Place(NamedTuple):
    """Where the caller is, and all of who they are that an answer depends on."""

    repository_id: int
    scope: str
    is_anonymous: bool
    readable: frozenset[int]


Key = tuple[Place, str, str, bool, str]


@dataclass(slots=True)
class NotedUse:
    """When the use of what a principal shows was noted last, as far as this process knows."""

    at: datetime

    def note(self, principal: Principal, now: datetime) -> None:
        """Note it anew where the token's row may not know of this use yet."""
        if principal.token is not None and now - self.at >= last_use.AT_MOST_EVERY:
            self.at = now
            last_use.note_again(principal.token.token_id, now)


@dataclass(slots=True)
class Visit:
    """Somebody who was let in, with this very credential, to a repository."""

    principal: Principal
    place: Place
    access: Stamp
    # Of all that the place consists of: a virtual is another place when its members have changed.
    epochs: dict[int, int]
    stands_on: frozenset[int]
    use: NotedUse
    # The version of the present that said so; itself it has the stamps of many more repositories.
    true_in: int | None = None

    def is_still(self, present: Present, now: datetime) -> bool:
        """Say whether they would be let in now, to the same place."""
        if self.principal.has_ended(now):
            return False
        if self.true_in == present.version:
            return True
        stamps = present.stamps
        is_true = present.access == self.access and all(
            (stamp := stamps.get(each)) is not None and stamp.epoch == epoch
            for each, epoch in self.epochs.items()
        )
        if is_true:
            self.true_in = present.version
        return is_true


class Latest(Generic[K, T]):
    """The latest things to remember, as many as there may be at most."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._held: OrderedDict[K, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> T | None:
        """Return what is remembered under `key`."""
        return self._held.get(key)

    def hold(self, key: K, what: T) -> None:
        """Remember this in place of what was before."""
        with self._lock:
            self._held.pop(key, None)
            self._held[key] = what
            while len(self._held) > self._at_most:
                self._held.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget it."""
        with self._lock:
            self._held.pop(key, None)


def visitor(*shown: str) -> bytes:
    """Return a digest of what somebody shows; what they show is not in it."""
    said = "\n".join(shown).encode(errors="surrogateescape")
    return hashlib.blake2b(said, key=_salt, digest_size=16).digest()


@dataclass(slots=True)
class Held:
    """An answer as it went out, and what sends it again."""

    status: str
    headers: Headers
    body: bytes
    etag: str
    project: str  # empty: it is about all of them
    ground: Ground
    reopen: Callable[[], Readable] | None = None
    note: Callable[..., None] | None = None
    # Where nginx finds the body, in place of `body`.
    page: LargePage | None = None
    # What says that the caller has it, once that was said.
    not_modified: Headers | None = None
    true_in: int | None = None  # as of a visit
    asked_for_at: float | None = None  # by the present of who did

    def lay_down(self, pages: LargePages) -> None:
        """Have nginx send the body, if it is large."""
        page = pages.lay_down(self.body)
        if page is None:
            return
        told = [("X-Accel-Redirect", page.location), ("Content-Length", "0")]
        for name, value in self.headers:
            match name.lower():
                case "content-length":
                    pass
                case "cache-control":
                    told.append((CACHING_OF_A_LARGE_PAGE, value))
                case _:
                    told.append((name, value))
        self.headers = told
        self.page, self.body = page, b""

    @property
    def weight(self) -> int:
        """Return about how many bytes it takes, in memory or as a file."""
        size = self.page.size if self.page is not None else len(self.body)
        return _BESIDE + _FOR_EACH_STAMP * len(self.ground.stamps) + size


@dataclass(slots=True)
class _Known:
    """The latest state of a repository for which it was asked what has changed.

    A held answer is of this state or of a later one, or its name has not changed since its own.
    """

    stamp: Stamp
    since: float  # by the monotonic clock: no question that began before tells more
    keys: defaultdict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))


class HeldAnswers:
    """Answers by what was asked, those asked for the longest ago given up first."""

    def __init__(
        self, bytes_at_most: int = _BYTES_AT_MOST, large_pages: LargePages | None = None
    ) -> None:
        """Have nginx, which is to be in front then, send what is laid down as `large_pages`."""
        self._room = bytes_at_most
        self._large_pages = large_pages
        self._bytes = 0
        self._held: OrderedDict[Key, Held] = OrderedDict()
        self._known: dict[int, _Known] = {}
        self._lock = Lock()  # for moments
        self._catching_up = Lock()  # while the database is asked

    def get(
        self, key: Key, present: Present, now: datetime, *, catches_up: bool = True
    ) -> Held | None:
        """Return what is held under `key`, if it is true by the present stamps.

        If not `catches_up`, nothing is asked of the database, and what only it knows to be still
        true is not returned.
        """
        held = self._held.get(key)
        if held is None:
            return None
        if held.ground.until is not None and held.ground.until <= now:
            self._drop(key)
            return None
        if held.asked_for_at == present.asked_at:
            return held
        if held.true_in != present.version and not self._is_true(
            key, held, present, catches_up=catches_up
        ):
            return None
        with self._lock:
            if self._held.get(key) is not held:
                return None
            self._held.move_to_end(key)
        held.true_in, held.asked_for_at = present.version, present.asked_at
        return held

    def _is_true(self, key: Key, held: Held, present: Present, *, catches_up: bool) -> bool:
        """Say whether what `held` stands on is known as of now; it may have gone in finding out."""
        for each in held.ground.stamps:
            stamp, known = present.stamps.get(each), self._known.get(each)
            if stamp is None or known is None:
                self._drop(key)
                return False
            if known.stamp != stamp:
                if not catches_up:
                    return False
                self._catch_up(each, stamp, present.asked_at)
        return True

    def has_whole(self, key: Key) -> bool:
        """Say whether what is held under `key`, true or not, is in memory: most files are not."""
        held = self._held.get(key)
        return held is not None and held.reopen is None

    def at(self, key: Key) -> Held | None:
        """Return what is held under `key`, true or not."""
        return self._held.get(key)

    def hold(self, key: Key, held: Held, asked_at: float) -> None:
        """Hold an answer that stands on stamps which were read after `asked_at`."""
        if held.weight > self._room:
            return
        if self._large_pages is not None:
            held.lay_down(self._large_pages)
        with self._lock:
            for each, stamp in held.ground.stamps.items():
                known = self._known.setdefault(each, _Known(stamp, asked_at))
                if known.stamp != stamp and (
                    asked_at < known.since
                    or stamp.epoch < known.stamp.epoch
                    or stamp.serial < known.stamp.serial
                ):
                    return  # by now more may be known than when it was made
            self._take_out(key)
            self._held[key] = held
            self._bytes += held.weight
            for each in held.ground.stamps:
                self._known[each].keys[held.project].add(key)
            while self._bytes > self._room:
                self._take_out(next(iter(self._held)))

    def _catch_up(self, repository: int, stamp: Stamp, asked_at: float) -> None:
        """Give up what is no longer true now that a repository is known to be at `stamp`."""
        give_back()  # whoever waits here holds no connection that the one who asks may need
        with self._catching_up:
            known = self._known.get(repository)
            if known is None or known.stamp == stamp or asked_at < known.since:
                return
            names: dict[str, int] | None = None
            if known.stamp.epoch == stamp.epoch and known.stamp.serial < stamp.serial:
                names = _names_changed(repository, known.stamp.serial)
            with self._lock:
                for key in self._untrue(repository, known, stamp, names):
                    self._take_out(key)
                known.stamp, known.since = stamp, asked_at

    def _untrue(
        self, repository: int, known: _Known, stamp: Stamp, names: dict[str, int] | None
    ) -> list[Key]:
        """Return the answers that are not of `stamp`, by what has changed; None: anything may have.

        What was made after the latest change of its name stays; what is about all names, if it is
        of `stamp`.
        """
        if names is None:
            every = [key for keys in known.keys.values() for key in keys]
            return [key for key in every if self._held[key].ground.stamps[repository] != stamp]
        return [
            key
            for name, changed in {**names, "": stamp.serial}.items()
            for key in known.keys.get(name, ())
            if self._held[key].ground.stamps[repository].serial < changed
        ]

    def _drop(self, key: Key) -> None:
        with self._lock:
            self._take_out(key)

    def _take_out(self, key: Key) -> None:
        """Let go of an answer; the lock is held."""
        held = self._held.pop(key, None)
        if held is None:
            return
        self._bytes -= held.weight
        for each in held.ground.stamps:
            known = self._known.get(each)
            if known is None:
                continue
            known.keys[held.project].discard(key)
            if not known.keys[held.project]:
                del known.keys[held.project]


def _names_changed(repository: int, serial: int) -> dict[str, int] | None:
    """Return the names whose pages have changed after `serial`, and when; None: any may have."""
    try:
        return names_changed_since(repository, serial)
    except Error:  # whoever is answered by Django is told so
        return None
    finally:
        give_back()
