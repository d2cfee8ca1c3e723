"""Pages for people: a repository and a project in it."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.principal import Principal
from accounts.roles import Role
from packages.filenames import NameRefused, parse_name
from packages.index.base import ProjectNotFound
from packages.metadata import parse_core_metadata
from packages.models import Distribution, Project, StoredMetadata
from repos.access import require

_PROJECTS_PER_PAGE = 100


def repository_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what a repository holds and how to connect to it."""
    repository = require(_principal(request), tenant, key, Role.READER)
    living = Q(releases__distributions__deleted_at__isnull=True)
    projects = (
        Project.objects.filter(repository=repository)
        .annotate(
            files=Count("releases__distributions", filter=living),
            last_upload=Max("releases__distributions__uploaded_at", filter=living),
        )
        .order_by("normalized")
    )
    page = Paginator(projects, _PROJECTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "packages/repository.html",
        {
            "repository": repository,
            "page": page,
            "url": f"{settings.BASE_URL}/{repository}/",
            "host": settings.BASE_URL.partition("://")[2],
            "scheme": settings.BASE_URL.partition("://")[0],
        },
    )


def project_page(request: HttpRequest, tenant: str, key: str, project: str) -> HttpResponse:
    """Show the releases and files of one project."""
    repository = require(_principal(request), tenant, key, Role.READER)
    row = _project(repository.pk, project)
    if row is None:
        raise ProjectNotFound(f"There is no such project in {repository}.")
    files = list(
        Distribution.objects.filter(release__project=row, deleted_at__isnull=True)
        .select_related("release")
        .order_by("-release__version_key", "filename")
    )
    stored = StoredMetadata.objects.filter(distribution__in=files[:1]).first()
    return render(
        request,
        "packages/project.html",
        {
            "repository": repository,
            "project": row,
            "files": files,
            "metadata": parse_core_metadata(bytes(stored.raw)) if stored else None,
            "url": f"{settings.BASE_URL}/{repository}/",
        },
    )


def _project(repository_id: int, name: str) -> Project | None:
    try:
        normalized = parse_name(name)
    except NameRefused:
        return None
    return Project.objects.filter(repository_id=repository_id, normalized=normalized).first()


def _principal(request: HttpRequest) -> Principal:
    user = request.user if isinstance(request.user, User) else None
    return Principal(user=user, address=request.META.get("REMOTE_ADDR", ""))
