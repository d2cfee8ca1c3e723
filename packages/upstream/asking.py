"""Asks upstream for the page of a project, and writes down what it said."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.db import OperationalError, transaction

from base import clock
from base.connections import give_back
from base.quick_rows import update, update_while
from base.rows import is_deadlock
from packages.documents import note_project
from packages.filenames import NormalizedName
from packages.models import UpstreamPage
from packages.upstream import connection, documents, presence
from packages.upstream.changes import notice_changes
from packages.upstream.connection import Reply
from packages.upstream.errors import (
    CircleClosed,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamUnreadable,
)
from packages.upstream.health import counted, require_open
from packages.upstream.links import Document
from packages.upstream.pages import ACCEPT, read_page
from packages.upstream.sidecars import forget_metadata
from packages.upstream.source import Source
from repos.stamps import locked_state, move_serial

PAGE_BYTES_AT_MOST = 64 * 1024 * 1024

_SECONDS_AT_LEAST = 60.0
# As long as their columns.
_FAILURE_AT_MOST, _ETAG_AT_MOST, _MODIFIED_AT_MOST = 500, 255, 64
_OF_EACH_ANSWER = ("answered_at", "failed_at", "failure")
_OF_A_PAGE = (
    "is_served",
    "was_ever_served",
    "document",
    "asked_as",
    "etag",
    "last_modified",
)


def ask_for_page(
    source: Source, project: NormalizedName, row: UpstreamPage, fence: str
) -> UpstreamPage:
    """Ask for the page of `project`, under the row's fence; return the row as it is now.

    Raises UpstreamFailed, of which the row tells then; also when the fence is another's by now.
    """
    try:
        reply = _reply(source, project, row)
        is_renewed = reply.status == HTTPStatus.NOT_MODIFIED and row.is_served
        document = None if is_renewed else _document(source, project, reply)
    except CircleClosed:
        raise  # a matter of how this request came here, not of the page
    except UpstreamFailed as failure:
        row.failed_at, row.failure = clock.now(), failure.sentence[:_FAILURE_AT_MOST]
        _end(row, fence, "failed_at", "failure")
        raise
    if is_renewed:
        _note_answer(row)
        is_ours = _end(row, fence, *_OF_EACH_ANSWER)
    else:
        is_ours = _write(source, project, row, fence, (document, reply))
    if not is_ours:
        raise taken_over(source, project)
    return row


def taken_over(source: Source, project: NormalizedName) -> UpstreamFailed:
    """Return the refusal of whoever asked for so long that another process asks by now.

    What the row says meanwhile may be of before: that there is no such project, of all things.
    """
    what = project or "the list of projects"
    return UpstreamFailed(f"{source.host} was asked for {what} for too long. Try again.")


def _note_answer(row: UpstreamPage) -> None:
    row.answered_at, row.failed_at, row.failure = clock.now(), None, ""


def _end(row: UpstreamPage, fence: str, *names: str) -> bool:
    """Write these fields and let go of the row, as long as the fence is ours; say whether."""
    row.fence, row.heartbeat_at = "", None
    return update_while(row, *names, "fence", "heartbeat_at", fence=fence)


def _reply(source: Source, project: NormalizedName, row: UpstreamPage) -> Reply:
    """Return upstream's answer, once it is one; count what says how upstream is."""
    headers = {"Accept": ACCEPT, **conditions(source, project, row)}
    health = require_open(source)
    give_back()
    url, limit = source.page_url(project), PAGE_BYTES_AT_MOST
    with counted(source, health):
        reply = connection.ask(source, url, headers, limit=limit, seconds=seconds_at_most(source))
        require_answer(source, reply.status)
    return reply


def conditions(source: Source, project: NormalizedName, row: UpstreamPage) -> dict[str, str]:
    """Return the headers that ask only for what has changed since (RFC 9110)."""
    if not row.is_served or row.asked_as != source.asked_as(project):
        return {}
    if row.etag:
        return {"If-None-Match": row.etag}
    return {"If-Modified-Since": row.last_modified} if row.last_modified else {}


def validators(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return ETag and Last-Modified of an answer; empty where it has none that can be sent back."""
    etag, modified = headers.get("etag", ""), headers.get("last-modified", "")
    return (
        etag if len(etag) <= _ETAG_AT_MOST and etag.isprintable() else "",
        modified if len(modified) <= _MODIFIED_AT_MOST and modified.isprintable() else "",
    )


def require_answer(source: Source, status: int) -> None:
    """Refuse every status that says nothing of what was asked for."""
    match status:
        case 200 | 304 | 404 | 410:
            return
        case 401:
            raise UpstreamRefused(f"{source.host} wants other credentials than it is given (401).")
        case 403:
            raise UpstreamRefused(f"{source.host} does not allow this (403).")
        case 429:
            raise UpstreamFailed(f"{source.host} is asked too often for its liking (429).")
        case 508:
            raise CircleClosed(f"{source.host} says that this has been there before (508).")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UpstreamFailed(f"{source.host} is in trouble: it answered {status}.")
        case _:
            raise UpstreamRefused(f"{source.host} answered {status}, which says nothing.")


def _document(source: Source, project: NormalizedName, reply: Reply) -> Document | None:
    """Return what the answer says of the project; None: that there is none."""
    if reply.status == HTTPStatus.OK:
        try:
            document = read_page(reply, project)
        except UpstreamUnreadable as refused:
            raise UpstreamUnreadable(f"{source.host} on {project}: {refused.sentence}") from None
        presence.index_answered(source)
        return None if source.is_flat and not document.lines else document
    if reply.status == HTTPStatus.NOT_MODIFIED:
        raise UpstreamUnreadable(f"{source.host} answered 304 without being asked whether.")
    if source.is_flat or not presence.index_answers(source):
        raise UpstreamFailed(f"{source.host} answers {reply.status}, but so does its index.")
    return None


def _write(
    source: Source,
    project: NormalizedName,
    row: UpstreamPage,
    fence: str,
    said: tuple[Document | None, Reply],
) -> bool:
    """Keep what upstream said, as long as the fence is ours; say whether it was."""
    document, reply = said
    before = bytes(row.document) if row.is_served and row.document is not None else None
    row.is_served = document is not None
    row.was_ever_served = row.was_ever_served or row.is_served
    row.document = documents.packed(document) if document is not None else None
    row.asked_as = source.asked_as(project)
    row.etag, row.last_modified = validators(reply.headers)
    _note_answer(row)
    try:
        return _write_once(source, project, row, fence, (before, document))
    except OperationalError as error:
        if not is_deadlock(error):
            raise
        return _write_once(source, project, row, fence, (before, document))


def _write_once(
    source: Source,
    project: NormalizedName,
    row: UpstreamPage,
    fence: str,
    change: tuple[bytes | None, Document | None],
) -> bool:
    """Write the row, if the fence is ours, and move the serial if what it says is news."""
    before, document = change
    with transaction.atomic():
        is_ours = _end(row, fence, *_OF_A_PAGE, *_OF_EACH_ANSWER)
        if is_ours and row.document != before:
            old = documents.unpacked(before) if before is not None else None
            holder = notice_changes(source, project, old, document)
            if holder is not None:
                note_project(holder)
            if old is not None and (gone := _filenames(old) - _filenames(document)):
                forget_metadata(source, project, gone)
            row.changed = move_serial(locked_state(source.repository.pk))
            update(row, "changed")
            if holder is not None:
                holder.changed = row.changed
                holder.save(update_fields=["changed"])
    return is_ours


def _filenames(document: Document | None) -> set[str]:
    return {line.filename for line in document.lines} if document is not None else set()


def seconds_at_most(source: Source) -> float:
    """Return how long upstream may take for the whole of a page."""
    upstream = source.upstream
    return max(_SECONDS_AT_LEAST, upstream.connect_seconds + upstream.read_seconds)
