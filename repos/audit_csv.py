"""Events of the audit as CSV, for the page and for scripts: all of them, a page at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from base.connections import give_back
from base.models import AuditEvent
from base.wording import in_words, said
from repos.events import older_than

_AT_ONCE = 1000
_HEAD = ("at (UTC)", "by", "token", "address", "act", "what", "about", "before", "after")
# What a spreadsheet takes for a formula at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(events: QuerySet[AuditEvent], filename: str) -> StreamingHttpResponse:
    """Answer with all of `events`, the latest first and one a line, as a file of this name.

    However many there are, it holds a page of them in memory; and no connection to the database
    while a page goes out, however slowly a client reads.
    """
    answer = StreamingHttpResponse(
        _parts(events, _page(events)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=filename
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _parts(events: QuerySet[AuditEvent], page: Sequence[AuditEvent]) -> Iterator[bytes]:
    yield _written([_HEAD])
    while page:
        yield _written(map(_cells, page))
        page = _page(older_than(events, page[-1].at, page[-1].pk)) if len(page) == _AT_ONCE else ()


def _page(events: QuerySet[AuditEvent]) -> Sequence[AuditEvent]:
    found = list(events[:_AT_ONCE])
    give_back()
    return found


def _written(lines: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _cells(event: AuditEvent) -> Iterable[str]:
    cells = (
        event.at.astimezone(UTC).isoformat(timespec="seconds"),
        event.actor,
        event.token,
        event.address,
        event.action,
        in_words(event),
        event.subject,
        said(event.before),
        said(event.after),
    )
    return map(_safe, cells)


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
