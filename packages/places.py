"""Where a file would go: what stands there, and whether one more is let in.

Asked before the file is read, so that nobody sends a gigabyte to hear no, and again inside the
transaction that writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from packaging.utils import canonicalize_version

from accounts.models import Tenant
from base import clock
from packages.filenames import DistributionName
from packages.listed import is_listed
from packages.models import Distribution, Project, Release, UpstreamPage
from packages.storage import Spooled
from packages.uploads import (
    FileExists,
    NameServedUpstream,
    ProjectClosed,
    QuotaExceeded,
    ReleaseClosed,
    UploadRefused,
)
from repos.models import Claim, Repository, Upstream
from repos.nesting import remotes_beside


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file would go, and what is there now: a tombstone counts."""

    repository: Repository
    named: DistributionName
    project: Project | None
    release: Release | None
    distribution: Distribution | None
    scope: str = ""  # of a remote

    @property
    def replaced(self) -> dict[str, object]:
        """Return what the audit keeps of the file that would be overwritten, if any."""
        there = self.distribution
        if there is None:
            return {}
        names = ("sha256", "size", "yanked", "yanked_reason")
        return {name: getattr(there, name) for name in names}

    @property
    def freed(self) -> int:
        """Return how many bytes overwriting would give back to the tenant."""
        return self.distribution.size if self.distribution is not None else 0


def place_of(repository: Repository, named: DistributionName, scope: str = "") -> Place:
    """Return what stands where a file of this name would go; `scope` is a remote's."""
    found = (
        Distribution.objects.select_related("release__project")
        .filter(repository=repository, identity=named.identity)
        .first()
    )
    if found is not None and found.release is not None:
        return Place(repository, named, found.release.project, found.release, found, scope)
    project = Project.objects.filter(
        repository=repository, scope=scope, normalized=named.normalized
    ).first()
    release = (
        Release.objects.filter(
            project=project, canonical=canonicalize_version(named.version)
        ).first()
        if project
        else None
    )
    return Place(repository, named, project, release, found, scope)


def judge_place(place: Place) -> None:
    """Refuse a file that its project, its release or a tombstone does not let in."""
    if place.project is None:
        _refuse_if_served_upstream(place)
    else:
        _refuse_if_closed(place.project)
    if place.distribution is None:
        _refuse_if_too_late(place)
    elif place.distribution.deleted_at is not None:
        raise UploadRefused(
            f"{place.distribution.filename} was deleted from {place.repository} and its name "
            "cannot be used again. Restore it, or raise the version."
        )


def same_file(place: Place, spool: Spooled) -> Distribution | None:
    """Return the file that stands there if it has the same bytes; None when there is room.

    Refuses other bytes under the same name, unless the repository lets files be overwritten.
    """
    found = place.distribution
    if found is None or found.sha256 == spool.sha256:
        return found
    if not place.repository.overwrite_allowed:
        raise FileExists(
            f"File already exists: {found.filename} is in {place.repository} with other contents "
            f"(sha256 {found.sha256} here, {spool.sha256} sent). Raise the version."
        )
    _refuse_if_too_late(place)
    return None


def _refuse_if_closed(project: Project) -> None:
    if project.status in {Project.Status.ARCHIVED, Project.Status.QUARANTINED}:
        reason = f": {project.status_reason}" if project.status_reason else ""
        raise ProjectClosed(
            f"{project.normalized} is {project.status} and takes no uploads{reason}."
        )


def _refuse_if_too_late(place: Place) -> None:
    """Refuse to add to a release long after its first file: nobody would expect it to change."""
    days = place.repository.releases_close_after_days
    if days is None or place.release is None:
        return
    if clock.now() > place.release.created_at + timedelta(days=days):
        raise ReleaseClosed(
            f"{place.release} takes no more files: releases in {place.repository} close {days} "
            "days after their first file. Raise the version."
        )


def _refuse_if_served_upstream(place: Place) -> None:
    """Refuse to take over, for everybody, a name that installers get from elsewhere now.

    DESIGN "Publishing": what the remotes beside it are known to serve is asked, not they.
    """
    name, repository = place.named.normalized, place.repository
    claims = Claim.objects.filter(repository=repository)
    if any(claim.covers(name) for claim in claims):
        return
    remotes = remotes_beside(repository)
    upstreams = Upstream.objects.filter(repository_id__in=remotes)
    remotes -= {each.repository_id for each in upstreams if not each.may_ask_for(name)}
    pages = UpstreamPage.objects.filter(repository_id__in=remotes, normalized=name, is_served=True)
    if pages.exists() or is_listed(remotes, name):
        raise NameServedUpstream(
            f"{name} is served by an index beside {repository}; publishing it here would take its "
            f"place for everybody. If it is yours, let a tenant admin of {repository.tenant} claim "
            f"it for {repository} first."
        )


def bytes_left(place: Place) -> int | None:
    """Return how large a file the tenant has room for there; None when it has no quota."""
    tenant = Tenant.objects.get(pk=place.repository.tenant_id)
    if tenant.quota_bytes is None:
        return None
    return max(0, tenant.quota_bytes - tenant.used_bytes) + place.freed


def judge_room(place: Place, size: int) -> None:
    """Refuse a file of `size` bytes that the tenant's quota has no room for."""
    if not _fitting(place, size).exists():
        raise no_room(place)


def take_room(place: Place, size: int) -> None:
    """Count the file against its tenant, in the same statement that checks the quota."""
    taken = _fitting(place, size).update(
        used_bytes=F("used_bytes") + size - place.freed,
        used_files=F("used_files") + (0 if place.distribution else 1),
    )
    if not taken:
        raise no_room(place)


def _fitting(place: Place, size: int) -> QuerySet[Tenant]:
    """Return the tenant if the file fits there; what takes no more than before always does."""
    fits = Q(pk=place.repository.tenant_id)
    if size > place.freed:
        fits &= Q(quota_bytes__isnull=True) | Q(
            quota_bytes__gte=F("used_bytes") + size - place.freed
        )
    if place.distribution is None:
        fits &= Q(quota_files__isnull=True) | Q(quota_files__gt=F("used_files"))
    return Tenant.objects.filter(fits)


def no_room(place: Place) -> QuotaExceeded:
    """Return the refusal of a file that its tenant has no room for: of its bytes, or of a file."""
    tenant = Tenant.objects.get(pk=place.repository.tenant_id)
    if (
        place.distribution is None
        and tenant.quota_files is not None
        and tenant.used_files >= tenant.quota_files
    ):
        why = f"it holds {tenant.used_files} files, and {tenant.quota_files} is the most"
    else:
        left = max(0, (tenant.quota_bytes or 0) - tenant.used_bytes) + place.freed
        why = f"{left} bytes are left of its quota"
    return QuotaExceeded(
        f"{tenant} has no room for {place.named.filename}: {why}. "
        "Ask whoever runs this installation for a larger quota."
    )
