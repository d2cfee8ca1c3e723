"""Why nobody gets a file that is held, since when, and what can be done; for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from base.models import AuditEvent
from packages.curate import BYTES_KEPT_FOR
from packages.file_history import last_times
from packages.models import Distribution, Project
from packages.pages.file_changing import LIFT, RESTORE
from packages.shown_file import upstream_status_reason

_DELETE, _STATUS = "contents.delete", "contents.status"


@dataclass(frozen=True, slots=True)
class Withheld:
    """One cause for which a file is not given out."""

    word: str  # the same as everywhere: deleted, quarantined
    by: str  # a person, or "upstream"
    since: datetime | None
    sentence: str
    reason: str = ""
    until: datetime | None = None  # when nothing can be done any more
    do: str = ""  # what ends it, as the page's form names it; empty: the project's status does
    button: str = ""


def causes_of(row: Distribution) -> list[Withheld]:
    """Return why a file is not given out, what weighs most first; nothing of any other file."""
    project = row.release.project if row.release is not None else None
    is_quarantined = project is not None and project.status == Project.Status.QUARANTINED
    acts = {_DELETE: row.filename} if row.deleted_at is not None else {}
    if project is not None and is_quarantined:
        acts[_STATUS] = project.normalized
    events = last_times(row.repository, acts) if acts else {}
    causes = []
    if row.deleted_at is not None:
        causes.append(_deleted(row.deleted_at, events.get(_DELETE)))
    if row.upstream_change == Distribution.UpstreamChange.QUARANTINED:
        causes.append(_quarantined_upstream(row))
    if project is not None and is_quarantined:
        causes.append(_quarantined(project, events.get(_STATUS)))
    return causes


def _deleted(at: datetime, event: AuditEvent | None) -> Withheld:
    return Withheld(
        "deleted",
        event.actor if event is not None else "",
        at,
        "Installers do not see it, and its name stays taken.",
        until=at + BYTES_KEPT_FOR,
        do=RESTORE,
        button="Restore",
    )


def _quarantined_upstream(row: Distribution) -> Withheld:
    return Withheld(
        "quarantined",
        "upstream",
        row.upstream_changed_at,
        "Its bytes stay here, and nobody gets them until an administrator lifts that.",
        reason=upstream_status_reason(row),
        do=LIFT,
        button="Give it out again",
    )


def _quarantined(project: Project, event: AuditEvent | None) -> Withheld:
    return Withheld(
        "quarantined",
        event.actor if event is not None else "",
        event.at if event is not None else None,
        f"All of {project.name} is: nothing of it is given out while that is its status.",
        reason=project.status_reason,
    )
