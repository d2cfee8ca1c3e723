"""Tries an upstream out, and says exactly what is wrong with it: the "test connection" button.

Installers ask for one project's page, and then for one of its files: so does the trial.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from packages.filenames import NormalizedName, shown
from packages.upstream import connection
from packages.upstream.asking import PAGE_BYTES_AT_MOST, require_answer
from packages.upstream.errors import UpstreamFailed, UpstreamRefused, UpstreamUnreadable
from packages.upstream.links import Document, Line
from packages.upstream.pages import ACCEPT, is_json, read_html, read_json_list, read_page
from packages.upstream.presence import a_served_name, index_answers
from packages.upstream.receiving import naming_the_setting
from packages.upstream.source import Source
from packages.upstream.waiting import waiting
from repos.models import Repository, Upstream

_LIST_BYTES_AT_MOST = 512 * 1024 * 1024
_BEGINNING = 1024 * 1024
_SECONDS = 60.0
_NOBODYS = NormalizedName("larder-asks-for-what-nobody-has")
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one question: a sentence, and whether it can be used."""

    works: bool
    says: str


def check_upstream(repository: Repository, upstream: Upstream, scope: str = "") -> list[Trial]:
    """Ask `upstream`, saved or not, for a page and one of its files, and say what it answers.

    The answer names the address that is refused, the name that is not found, the connection, TLS,
    the credentials, a redirect, or that what answers is no index.
    """
    source = Source(repository, upstream, scope)
    try:
        with waiting():  # a silent index holds a thread for long
            says, document = _asked(source)
            return [Trial(works=True, says=says), _file_of(source, document)]
    except UpstreamFailed as failure:
        return [Trial(works=False, says=failure.sentence)]


def asked_page(source: Source, project: NormalizedName, *, seconds: float) -> Document | None:
    """Return what upstream says of `project`, keeping nothing; None where it has no such page."""
    headers = {"Accept": ACCEPT}
    url, limit = source.page_url(project), PAGE_BYTES_AT_MOST
    reply = connection.ask(source, url, headers, limit=limit, seconds=seconds)
    require_answer(source, reply.status)
    if reply.status in _GONE:
        return None
    try:
        return read_page(reply, project)
    except UpstreamUnreadable as unreadable:
        raise _unreadable(source, unreadable, reply.url if reply.url != url else "") from None


def _asked(source: Source) -> tuple[str, Document | None]:
    """Return what is to be said of the pages, and one of them, if one is known by name."""
    name = a_served_name(source)
    if name and (document := asked_page(source, name, seconds=_SECONDS)):
        return f"{source.host} has a page of {name}, with {len(document.lines)} files.", document
    if not source.is_flat and _has_not(source, _NOBODYS) and index_answers(source):
        return f"{source.host} answers as an index, with 404 for a project that nobody has.", None
    return _list(source), None


def _has_not(source: Source, project: NormalizedName) -> bool:
    """Say whether upstream answers that it has no such project; the list tells what else is."""
    url = source.page_url(project)
    reply = connection.ask(
        source, url, {"Accept": ACCEPT}, limit=PAGE_BYTES_AT_MOST, seconds=_SECONDS
    )
    return reply.status in _GONE


def _file_of(source: Source, document: Document | None) -> Trial:
    """Ask for the first byte of one file: its host may be another, which is not asked."""
    if document is None:
        says = "No file was asked for: no page is kept that names one. Install one, and test again."
        return Trial(works=True, says=says)
    if not document.lines:
        return Trial(works=True, says="No file was asked for: the page lists none.")
    try:
        return Trial(works=True, says=_asked_file(source, document.lines[-1]))
    except UpstreamFailed as failure:
        return Trial(works=False, says=failure.sentence)


def _asked_file(source: Source, line: Line) -> str:
    with (
        naming_the_setting(source),
        connection.opened(source, line.url, {"Range": "bytes=0-0"}) as answering,
    ):
        host = shown(urlsplit(answering.url).hostname or "")
        if answering.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise UpstreamRefused(f"{host} answered {answering.status} for {line.filename}.")
        return f"{host} sends {line.filename}."


def _list(source: Source) -> str:
    reply = connection.ask(
        source, source.root_url, {"Accept": ACCEPT}, limit=_LIST_BYTES_AT_MOST, seconds=_SECONDS
    )
    if reply.status in {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}:
        return f"{source.host} answers, and does not list its projects."
    require_answer(source, reply.status)
    if reply.status != HTTPStatus.OK:
        raise UpstreamUnreadable(
            f"{source.host} answers {reply.status} at {source.root_url}: there is no index. "
            "Look at the index URL and its suffix."
        )
    led = reply.url if reply.url != source.root_url else ""
    try:
        version, count = read_json_list(reply) if is_json(reply) else _html_list(source, reply)
    except UpstreamUnreadable as unreadable:
        raise _unreadable(source, unreadable, led) from None
    what = "files" if source.is_flat else "projects"
    says = f"{source.host} is an index (Simple API {version}) with {count} {what}."
    return f"{says} It leads to {led}." if led else says


def _unreadable(source: Source, unreadable: UpstreamUnreadable, led: str) -> UpstreamUnreadable:
    where = f" It leads to {led}." if led else ""
    return UpstreamUnreadable(f"{source.host}: {unreadable.sentence}{where}")


def _html_list(source: Source, reply: connection.Reply) -> tuple[str, int]:
    # The beginning tells; all links of a list of 700,000 projects would fill the memory.
    page = read_html(replace(reply, body=reply.body[:_BEGINNING]))
    if not source.is_flat and not page.anchors and "pypi:repository-version" not in page.meta:
        raise UpstreamUnreadable("The answer is an HTML page, but not one of an index.")
    return page.meta.get("pypi:repository-version", "1.0"), reply.body.count(b"<a ")
