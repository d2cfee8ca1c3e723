"""Tells "this project is not there" from "the index is not there".

At 404 installers go on to the next index and take a stranger's file. So upstream's 404 counts
only while the index itself answers.
"""

from __future__ import annotations

import threading
import time

from packages.filenames import NormalizedName
from packages.models import UpstreamPage
from packages.upstream import connection
from packages.upstream.errors import UpstreamFailed
from packages.upstream.pages import ACCEPT
from packages.upstream.source import Source

_REMEMBERED_FOR = 60.0  # seconds
_REMEMBERED_AT_MOST = 1000
_SECONDS = 30.0
_LOOKED_AT = 20  # pages, for one that is not left out by now
# "It is there": also that it does not list its projects, or not for HEAD.
_THERE = frozenset({200, 204, 304, 405, 501})
_GONE = frozenset({404, 410})

_seen: dict[str, float] = {}
_lock = threading.Lock()


def index_answers(source: Source) -> bool:
    """Say whether the index behind `source` is there now; asked at most once a minute."""
    key = source.root_url
    with _lock:
        if time.monotonic() - _seen.get(key, -_REMEMBERED_FOR) < _REMEMBERED_FOR:
            return True
    try:
        status = _status(source, source.root_url)
        there = status in _THERE
        if status in _GONE and not source.is_flat and (name := a_served_name(source)):
            # A static index may have no root at all: then a page of it tells.
            there = _status(source, source.page_url(name)) in _THERE
    except UpstreamFailed:
        return False
    if there:
        index_answered(source)
    return there


def index_answered(source: Source) -> None:
    """Remember that the index has just answered."""
    with _lock:
        if len(_seen) >= _REMEMBERED_AT_MOST:
            _seen.clear()
        _seen[source.root_url] = time.monotonic()


def forget() -> None:
    """Forget who has answered."""
    with _lock:
        _seen.clear()


def _status(source: Source, url: str) -> int:
    headers = {"Accept": ACCEPT}
    return connection.ask(source, url, headers, limit=0, seconds=_SECONDS, method="HEAD").status


def a_served_name(source: Source) -> NormalizedName | None:
    """Return the project whose page upstream served last, of those that it may be asked for."""
    rows = UpstreamPage.objects.filter(
        repository=source.repository, scope=source.scope, is_served=True
    ).exclude(normalized="")
    names = rows.order_by("-answered_at").values_list("normalized", flat=True)[:_LOOKED_AT]
    return next((NormalizedName(n) for n in names if source.upstream.may_ask_for(n)), None)
