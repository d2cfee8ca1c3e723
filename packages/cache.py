"""What a remote keeps of upstream: looks at it, lets go of it, and lifts what upstream withheld.

A file that is dropped is no tombstone: it is fetched again when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Tenant
from accounts.principal import Principal
from accounts.roles import Role
from base import audit, clock
from base.errors import InvalidInput
from packages.changes import contents_changed, locked_project
from packages.models import Blob, Distribution
from repos.access import require
from repos.models import Kind, Repository


class NotCached(InvalidInput):
    """The file is not one that a remote keeps, or not one that is withheld."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """How much a remote let go of."""

    files: int
    bytes: int


def cached(remote: Repository) -> QuerySet[Distribution]:
    """Return the files that `remote` keeps."""
    return Distribution.objects.filter(
        repository=remote, repository__kind=Kind.REMOTE, deleted_at__isnull=True
    ).select_related("release__project")


def changed_upstream(remote: Repository) -> QuerySet[Distribution]:
    """Return the files kept that upstream has yanked, removed, quarantined or replaced."""
    return cached(remote).exclude(upstream_change="").order_by("-upstream_changed_at", "filename")


def drop(distribution: Distribution, *, by: Principal) -> Dropped:
    """Let go of one file of a remote."""
    return _drop(distribution.repository, [distribution.pk], by)


def drop_old(
    remote: Repository,
    *,
    by: Principal,
    fetched_before: timedelta | None = None,
    unused_for: timedelta | None = None,
) -> Dropped:
    """Let go of what was fetched so long ago and was not asked for so long; both where both."""
    if fetched_before is None and unused_for is None:
        raise InvalidInput("Say how old, or how long unused, the files are that shall go.")
    due, now = cached(remote), clock.now()
    if fetched_before is not None:
        due = due.filter(uploaded_at__lt=now - fetched_before)
    if unused_for is not None:
        unused = Q(used_at__lt=now - unused_for)
        due = due.filter(unused | Q(used_at__isnull=True, uploaded_at__lt=now - unused_for))
    return _drop(remote, due.values_list("pk", flat=True), by)


def lift_quarantine(distribution: Distribution, *, by: Principal) -> None:
    """Give a file out again that upstream has quarantined, until upstream does so once more."""
    remote = distribution.repository
    _require_admin(remote, by)
    with transaction.atomic():
        row = _locked(distribution.pk)
        if row is None or row.upstream_change != Distribution.UpstreamChange.QUARANTINED:
            raise NotCached(f"{distribution.filename} is not quarantined upstream.")
        row.upstream_change = ""
        row.upstream_changed_at = clock.now()
        row.save(update_fields=["upstream_change", "upstream_changed_at"])
        audit.record(
            by=by.actor,
            action="upstream.lift",
            tenant=remote.tenant.slug,
            repository=str(remote),
            subject=f"{remote}/{row.filename}",
            after={"sha256": row.sha256},
        )
        _page_changed(row)


def _drop(remote: Repository, which: Iterable[int], by: Principal) -> Dropped:
    """Let go of files one by one: many projects locked at once would stand in the fetches' way."""
    if remote.kind != Kind.REMOTE:
        raise NotCached(f"{remote} is no remote. What was published is deleted, not dropped.")
    _require_admin(remote, by)
    sizes = [size for pk in list(which) if (size := _dropped(pk, remote, by)) is not None]
    return Dropped(files=len(sizes), bytes=sum(sizes))


@transaction.atomic
def _dropped(pk: int, remote: Repository, by: Principal) -> int | None:
    """Remove the rows of one file; the sweeper has its bytes. None: it is gone already."""
    Blob.objects.filter(distributions=pk).update(named_at=clock.now())  # it is locked first
    row = _locked(pk)
    if row is None:
        return None
    Tenant.objects.filter(repositories=row.repository_id).update(
        used_bytes=F("used_bytes") - row.size, used_files=F("used_files") - 1
    )
    row.delete()
    audit.record(
        by=by.actor,
        action="upstream.drop",
        tenant=remote.tenant.slug,
        repository=str(remote),
        subject=f"{remote}/{row.filename}",
        before={"sha256": row.sha256, "size": row.size},
    )
    _page_changed(row)
    return row.size


def _locked(pk: int) -> Distribution | None:
    found = Distribution.objects.filter(pk=pk).select_related("release__project").first()
    if found is None or found.release is None:
        return None
    locked_project(found.release.project_id)
    rows = Distribution.objects.select_for_update(of=("self",)).filter(pk=pk)
    return rows.select_related("release__project").first()


def _page_changed(row: Distribution) -> None:
    if row.release is not None:
        contents_changed(row.release.project)


def _require_admin(remote: Repository, by: Principal) -> None:
    require(by, remote.tenant.slug, remote.key, Role.ADMIN)
