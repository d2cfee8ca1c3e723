"""Asks the search that the index behind a remote may have, as pip does: by XML-RPC.

devpi answers it at an index's own URL; most indexes do not, and are then left alone for a while.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus

from base import clock, xmlrpc
from base.connections import give_back
from packages.filenames import (
    NameRefused,
    NormalizedName,
    VersionRefused,
    parse_name,
    parse_version,
)
from packages.models import UpstreamHealth
from packages.upstream import connection
from packages.upstream.errors import (
    CircleClosed,
    UpstreamBusy,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamUnreadable,
)
from packages.upstream.health import health_of
from packages.upstream.source import Source
from packages.upstream.waiting import waiting

_BYTES_AT_MOST = 8 * 1024 * 1024
_HITS_AT_MOST = 1000
_SUMMARY_AT_MOST = 1000
# How long a search is not asked again: where there is none, and where it failed.
_HAS_NONE_FOR = timedelta(minutes=10)
_FAILED_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class UpstreamHit:
    """A version of a project that an upstream's own search names."""

    project: NormalizedName
    name: str
    version: str
    summary: str


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What is looked for: words in names, words in summaries, and whether both must be met."""

    names: tuple[str, ...]
    summaries: tuple[str, ...]
    is_and: bool = False


def search_upstream(source: Source, terms: SearchTerms, *, seconds: float) -> list[UpstreamHit]:
    """Return what the upstream's own search finds, if it has one; nothing where it is offline.

    Raises UpstreamFailed.
    """
    if source.upstream.offline or source.is_flat:
        return []
    # The breaker of the pages is looked at and left as it is: a search proves nothing of them.
    health, now = health_of(source), clock.now()
    if health and any(
        until and until > now for until in (health.no_search_until, health.closed_until)
    ):
        return []
    try:
        with waiting():
            give_back()
            reply = connection.ask(
                _hurried(source, seconds),
                source.search_url,
                {"Content-Type": xmlrpc.CONTENT_TYPE, "Accept": xmlrpc.CONTENT_TYPE},
                limit=_BYTES_AT_MOST,
                seconds=seconds,
                method="POST",
                body=_call(terms),
            )
            return _hits(source, reply)
    except (UpstreamBusy, CircleClosed):  # a matter of this request alone
        raise
    except UpstreamFailed as failure:
        # Whatever is wrong with its search must not keep its pages from being asked for.
        has_none = isinstance(failure, UpstreamRefused)
        _leave_alone(source, _HAS_NONE_FOR if has_none else _FAILED_FOR)
        raise


def _hurried(source: Source, seconds: float) -> Source:
    """Return the source with an upstream that is waited for no longer than this."""
    upstream = copy.copy(source.upstream)
    at_most = max(1, int(seconds))
    upstream.connect_seconds = min(upstream.connect_seconds, at_most)
    upstream.read_seconds = min(upstream.read_seconds, at_most)
    return replace(source, upstream=upstream)


def _leave_alone(source: Source, pause: timedelta) -> None:
    until = clock.now() + pause
    UpstreamHealth.objects.update_or_create(
        repository=source.repository,
        defaults={"no_search_until": until, "asked_as": source.reached_by},
    )


def _call(terms: SearchTerms) -> bytes:
    wanted = {"name": list(terms.names), "summary": list(terms.summaries)}
    asked = {field: words for field, words in wanted.items() if words}
    return xmlrpc.written_call("search", (asked, "and" if terms.is_and else "or"))


def _hits(source: Source, reply: connection.Reply) -> list[UpstreamHit]:
    if reply.status == HTTPStatus.LOOP_DETECTED:
        raise CircleClosed(f"{source.host} says that this search has been there before (508).")
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UpstreamUnreadable(f"{source.host} answered {reply.status} to a search.")
    if reply.status != HTTPStatus.OK:
        raise UpstreamRefused(f"{source.host} has no search: it answered {reply.status}.")
    try:
        answer = xmlrpc.read_answer(reply.body)
    except xmlrpc.XmlRpcFault:
        raise UpstreamRefused(f"{source.host} does not offer its search.") from None
    except xmlrpc.XmlRpcRefused:
        raise UpstreamUnreadable(
            f"{source.host} answered a search with what is no XML-RPC."
        ) from None
    if not isinstance(answer, list):
        raise UpstreamUnreadable(f"{source.host} answered a search with what is no list.")
    return list(_believed(answer[:_HITS_AT_MOST]))


def _believed(answer: Sequence[xmlrpc.Value]) -> Iterator[UpstreamHit]:
    """Yield what names a project and a version; the rest would make pip stop."""
    for each in answer:
        if not isinstance(each, dict):
            continue
        name, version, summary = (each.get(key) for key in ("name", "version", "summary"))
        if not isinstance(name, str) or not isinstance(version, str):
            continue
        try:
            project, parsed = parse_name(name), parse_version(version)
        except (NameRefused, VersionRefused):
            continue
        text = summary if isinstance(summary, str) else ""
        yield UpstreamHit(project, name, str(parsed), text[:_SUMMARY_AT_MOST])
