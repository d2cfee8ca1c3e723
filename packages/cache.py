"""What a remote keeps of upstream: looks at it, lets go of it, and lifts what upstream withheld.

A file that is dropped is no tombstone: it is fetched again when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet

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


def require_remote(remote: Repository, by: Principal) -> None:
    """Let nobody go on but an administrator of a remote: nothing else keeps what upstream has."""
    if remote.kind != Kind.REMOTE:
        raise NotCached(f"{remote} is no remote. What was published is deleted, not dropped.")
    require(by, remote.tenant.slug, remote.key, Role.ADMIN)


def drop(distribution: Distribution, *, by: Principal) -> Dropped:
    """Let go of one file of a remote."""
    remote, release = distribution.repository, distribution.release
    require_remote(remote, by)
    if release is None:
        raise NotCached(f"{distribution.filename} is no file that {remote} keeps.")
    with transaction.atomic():
        dropped = remove(release.project_id, [distribution.pk])
        if dropped.files:
            audit.record(
                by=by.actor,
                action="upstream.drop",
                tenant=remote.tenant.slug,
                repository=str(remote),
                subject=f"{remote}/{distribution.filename}",
                before={"sha256": distribution.sha256, "size": distribution.size},
            )
    return dropped


def remove(project_id: int, files: Collection[int]) -> Dropped:
    """Remove the rows of some files of one project, within a transaction; those that are there.

    The sweeper has their bytes, a day after nothing names them any more. Of one project, because
    many that are locked at once would stand in the fetches' way.
    """
    blobs = Blob.objects.filter(distributions__in=files)
    # In the order of their ids: two remotes of a tenant may be letting go of the same bytes.
    list(blobs.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    blobs.update(named_at=clock.now())
    project = locked_project(project_id)
    rows = Distribution.objects.filter(pk__in=files, release__project=project)
    held = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", "size"))
    if not held:
        return Dropped(files=0, bytes=0)
    size = sum(each for _, each in held)
    Tenant.objects.filter(repositories=project.repository_id).update(
        used_bytes=F("used_bytes") - size, used_files=F("used_files") - len(held)
    )
    Distribution.objects.filter(pk__in=[pk for pk, _ in held]).delete()
    contents_changed(project)
    return Dropped(files=len(held), bytes=size)


def lift_quarantine(distribution: Distribution, *, by: Principal) -> None:
    """Give a file out again that upstream has quarantined, until upstream does so once more."""
    remote = distribution.repository
    require_remote(remote, by)
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
