"""The page of a project: its releases and files, the one that installers take first."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.roles import Role
from packages.filenames import NameRefused, parse_name
from packages.index.base import ProjectNotFound
from packages.metadata import CoreMetadata, parse_core_metadata
from packages.models import (
    Distribution,
    Project,
    Reading,
    Release,
    StoredMetadata,
    UpstreamPage,
)
from packages.pages.connection import connection
from packages.pages.newest import newest_releases
from repos.access import require
from repos.models import Repository

M = TypeVar("M", Reading, StoredMetadata)

_PROJECTS_PER_PAGE = 100
_COUNTED_AT_MOST = 100


@require_safe
def project_page(request: HttpRequest, tenant: str, key: str, project: str) -> HttpResponse:
    """Show the releases and files of one project, the release that installers take first."""
    repository = require(caller_of(request), tenant, key, Role.READER)
    row = _project(repository, project)
    newest = newest_releases([row]).get(row.pk)
    files = list(
        Distribution.objects.filter(release__project=row, deleted_at__isnull=True)
        .select_related("release")
        .order_by("-release__version_key", "filename")
    )
    files.sort(key=lambda file: file.release != newest)
    return render(
        request,
        "packages/project.html",
        {
            "project": row,
            "files": files,
            "metadata": _metadata_of(newest),
            "reading": _of_newest(Reading, newest),
            "stale": _stale_page(row),
        }
        | connection(repository),
    )


def _stale_page(project: Project) -> UpstreamPage | None:
    """Return what upstream last said of a remote's project, where it cannot be asked now."""
    return UpstreamPage.objects.filter(
        repository_id=project.repository_id,
        scope=project.scope,
        normalized=project.normalized,
        answered_at__isnull=False,
        failed_at__isnull=False,
    ).first()


def _metadata_of(release: Release | None) -> CoreMetadata | None:
    stored = _of_newest(StoredMetadata, release)
    return parse_core_metadata(bytes(stored.raw)) if stored else None


def _of_newest(kind: type[M], release: Release | None) -> M | None:
    """Return the row about a file of a release, about a wheel where it has one."""
    if release is None:
        return None
    rows = kind._default_manager.filter(  # noqa: SLF001 - Django's public way
        distribution__release=release, distribution__deleted_at__isnull=True
    )
    return rows.order_by("-distribution__kind", "distribution__filename").first()


def _project(repository: Repository, name: str) -> Project:
    try:
        normalized = parse_name(name)
    except NameRefused:
        normalized = None
    row = Project.objects.filter(repository=repository, normalized=normalized).first()
    if row is None:
        raise ProjectNotFound(f"There is no such project in {repository}.")
    return row
