"""Where a file would go: what stands there, and whether one more is let in.

Asked before the file is read, so that nobody sends a gigabyte to hear no, and again inside the
transaction that writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from packaging.utils import canonicalize_version

from accounts.principal import Principal
from base import clock
from base.quick_rows import find
from packages.file_history import last_times
from packages.filenames import DistributionName
from packages.listed import is_listed
from packages.models import Distribution, Project, Release, UpstreamPage
from packages.room import Spot
from packages.storage import Spooled
from packages.uploads import (
    FileExists,
    NameServedUpstream,
    ProjectClosed,
    ReleaseClosed,
    UploadRefused,
)
from repos.access import readable_by
from repos.models import Claim, Repository, Upstream
from repos.nesting import remotes_beside


@dataclass(frozen=True, slots=True)
class Place(Spot):
    """Where a file would go whose name is known: into this project and release."""

    named: DistributionName
    project: Project | None
    release: Release | None
    scope: str = ""  # of a remote


def place_of(repository: Repository, named: DistributionName, scope: str = "") -> Place:
    """Return what stands where a file of this name would go; `scope` is a remote's."""
    project = find(Project, repository_id=repository.pk, scope=scope, normalized=named.normalized)
    return _place_in(repository, named, project, scope)


def locked_place(repository: Repository, named: DistributionName, by: Principal) -> Place:
    """Return where a file goes, judged under its project's lock: nothing there changes now."""
    project = find(
        Project, lock=True, repository_id=repository.pk, scope="", normalized=named.normalized
    )
    place = _place_in(repository, named, project)
    judge_place(place, by)
    return place


def _place_in(
    repository: Repository, named: DistributionName, project: Project | None, scope: str = ""
) -> Place:
    found = find(Distribution, repository_id=repository.pk, identity=named.identity)
    release = None
    if project is not None:
        project.repository = repository
        canonical = canonicalize_version(named.version)
        release = find(Release, project_id=project.pk, canonical=canonical)
        if release is not None:
            release.project = project
    if found is not None and release is not None and found.release_id == release.pk:
        found.release = release
    return Place(repository, named.filename, found, named, project, release, scope)


def judge_place(place: Place, by: Principal) -> None:
    """Refuse a file that its project, its release or a tombstone does not let in.

    `by` is who hears of it.
    """
    if place.project is None:
        _refuse_if_served_upstream(place)
    else:
        refuse_closed(place.project)
    if place.distribution is None:
        _refuse_if_too_late(place.repository, place.release)
    refuse_deleted(place, by)


def refuse_deleted(spot: Spot, by: Principal) -> None:
    """Refuse to use a deleted file's name again; say where it was moved, to who may read there."""
    there = spot.distribution
    if there is None or there.deleted_at is None:
        return
    if (target := _moved_to(spot.repository, there, by)) is not None:
        raise UploadRefused(
            f"{there.filename} was moved from {spot.repository} to {target} and its name cannot "
            "be used again here. Install it from there, or raise the version."
        )
    raise UploadRefused(
        f"{there.filename} was deleted from {spot.repository} and its name "
        "cannot be used again. Restore it, or raise the version."
    )


def _moved_to(repository: Repository, deleted: Distribution, by: Principal) -> Repository | None:
    """Return where a deleted file was moved, if `by` may read there."""
    event = last_times(repository, {"contents.delete": deleted.filename}).get("contents.delete")
    after = event.after if event is not None else {}
    tenant, _, key = str((after or {}).get("moved_to", "")).partition("/")
    return readable_by(by).filter(tenant__slug=tenant, key=key).first() if key else None


def same_file(spot: Spot, spool: Spooled) -> Distribution | None:
    """Return the file that stands there if it has the same bytes; None when there is room.

    Refuses other bytes under the same name, unless the repository lets files be overwritten.
    """
    found = spot.distribution
    if found is None or found.sha256 == spool.sha256:
        return found
    if not spot.repository.overwrite_allowed:
        raise FileExists(
            f"File already exists: {found.filename} is in {spot.repository} with other contents "
            f"(sha256 {found.sha256} here, {spool.sha256} sent). Raise the version."
        )
    _refuse_if_too_late(spot.repository, found.release)
    return None


def refuse_closed(project: Project) -> None:
    """Refuse to add to a project that takes no uploads, or to replace a file of it."""
    if project.status in {Project.Status.ARCHIVED, Project.Status.QUARANTINED}:
        reason = f": {project.status_reason}" if project.status_reason else ""
        raise ProjectClosed(
            f"{project.normalized} is {project.status} and takes no uploads{reason}."
        )


def _refuse_if_too_late(repository: Repository, release: Release | None) -> None:
    """Refuse to add to a release long after its first file: nobody would expect it to change."""
    days = repository.releases_close_after_days
    if days is None or release is None:
        return
    if clock.now() > release.created_at + timedelta(days=days):
        raise ReleaseClosed(
            f"{release} takes no more files: releases in {repository} close {days} "
            "days after their first file. Raise the version."
        )


def _refuse_if_served_upstream(place: Place) -> None:
    """Refuse to take over, for everybody, a name that installers get from elsewhere now.

    What the remotes beside it are known to serve is asked, not they.
    """
    name, repository = place.named.normalized, place.repository
    remotes = remotes_beside(repository)
    if not remotes:
        return
    claims = Claim.objects.filter(repository=repository)
    if any(claim.covers(name) for claim in claims):
        return
    upstreams = Upstream.objects.filter(repository_id__in=remotes)
    remotes -= {each.repository_id for each in upstreams if not each.may_ask_for(name)}
    pages = UpstreamPage.objects.filter(repository_id__in=remotes, normalized=name, is_served=True)
    if pages.exists() or is_listed(remotes, name):
        raise NameServedUpstream(
            f"{name} is served by an index beside {repository}; publishing it here would take its "
            f"place for everybody. If it is yours, let a tenant admin of {repository.tenant} claim "
            f"it for {repository} first."
        )
