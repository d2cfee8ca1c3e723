"""What has happened to a file, out of the audit, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from base.models import AuditEvent
from packages.models import Distribution
from repos.models import Repository

EVENTS_AT_MOST = 50

_WORDS = {
    "distribution.publish": "published it",
    "distribution.overwrite": "published it again, with other bytes",
    "distribution.deploy": "put it here",
    "distribution.name": "gave it its name",
    "contents.yank": "yanked it",
    "contents.unyank": "took its yank back",
    "contents.delete": "deleted it",
    "contents.restore": "restored it",
    "contents.try_again": "had its extraction tried again",
    "properties.change": "changed its properties",
    "upstream.file": "saw a change of it upstream",
    "upstream.wrong-bytes": "refused what upstream sent for it",
    "upstream.lift": "lifted its quarantine",
    "upstream.drop": "dropped the bytes that were kept of it",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a file, or to its whole release."""

    pk: int
    at: datetime
    actor: str
    words: str
    details: str


def history_of(row: Distribution, *, before: int | None = None) -> list[Happened]:
    """Return what happened to a file, the last first; `before` an event, or up to now."""
    subjects = [f"{row.repository}/{row.filename}"]
    if row.release is not None:
        subjects.append(f"{row.repository}/{row.release}")
    events = AuditEvent.objects.filter(tenant=row.repository.tenant.slug, subject__in=subjects)
    if before is not None:
        events = events.filter(pk__lt=before)
    return [_happened(event) for event in events.order_by("-pk")[:EVENTS_AT_MOST]]


def last_times(repository: Repository, acts: Mapping[str, str]) -> dict[str, AuditEvent]:
    """Return when each act was last done, by act; `acts` says to what in `repository`."""
    subjects = [f"{repository}/{name}" for name in acts.values()]
    events = AuditEvent.objects.filter(
        tenant=repository.tenant.slug, subject__in=subjects, action__in=list(acts)
    ).order_by("-at", "-pk")[:EVENTS_AT_MOST]
    return {event.action: event for event in reversed(events)}


def _happened(event: AuditEvent) -> Happened:
    words = _WORDS.get(event.action, event.action)
    return Happened(event.pk, event.at, event.actor, words, _details(event))


def _details(event: AuditEvent) -> str:
    """Return what a reader of the file may know of a change: never from where or with what."""
    after: Mapping[str, object] = event.after or {}
    match event.action:
        case "properties.change":
            return "; ".join(_property(name, values) for name, values in after.items())
        case "contents.yank":
            return str(after.get("yanked_reason") or "")
        case "distribution.publish" | "distribution.deploy" | "distribution.overwrite":
            return f"sha256 {str(after.get('sha256', ''))[:12]}…" if after.get("sha256") else ""
        case "upstream.file":
            return ", ".join(f"{name}: {value}" for name, value in after.items() if value)
    return ""


def _property(name: str, values: object) -> str:
    if not isinstance(values, list) or not values:
        return f"{name} removed"
    return f"{name} = {', '.join(map(str, values))}"
