"""Events of the audit as CSV, for the page and for scripts: sent as they are read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from base.models import AuditEvent
from base.wording import in_words, said

EVENTS_AT_MOST = 10_000
# What a spreadsheet takes for a formula at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(events: QuerySet[AuditEvent], filename: str) -> StreamingHttpResponse:
    """Answer with the latest of `events`, one a line, as a file of this name."""
    answer = StreamingHttpResponse(_lines(events), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def _lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    lines = csv.writer(_Echo())
    head = ("at (UTC)", "by", "token", "address", "act", "what", "about", "before", "after")
    yield lines.writerow(head)
    for event in events[:EVENTS_AT_MOST].iterator(chunk_size=500):
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
        yield lines.writerow(map(_safe, cells))


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
