"""What the first page of the admin shows at a glance: each number leads to the rows behind it.

Everything is of what the caller administers, and is counted to a bound: the page opens as quickly
with a million files as with ten.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, QuerySet
from django.urls import reverse

from accounts.administration import Office
from accounts.models import Tenant
from base import clock
from base.models import AuditEvent
from packages.models import Distribution, UpstreamHealth
from packages.pages.pictures import Picture, columns
from packages.statistics import filled
from repos.models import Kind, Repository, Upstream

_DAYS = 30
_TENANTS_SHOWN = 8
_UPSTREAMS_SHOWN = 8
_COUNTED_AT_MOST = 100
_UPLOADS_AT_MOST = 10_000
_UPLOADS = ("distribution.publish", "distribution.deploy", "distribution.overwrite")
_FILES = "admin:packages_distribution_changelist"


@dataclass(frozen=True, slots=True)
class Number:
    """A number of rows, and where they are listed."""

    label: str
    count: str
    url: str
    is_trouble: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """How one upstream answers: a state in a word, why, and its page."""

    remote: Repository
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the page shows."""

    tenants: list[Tenant]  # the fullest first
    uploads: Picture
    numbers: list[Number]
    upstreams: list[Answers]


def dashboard(office: Office) -> Dashboard:
    """Return what there is to see of an office."""
    return Dashboard(
        tenants=list(
            office.rows(Tenant.objects.order_by("-used_bytes", "slug"), "pk")[:_TENANTS_SHOWN]
        ),
        uploads=_uploads(office),
        numbers=[
            _files(office, Distribution.Extraction.FAILED, "Files that could not be read"),
            _files(office, Distribution.Extraction.UNLISTED, "Files without a name"),
        ],
        upstreams=_upstreams(office),
    )


def _uploads(office: Office) -> Picture:
    since = clock.now() - timedelta(days=_DAYS)
    events: QuerySet[AuditEvent] = AuditEvent.objects.filter(action__in=_UPLOADS, at__gte=since)
    if not office.everything:
        events = events.filter(tenant__in=office.tenants.values())
    latest = events.order_by("-at").values_list("at", flat=True)[:_UPLOADS_AT_MOST]
    by_day: Counter[date] = Counter(at.date() for at in latest)
    total = sum(by_day.values())
    more = "at least " if total == _UPLOADS_AT_MOST else ""
    return columns(
        "Uploads",
        f"{more}{total} in {_DAYS} days",
        filled(by_day, _DAYS),
    )


def _files(office: Office, state: Distribution.Extraction, label: str) -> Number:
    repositories = office.rows(Repository.objects.filter(deleted_at__isnull=True), "tenant")
    found = Distribution.objects.filter(
        repository__in=repositories, extraction=state, deleted_at__isnull=True
    )
    count = found.order_by()[: _COUNTED_AT_MOST + 1].count()
    said = f"more than {_COUNTED_AT_MOST}" if count > _COUNTED_AT_MOST else str(count)
    url = reverse(_FILES, query={"extraction__exact": state.value})
    return Number(label, said, url, is_trouble=count > 0)


def _upstreams(office: Office) -> list[Answers]:
    """Return the upstreams, those first that do not answer."""
    remotes = office.rows(
        Repository.objects.filter(kind=Kind.REMOTE, deleted_at__isnull=True), "tenant"
    ).select_related("tenant", "upstream", "upstream_health")
    failing_first = F("upstream_health__failures").desc(nulls_last=True)
    ordered = remotes.order_by(failing_first, "tenant__slug", "key")
    return [_answers(remote) for remote in ordered[:_UPSTREAMS_SHOWN]]


def _answers(remote: Repository) -> Answers:
    upstream: Upstream | None = getattr(remote, "upstream", None)
    health: UpstreamHealth | None = getattr(remote, "upstream_health", None)
    if upstream is None:
        return Answers(remote, "unset", "It has no index URL yet.")
    if upstream.offline:
        return Answers(remote, "offline", "It is switched offline.")
    if health is None:
        return Answers(remote, "unasked", "Nobody has asked it yet.")
    if health.failures:
        return Answers(remote, "failed", health.failure)
    return Answers(remote, "ok", "")
