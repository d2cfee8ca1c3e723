"""The WSGI application of the edge: repeated reads, answered before gunicorn, behind nginx.

    granian --interface wsgi portal.edge:application

nginx sends it what installers read (deploy/nginx.conf). It answers what the hot lane holds, and
what Django says may be held; for everything else nginx is told to ask gunicorn, which has reason
phrases, and threads that may wait for passwords and upstreams. So a refusal is never the edge's
own, and is counted once: where it is answered. Decision 0017.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from django.conf import settings
from django.db import connections

from portal.serving import django, keep_notes

# After Django is set up: they need its apps.
from accounts import tokens  # isort: skip
from accounts.authentication import SHOWN_IN, CredentialsRefused, credentials_in  # isort: skip
from pypi.held_answers import Headers, HeldAnswers, Latest
from pypi.hot_lane import Failure, HotLane, is_offered, known_caller, shown_in
from pypi.large_pages import LargePages
from repos.lease import Lease
from repos.models import Kind

log = structlog.get_logger(__name__)

# The named location of deploy/nginx.conf that asks gunicorn.
_ASK_GUNICORN = [("X-Accel-Redirect", "@app"), ("Content-Length", "0")]

_SECONDS_AT_MOST = 2
_REMEMBERED = 20_000

# Of remotes and virtuals, whatever became of it.
_asked_before = Latest[tuple[int, str], bool](_REMEMBERED)

# What it refuses gunicorn is asked for, and tells of.
logging.getLogger("django.request").setLevel(logging.ERROR)
settings.WRONG_TOKENS_ARE_COUNTED = False
settings.UPSTREAM_WAITERS = 0
if connections["default"].vendor == "postgresql":
    # All pages wait for the one thread: what takes longer, gunicorn is asked.
    _options = connections.settings["default"]["OPTIONS"]
    _timeout = f"-c statement_timeout={_SECONDS_AT_MOST}s"
    _options["options"] = f"{_options.get('options', '')} {_timeout}".strip()
    _options["connect_timeout"] = _options["pool"]["timeout"] = _SECONDS_AT_MOST


def handed_on(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Tell nginx to ask gunicorn."""
    start_response("200 OK", list(_ASK_GUNICORN))
    return []  # granian sends a list at once, and all else in turns


def may_be_held(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Return Django's answer where others may be given it as well; hand on everything else."""
    if not _is_for_here(environ) or _is_news_of_others(environ):
        return handed_on(environ, start_response)
    begun: list[tuple[str, Headers, Failure | None]] = []

    def begin(
        status: str, headers: Headers, failure: Failure | None = None, /
    ) -> Callable[[bytes], object]:
        begun.append((status, headers, failure))
        return _write_nothing

    body = django(environ, begin)
    if is_offered(environ) and begun:
        start_response(*begun[-1])
        return body
    if hasattr(body, "close"):
        body.close()
    return handed_on(environ, start_response)


def _is_for_here(environ: WSGIEnvironment) -> bool:
    """Say whether Django can answer without a password and without streaming a file."""
    path = environ["PATH_INFO"]
    is_streamed = "/files/" in path and not path.endswith((".metadata", ".provenance"))
    if is_streamed and not settings.ACCEL_PREFIX:
        return False
    try:
        credentials = credentials_in(dict(zip(SHOWN_IN, shown_in(environ), strict=True)))
    except CredentialsRefused:
        return False
    return credentials is None or tokens.looks_like_one(credentials.secret)


def _is_news_of_others(environ: WSGIEnvironment) -> bool:
    """Say whether upstream may have to be asked for this: nobody known here has asked for it yet.

    Django would find out here that it must not wait for upstream, and in gunicorn all of it again.
    """
    caller = known_caller(environ)
    where = caller.repository if caller is not None else None
    if where is None or where.kind == Kind.LOCAL:
        return False
    what = (where.pk, environ["PATH_INFO"])
    is_new = _asked_before.get(what) is None
    _asked_before.hold(what, True)
    return is_new


def _write_nothing(_: bytes) -> None:
    """Be what WSGI wants of `start_response`; Django does not use it."""


def _large_pages() -> LargePages | None:
    """Return where nginx finds large pages; None: it is to have them from here."""
    config = settings.CONFIG
    if not config.pages_prefix:
        return None
    try:
        return LargePages(config.large_pages, config.pages_prefix)
    except OSError:
        log.warning("no_folder_for_large_pages", exc_info=True)
        return None


keep_notes()
application = HotLane(
    may_be_held,
    Lease.in_database(),
    HeldAnswers(large_pages=_large_pages()),
    others=handed_on,
)
