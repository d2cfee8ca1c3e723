"""Events of the audit as CSV, for the page and for scripts: written first, and then sent."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from tempfile import SpooledTemporaryFile

from django.db.models import QuerySet
from django.http import FileResponse

from base.connections import give_back
from base.models import AuditEvent
from base.wording import in_words, said

EVENTS_AT_MOST = 10_000
# Of a file; the rest of a larger one lies on disk while it is sent.
_IN_MEMORY_AT_MOST = 1024 * 1024
# What a spreadsheet takes for a formula at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(events: QuerySet[AuditEvent], filename: str) -> FileResponse:
    """Answer with the latest of `events`, one a line, as a file of this name.

    The database is done with before the first byte goes out, however slowly a client reads.
    """
    file = SpooledTemporaryFile(max_size=_IN_MEMORY_AT_MOST)  # noqa: SIM115 - closed with the answer
    _write(file, events)
    give_back()
    file.seek(0)
    answer = FileResponse(
        file, as_attachment=True, filename=filename, content_type="text/csv; charset=utf-8"
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _write(file: SpooledTemporaryFile[bytes], events: QuerySet[AuditEvent]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    lines = csv.writer(text)
    head = ("at (UTC)", "by", "token", "address", "act", "what", "about", "before", "after")
    lines.writerow(head)
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
        lines.writerow(map(_safe, cells))
    text.detach()


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
