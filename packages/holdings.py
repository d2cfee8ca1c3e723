"""What each of several repositories holds and what waits there, in a few questions for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.keyset import first_of
from packages.models import Distribution, Project, RepositoryDay
from packages.statistics import Totals
from repos.access import readable_by, roles_of
from repos.models import Kind, Repository

PER_PAGE = 100
# As many repositories are looked through for what is new.
_LOOKED_AT = 60


@dataclass(frozen=True, slots=True)
class Holding:
    """A repository in a list of them."""

    repository: Repository
    # None: what anyone may read; or the reader has come with a token.
    role: Role | None
    # As it was last counted; None: it was never.
    totals: Totals | None
    last_upload_at: datetime | None
    # Seconds until what waits is extracted; None: nothing waits.
    waits: int | None
    has_failed: bool  # files that could not be extracted, or have no name
    has_changed_upstream: bool  # files that upstream has withdrawn or shows otherwise

    @property
    def asks_for_somebody(self) -> bool:
        """Say whether there is something to do for the reader."""
        if self.role is None or self.role < Role.WRITER:
            return False
        return self.waits is not None or self.has_failed or self.has_changed_upstream


@dataclass(frozen=True, slots=True)
class New:
    """A project of which a file was published lately."""

    repository: Repository
    normalized: str
    name: str
    version: str
    summary: str
    at: datetime


def holdings(by: Principal, *, tenant: str = "", after: str = "") -> tuple[list[Holding], str]:
    """Return repositories that `by` may read, and after which one the next begin; empty: none."""
    there = Repository.objects.filter(pk__in=readable_by(by).order_by().values("pk"))
    if tenant:
        there = there.filter(tenant__slug=tenant)
    slug, _, key = after.partition("/")
    if after:
        there = there.filter(Q(tenant__slug__gt=slug) | Q(tenant__slug=slug, key__gt=key))
    rows = _with_facts(there).order_by("tenant__slug", "key")[: PER_PAGE + 1]
    found = list(rows)
    shown = found[:PER_PAGE]
    return _holdings(shown, by), str(shown[-1]) if len(found) > PER_PAGE else ""


def newest(repositories: Iterable[Repository], *, limit: int) -> list[New]:
    """Return what was published last in the locals among `repositories`."""
    locals_ = {each.pk: each for each in repositories if each.kind == Kind.LOCAL}
    arms = [
        Project.objects.filter(repository=pk, last_upload_at__isnull=False).exclude(
            status=Project.Status.QUARANTINED
        )
        for pk in list(locals_)[:_LOOKED_AT]
    ]
    if not arms:
        return []
    columns = ("id", "normalized", "name", "last_upload_at", "repository_id")
    rows = first_of(
        arms,
        order=("-last_upload_at", "-id"),
        columns=(*columns, "document__version", "document__summary"),
        limit=limit,
    )
    return [
        New(
            repository=locals_[row["repository_id"]],
            normalized=row["normalized"],
            name=row["name"],
            version=row["document__version"] or "",
            summary=row["document__summary"] or "",
            at=row["last_upload_at"],
        )
        for row in rows
    ]


def _with_facts(repositories: QuerySet[Repository]) -> QuerySet[Repository]:
    """Add to each what its lists say of it, each read from the beginning of an index."""
    here = OuterRef("pk")
    files = Distribution.objects.filter(repository=here, deleted_at__isnull=True)
    uploads = Project.objects.filter(repository=here, last_upload_at__isnull=False)
    counted = RepositoryDay.objects.filter(repository=here, counted_serial__isnull=False)
    states = [Distribution.Extraction.FAILED, Distribution.Extraction.UNLISTED]
    return repositories.select_related("tenant").annotate(
        last_upload_at=Subquery(
            uploads.order_by("-last_upload_at", "-id").values("last_upload_at")[:1]
        ),
        counted_id=Subquery(counted.order_by("-day").values("pk")[:1]),
        extract_after=F("state__extract_after"),
        has_failed=Exists(files.filter(extraction__in=states)),
        has_changed_upstream=Exists(files.exclude(upstream_change="")),
    )


def _holdings(rows: Sequence[Repository], by: Principal) -> list[Holding]:
    has_come_themselves = by.user is not None and by.token is None
    roles = roles_of(by.user, rows) if by.user is not None and has_come_themselves else {}
    counts = RepositoryDay.objects.in_bulk([row.counted_id for row in rows if row.counted_id])  # type: ignore[attr-defined]
    now = clock.now()
    return [
        Holding(
            repository=row,
            role=roles.get(row.pk),
            totals=_totals(counts.get(row.counted_id)),  # type: ignore[attr-defined]
            last_upload_at=row.last_upload_at,  # type: ignore[attr-defined]
            waits=_seconds(row.extract_after, now),  # type: ignore[attr-defined]
            has_failed=row.has_failed,  # type: ignore[attr-defined]
            has_changed_upstream=row.has_changed_upstream,  # type: ignore[attr-defined]
        )
        for row in rows
    ]


def _totals(day: RepositoryDay | None) -> Totals | None:
    if day is None:
        return None
    return Totals(day.projects or 0, day.files or 0, day.stored_bytes or 0, is_exact=False)


def _seconds(until: datetime | None, now: datetime) -> int | None:
    return None if until is None else max(0, round((until - now).total_seconds()))
