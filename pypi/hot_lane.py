"""The hot lane: answers what was answered before, while it is still so, and asks Django otherwise.

A WSGI callable in front of Django. It knows no rule: every answer in it was Django's, whole, and
is given again only where three things hold. The caller is one whom Django let in by the same
credential to the same repository, and nobody's rights have changed since. The address and what was
asked for are the same, and what the answer stands on (`packages.index.base.Ground`) has not moved.
What is not like that, Django answers.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import BoundedSemaphore, Event
from types import TracebackType
from typing import Any, NamedTuple
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper

from django.conf import settings
from django.http import HttpResponse
from packaging.utils import canonicalize_name

from accounts.authentication import SHOWN_IN
from accounts.principal import Principal
from base import clock
from base.errors import LarderError
from base.slugs import RESERVED_TENANT_SLUGS, SLUG_PATTERN
from base.stamps import Stamp
from packages.index.base import Ground
from pypi.answer import SAFE_METHODS, Answer, Ask, names_etag
from pypi.held_answers import (
    CALLERS_AT_MOST,
    Headers,
    Held,
    HeldAnswers,
    Key,
    Latest,
    NotedUse,
    Place,
    Visit,
    WhoWhere,
    visitor,
)
from pypi.negotiate import simple_type, takes_gzip
from repos import client_calls
from repos.lease import Lease, Present, StampsUnknown
from repos.models import Kind, Repository, RepositoryState

_OFFER = "larder.offer"
_CALLER = "larder.caller"
_BLOCK = 1024 * 1024
_URL = re.compile(
    rf"/({SLUG_PATTERN}/{SLUG_PATTERN})/"
    r"(simple/|simple/([^/]+)/|files/([^/]+)/[0-9a-f]{64}/[^/]+)"
)
# What makes Django's answer another one.
_NOT_KNOWN_HERE = (
    "HTTP_RANGE",
    "HTTP_IF_RANGE",
    "HTTP_IF_MODIFIED_SINCE",
    # Nor ours: but nginx heeds them of a page that it sends.
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_VIA",
    "HTTP_TRANSFER_ENCODING",
    # Beside credentials too: some of them are none, and then the session counts. What Django takes
    # amiss in a cookie it replaces, with an answer that is for that browser alone.
    "HTTP_COOKIE",
    "QUERY_STRING",
    # Links would be below it.
    "SCRIPT_NAME",
)
_SHOWN_IN = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in SHOWN_IN)
_EACH_ITS_OWN = frozenset({"x-request-id", "date"})
Failure = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
# Clients ask for the same pages with the same few headers all day. Longer ones are no client's.
_REMEMBERED, _LONG = 2048, 2000
_REPOSITORIES_AT_MOST = 1000
_FOR_ANOTHER_SECONDS = 1.0  # a remote beneath a virtual may be waited for
_OF_ALL_THREADS = 4  # one may wait for another caller's page


@dataclass(frozen=True, slots=True)
class _Offer:
    """What Django's view says of who was let in, and of an answer that others may be given too."""

    principal: Principal
    repository: Repository
    ground: Ground
    answer: Answer | None


def offer(environ: MutableMapping[str, Any], ask: Ask, answer: Answer) -> None:
    """Let the hot lane, if there is one, know who was let in, and have an answer that may be held.

    Whom a virtual lets in is known with an answer alone, which tells what beneath it they may read.
    """
    repository, ground = ask.known_readable, answer.ground
    if repository is None or not ask.principal.is_remembered:
        return
    if ground is not None:
        environ[_OFFER] = _Offer(ask.principal, repository, ground, answer)
    elif repository.kind != Kind.VIRTUAL:
        ground = Ground.of(repository, ask.scope)
        environ[_OFFER] = _Offer(ask.principal, repository, ground, None)


def is_offered(environ: WSGIEnvironment) -> bool:
    """Say whether the view that has answered offers its answer."""
    offered: _Offer | None = environ.get(_OFFER)
    return offered is not None and offered.answer is not None


class Caller(NamedTuple):
    """Somebody whom Django let in before by what this request shows, and would let in now."""

    principal: Principal
    repository: Repository | None  # as it is now; None: that is to be read
    # The present that said so: Django asks for none of it, so what it answers is of then.
    access: Stamp
    asked_at: float


def known_caller(environ: Mapping[str, Any]) -> Caller | None:
    """Return who comes, where the lane knows."""
    return environ.get(_CALLER)


class _What(NamedTuple):
    """What is wanted within a repository: links are made of the way, too."""

    rest: str  # of the path
    kind: str  # the type of a page; empty: it is no page
    is_packed: bool
    way: str


class Asked(NamedTuple):
    """A request that may have been answered before."""

    visitor: bytes  # who comes, by what they show, and by which way; what they show is not in it
    repository: str  # as the URL names it
    project: str
    what: _What


@dataclass(slots=True)
class _Coming:
    """What Django is asked for, while it is."""

    made: Event = field(default_factory=Event)
    is_held: bool = False  # once it is made


class HotLane:
    """Stands in front of Django; see the module."""

    # Of the environ, by `at_once`.
    needed_at_once = ("REQUEST_METHOD", "HTTP_IF_NONE_MATCH", "HTTP_USER_AGENT")

    def __init__(
        self,
        django: WSGIApplication,
        lease: Lease,
        answers: HeldAnswers,
        others: WSGIApplication | None = None,
    ) -> None:
        """Take what answers at first, what knows the stamps, and where answers are held.

        `others` answers what is never held; None: Django does.
        """
        self._django = django
        self._others = others or django
        self._lease = lease
        self._answers = answers
        self._visits = Latest[WhoWhere, Visit](CALLERS_AT_MOST)
        # What Django is making at this moment, and others wait for.
        self._coming: dict[Key, _Coming] = {}
        self._waiters = BoundedSemaphore(max(1, settings.CONFIG.web_threads // _OF_ALL_THREADS))
        # As Django has read them last, with all that their epochs vouch for.
        self._repositories = Latest[int, Repository](_REPOSITORIES_AT_MOST)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        asked = self.asked_in(environ)
        if asked is None:
            return self._others(environ, start_response)
        until = time.monotonic() + _FOR_ANOTHER_SECONDS
        try:
            while True:
                body = self._again(asked, environ, start_response)
                if body is not None:
                    return body
                with self._in_turn(asked, environ, until) as is_ours:
                    if is_ours:
                        return self._learned(asked, environ, start_response)
        except StampsUnknown:
            return self._others(environ, start_response)

    @staticmethod
    def asked_in(environ: WSGIEnvironment) -> Asked | None:
        """Return what is asked; None: nothing that the lane answers.

        Of the same request from the same address that is always the same.
        """
        said = environ.get
        if environ["REQUEST_METHOD"] not in SAFE_METHODS or any(map(said, _NOT_KNOWN_HERE)):
            return None
        way = _way(environ)
        try:
            wanted = _wanted(
                said("PATH_INFO", ""),
                said("HTTP_ACCEPT", ""),
                said("HTTP_ACCEPT_ENCODING", ""),
                way,
            )
        except _NotForHere:
            return None
        return Asked(visitor(way, *shown_in(environ)), *wanted)

    def at_once(
        self, asked: Asked, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Answer what is held in memory, and true by stamps that are known, or will be in no time.

        None: nothing was begun, and answering may take longer. Of `environ` it is enough to have
        what is `needed_at_once`, and nothing that whoever asks has shown.
        """
        try:
            return self._again(asked, environ, start_response, is_hurried=True)
        except StampsUnknown:
            return None

    @contextmanager
    def _in_turn(self, asked: Asked, environ: WSGIEnvironment, until: float) -> Iterator[bool]:
        """Let Django make a page once for all who wait for it; say whether it is ours to ask.

        Not one of a remote: who asks upstream is waited for there. And only so many wait.
        """
        visit = self._visits.get((asked.visitor, asked.repository))
        where = self._repositories.get(visit.place.repository_id) if visit is not None else None
        is_page = asked.what.kind and environ["REQUEST_METHOD"] == "GET"
        if visit is None or where is None or where.kind == Kind.REMOTE or not is_page:
            yield True
            return
        key, mine = (visit.place, *asked.what), _Coming()
        coming = self._coming.setdefault(key, mine)
        if coming is not mine:
            yield not self._waited_for(coming, until)
            return
        try:
            yield True
        finally:
            mine.is_held = self._answers.at(key) is not None
            del self._coming[key]
            mine.made.set()

    def _waited_for(self, coming: _Coming, until: float) -> bool:
        """Wait for what Django makes for another caller; say whether we may be given it too."""
        if not self._waiters.acquire(blocking=False):
            return False
        try:
            return coming.made.wait(max(0.0, until - time.monotonic())) and coming.is_held
        finally:
            self._waiters.release()

    def _again(
        self,
        asked: Asked,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        *,
        is_hurried: bool = False,
    ) -> Iterable[bytes] | None:
        """Give what is held, if there is such. Raises StampsUnknown."""
        environ.pop(_CALLER, None)  # who came may be somebody else by now
        visit = self._visits.get((asked.visitor, asked.repository))
        if visit is None:
            return None
        key = (visit.place, *asked.what)
        if is_hurried and not self._answers.has_whole(key):
            return None
        present = self._lease.present(visit.stands_on, is_hurried=is_hurried)
        now = clock.now()
        if not visit.is_still(present, now):
            self._visits.drop((asked.visitor, asked.repository))
            return None
        held = self._answers.get(key, present, now, catches_up=not is_hurried)
        given = _given(held, environ, start_response) if held is not None else None
        if held is None or given is None:
            if not is_hurried:  # Django, which is to answer, need not find it out again
                repository = self._repositories.get(visit.place.repository_id)
                environ[_CALLER] = Caller(
                    visit.principal,
                    _as_it_is(repository, present),
                    present.access,
                    present.asked_at,
                )
                visit.use.note(visit.principal, now)
            return None
        _note_call(visit, asked, environ, now)
        if held.note is not None and given.is_whole:
            held.note(by=visit.principal)
        return given.body

    def _learned(
        self, asked: Asked, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Return Django's answer, and hold it if it may be given again."""
        # Before anybody is asked who may do what.
        before = known_caller(environ) or self._lease.present(frozenset())
        begun: list[tuple[str, Headers]] = []

        def begin(
            status: str, headers: Headers, failure: Failure | None = None, /
        ) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return start_response(status, headers, failure)

        body = self._django(environ, begin)
        offered: _Offer | None = environ.pop(_OFFER, None)
        if offered is None or environ["REQUEST_METHOD"] != "GET" or not begun:
            return body
        self._hold(asked, offered, before, begun[-1], body)
        return body

    def _hold(
        self,
        asked: Asked,
        offered: _Offer,
        before: Present | Caller,
        begun: tuple[str, Headers],
        body: Iterable[bytes],
    ) -> None:
        ground, who_where = offered.ground, (asked.visitor, asked.repository)
        known = self._visits.get(who_where)
        place = Place(
            ground.repository_id,
            ground.scope,
            offered.principal.is_anonymous,
            ground.readable,
        )
        visit = Visit(
            principal=offered.principal,
            place=place,
            access=before.access,
            epochs={each: stamp.epoch for each, stamp in ground.stamps.items()},
            stands_on=frozenset(ground.stamps),
            use=known.use if known is not None else NotedUse(clock.now()),
        )
        self._visits.hold(who_where, visit)
        self._repositories.hold(offered.repository.pk, offered.repository)
        if (answer := offered.answer) is None:
            return
        (status, headers), reopen, key = begun, answer.reopen, (place, *asked.what)
        kept = [_header(*each) for each in headers if each[0].lower() not in _EACH_ITS_OWN]
        etag = answer.headers.get("ETag", "")
        if status.startswith("304"):
            held = self._answers.at(key)
            if held is not None and held.etag == etag:
                held.not_modified = kept
        elif status.startswith("200") and (reopen is not None or isinstance(body, HttpResponse)):
            held = Held(
                status=status,
                headers=kept,
                body=body.content if isinstance(body, HttpResponse) else b"",
                etag=etag,
                project=canonicalize_name(asked.project),
                ground=ground,
                reopen=reopen,
                note=answer.note,
            )
            self._answers.hold(key, held, before.asked_at)


@lru_cache(maxsize=_REMEMBERED)
def _header(name: str, value: str) -> tuple[str, str]:
    """Return a header; one for all answers that have it, as most of them have the same."""
    return name, value


def _as_it_is(held: Repository | None, present: Present) -> Repository | None:
    """Return a repository for one caller, if it was read under the settings that it has now."""
    stamp = present.stamps.get(held.pk) if held is not None else None
    if held is None or stamp is None or held.state.epoch != stamp.epoch:
        return None
    found = copy(held)
    found.state = RepositoryState(repository=found, **asdict(stamp))
    return found


def shown_in(environ: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what who comes shows of themselves, in the order of `SHOWN_IN`."""
    return tuple([environ.get(name, "") for name in _SHOWN_IN])


class _NotForHere(Exception):
    """The lane does not answer this; it is not remembered either."""


@lru_cache(maxsize=_REMEMBERED)
def _wanted(path: str, accept: str, accept_encoding: str, way: str) -> tuple[str, str, _What]:
    """Return repository, project and the rest of what is wanted, as in `Asked`."""
    found = _URL.fullmatch(path)
    if found is None or len(path) + len(accept) + len(accept_encoding) + len(way) > _LONG:
        raise _NotForHere
    repository, rest, of_page, of_file = found.groups()
    if repository.partition("/")[0] in RESERVED_TENANT_SLUGS:
        raise _NotForHere
    kind = simple_type(accept) if of_file is None else ""
    what = _What(rest, kind, takes_gzip(accept_encoding), way)
    return repository, of_page or of_file or "", what


def _way(environ: WSGIEnvironment) -> str:
    """Return by which scheme and host name somebody comes, as far as they or a proxy say."""
    # Whoever says that they came by https: whether their word counts, Django knows. Other words say
    # nothing, and are not held: anybody can send any.
    is_said = environ.get("HTTP_X_FORWARDED_PROTO", "").lower() == "https"
    said_by = environ.get("REMOTE_ADDR", "") if is_said else ""
    return "\n".join((environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""), said_by))


class _Given(NamedTuple):
    """What was begun to be sent."""

    body: Iterable[bytes]  # in a list what is there: granian sends that at once, all else in turns
    is_whole: bool


def _given(held: Held, environ: WSGIEnvironment, start_response: StartResponse) -> _Given | None:
    """Begin the answer; None: Django is to answer this time."""
    # As the middleware's, and no secret either: the system's own chance would take longer.
    number = ("X-Request-Id", f"{random.getrandbits(48):012x}")
    is_wanted = environ["REQUEST_METHOD"] == "GET"
    sent = environ.get("HTTP_IF_NONE_MATCH", "")
    if sent and names_etag(sent, held.etag):
        if held.not_modified is None:
            return None
        start_response("304 Not Modified", [*held.not_modified, number])
        return _Given([], is_whole=False)
    if held.reopen is None or not is_wanted:
        start_response(held.status, [*held.headers, number])
        return _Given([held.body] if is_wanted else [], is_whole=is_wanted)
    try:
        stream = held.reopen()
    except LarderError:
        return None  # Django says why
    start_response(held.status, [*held.headers, number])
    wrapper = environ.get("wsgi.file_wrapper", FileWrapper)
    return _Given(wrapper(stream, _BLOCK), is_whole=True)


def _note_call(visit: Visit, asked: Asked, environ: WSGIEnvironment, now: datetime) -> None:
    """Remember what Django's view would of this request."""
    principal = visit.principal
    if principal.token is not None:
        visit.use.note(principal, now)
        tenant, _, key = asked.repository.partition("/")
        agent = environ.get("HTTP_USER_AGENT", "")
        client_calls.note(principal, tenant, key, user_agent=agent, project=asked.project)
