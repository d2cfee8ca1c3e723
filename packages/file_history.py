"""What has happened to a file and to a project, out of the audit; of a file in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Value
from django.db.models.functions import Concat

from base.keyset import first_of
from base.models import AuditEvent
from packages.models import Distribution, Release
from repos.models import Repository

EVENTS_AT_MOST = 50
_FILES_AT_MOST = 1000  # of a project, whose events are looked for

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


def events_about(  # noqa: PLR0913 - a project, a part of it, and how much of each event
    repository: Repository,
    name: str,
    *,
    version: str,
    filenames: Collection[str],
    columns: Sequence[str],
    limit: int,
) -> list[dict[str, Any]]:
    """Return what was done to a local's project and what is in it, the last first; in one query.

    With `version`, to that release of it. `filenames` are those that are not deleted.
    """
    place = Value(f"{repository}/")
    releases = Release.objects.filter(project__repository=repository, project__normalized=name)
    if version:
        releases = releases.filter(version=version)
    deleted = Distribution.objects.filter(release__in=releases, deleted_at__isnull=False)
    shown = [f"{repository}/{each}" for each in (name, *islice(filenames, _FILES_AT_MOST))]
    subjects = (
        shown,
        deleted.values(subject=Concat(place, "filename")),
        releases.values(subject=Concat(place, Value(f"{name} "), "version")),
    )
    events = AuditEvent.objects.filter(tenant=repository.tenant.slug)
    return first_of(
        [events.filter(subject__in=each) for each in subjects],
        order=("-at", "-id"),
        columns=columns,
        limit=limit,
    )


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
            digest = f"sha256 {str(after.get('sha256', ''))[:12]}…" if after.get("sha256") else ""
            return f"{digest}, attested" if after.get("is_attested") else digest
        case "upstream.file":
            return ", ".join(f"{name}: {value}" for name, value in after.items() if value)
    return ""


def _property(name: str, values: object) -> str:
    if not isinstance(values, list) or not values:
        return f"{name} removed"
    return f"{name} = {', '.join(map(str, values))}"
