"""Tries an upstream out, and says exactly what is wrong with it: the "test connection" button."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from packages.upstream import connection
from packages.upstream.errors import UpstreamFailed, UpstreamUnreadable
from packages.upstream.pages import ACCEPT, is_json, read_html, read_json_list
from packages.upstream.refresh import require_answer
from packages.upstream.source import Source
from repos.models import Repository, Upstream

_BYTES_AT_MOST = 512 * 1024 * 1024
_BEGINNING = 1024 * 1024
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it: a sentence, and whether it can be used."""

    works: bool
    says: str


def check_upstream(repository: Repository, upstream: Upstream, scope: str = "") -> Trial:
    """Ask `upstream`, saved or not, for its list of projects, and say what it answers.

    The answer names the address that is refused, the name that is not found, the connection, TLS,
    the credentials, a redirect, or that what answers is no index.
    """
    source = Source(repository, upstream, scope)
    try:
        return Trial(works=True, says=_tried(source))
    except UpstreamFailed as failure:
        return Trial(works=False, says=failure.sentence)


def _tried(source: Source) -> str:
    reply = connection.ask(
        source, source.root_url, {"Accept": ACCEPT}, limit=_BYTES_AT_MOST, seconds=_SECONDS
    )
    if reply.status in {HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}:
        return f"{source.host} answers, and does not list its projects."
    require_answer(source, reply.status)
    if reply.status != HTTPStatus.OK:
        raise UpstreamUnreadable(
            f"{source.host} answers {reply.status} at {source.root_url}: there is no index. "
            "Look at the index URL and its suffix."
        )
    led = f" It leads to {reply.url}." if reply.url != source.root_url else ""
    try:
        version, count = read_json_list(reply) if is_json(reply) else _html_list(source, reply)
    except UpstreamUnreadable as unreadable:
        raise UpstreamUnreadable(f"{source.host}: {unreadable.sentence}{led}") from None
    what = "files" if source.is_flat else "projects"
    return f"{source.host} is an index (Simple API {version}) with {count} {what}.{led}"


def _html_list(source: Source, reply: connection.Reply) -> tuple[str, int]:
    # The beginning tells; all links of a list of 700,000 projects would fill the memory.
    page = read_html(replace(reply, body=reply.body[:_BEGINNING]))
    if not source.is_flat and not page.anchors and "pypi:repository-version" not in page.meta:
        raise UpstreamUnreadable("The answer is an HTML page, but not one of an index.")
    return page.meta.get("pypi:repository-version", "1.0"), reply.body.count(b"<a ")
