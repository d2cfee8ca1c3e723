"""The page of a repository: what it holds, and how to connect to it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.authentication import caller_of
from accounts.principal import Principal
from accounts.roles import Role
from packages.extraction.waiting import not_extracted, waiting_in
from packages.models import Project, Property, UpstreamHealth
from packages.pages.connection import connection
from packages.pages.newest import newest_releases
from repos.access import may, readable_by, require
from repos.models import Kind, Repository, Upstream

_PROJECTS_PER_PAGE = 100
_COUNTED_AT_MOST = 100


def repository_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what a repository holds and how to connect to it."""
    principal = caller_of(request)
    repository = require(principal, tenant, key, Role.READER)
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
    newest = newest_releases(page.object_list)
    summaries = dict(
        Property.objects.filter(
            name="pypi.summary", distribution__release__in=newest.values()
        ).values_list("distribution__release__project", "value")
    )
    rows = [
        (project, newest.get(project.pk), summaries.get(project.pk, ""))
        for project in page.object_list
    ]
    return render(
        request,
        "packages/repository.html",
        {"page": page, "rows": rows}
        | connection(repository)
        | _kind_facts(repository, principal)
        | _extraction(repository, principal),
    )


def _kind_facts(repository: Repository, principal: Principal) -> dict[str, object]:
    """Return what is particular to the kind: a remote's upstream, a virtual's members in order."""
    match Kind(repository.kind):
        case Kind.LOCAL:
            return {}
        case Kind.REMOTE:
            upstream = Upstream.objects.filter(repository=repository).first()
            health = UpstreamHealth.objects.filter(repository=repository).first()
            return {"upstream": upstream, "health": health}
        case Kind.VIRTUAL:
            places = repository.members.select_related("repository__tenant")
            readable = set(readable_by(principal).values_list("pk", flat=True))
            return {"members": [(place, place.repository_id in readable) for place in places]}


def _extraction(repository: Repository, principal: Principal) -> dict[str, object]:
    """Return how far extraction is, for all; for those who may write, what went wrong there."""
    may_write = may(principal, repository, Role.WRITER)
    return {
        "waiting": waiting_in(repository),
        "may_write": may_write,
        "not_extracted": not_extracted(repository)[:_COUNTED_AT_MOST].count() if may_write else 0,
    }
