"""Pages for people: a repository, a project in it, and the search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import TypeVar

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.principal import Principal
from accounts.roles import Role
from packages.extraction.waiting import not_extracted, waiting_in
from packages.filenames import NameRefused, parse_name
from packages.index.base import ProjectNotFound
from packages.metadata import CoreMetadata, parse_core_metadata
from packages.models import (
    Distribution,
    Project,
    Property,
    Reading,
    Release,
    StoredMetadata,
    UpstreamHealth,
    UpstreamPage,
)
from packages.search.finding import search
from packages.search.hits import Facet, Found, PageRefused
from packages.search.language import REPOSITORY, Matches, QueryRefused, all_of, written
from packages.search.parsing import parse
from packages.versions import newest_version
from repos.access import may, readable_by, require
from repos.models import Kind, Repository, Upstream, VirtualSettings

M = TypeVar("M", Reading, StoredMetadata)

_PROJECTS_PER_PAGE = 100
_COUNTED_AT_MOST = 100
# What the search page tells who has not asked yet: a query, and what it finds.
_EXAMPLES = (
    ("frog", "projects with the word in name, summary, keywords or README; names first"),
    ("pypi.name:acme-*", "files of projects whose names begin so; * and ? stand for what varies"),
    ("pypi.version>=1.2 and qa.approved:yes", "both; versions compare as installers compare them"),
    ('pypi.requires.python:">=3.9"', "exactly this value, in quotes for its signs"),
    ("(team:red or team:blue) not kind:sdist", "or, not and parentheses"),
    ("state:failed tenant:acme", "files whose metadata could not be read, in one tenant"),
    ("frog repository:acme/pypi-virtual", "what one virtual shows of that word"),
)


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
    newest = _newest_releases(page.object_list)
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
        | _connection(repository)
        | _kind_facts(repository, principal)
        | _extraction(repository, principal),
    )


@require_safe
def project_page(request: HttpRequest, tenant: str, key: str, project: str) -> HttpResponse:
    """Show the releases and files of one project, the release that installers take first."""
    repository = require(caller_of(request), tenant, key, Role.READER)
    row = _project(repository, project)
    newest = _newest_releases([row]).get(row.pk)
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
        | _connection(repository),
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


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Show what a query finds among what the reader may read; without one, how to ask."""
    text = _asked_for(request)
    context: dict[str, object] = {"text": text, "examples": _EXAMPLES}
    status = HTTPStatus.OK
    if text:
        try:
            found = search(text=text, by=caller_of(request), page=request.GET.get("page", ""))
            context |= {"found": found, "facets": _narrowed(text, found)}
        except (QueryRefused, PageRefused) as refused:
            status = HTTPStatus.BAD_REQUEST
            context |= {"refused": refused.sentence}
            if isinstance(refused, QueryRefused):
                context |= {"caret": " " * (refused.column - 1) + "^"}
    else:
        caller_of(request)  # a wrong credential is refused here too
    return render(request, "packages/search.html", context, status=status)


def _asked_for(request: HttpRequest) -> str:
    """Return the query; the box on a repository's page adds where to look."""
    text, within = (request.GET.get(name, "").strip() for name in ("q", "in"))
    if not within:
        return text
    where = written(Matches(REPOSITORY, (within,)))
    return f"{where} ({text})" if text else where


def _narrowed(text: str, found: Found) -> list[tuple[Facet, str]]:
    """Return the repositories of the hits, each with the query for what is in it alone."""
    query = parse(text)
    return [
        (facet, written(all_of([query, Matches(REPOSITORY, (facet.repository,))])))
        for facet in found.facets
    ]


def _connection(repository: Repository) -> dict[str, object]:
    """Return what the commands on a page need to name the repository."""
    scheme, _, host = settings.BASE_URL.partition("://")
    return {
        "repository": repository,
        "url": f"{settings.BASE_URL}/{repository}/",
        "scheme": scheme,
        "host": host,
        "takes_uploads": _takes_uploads(repository),
    }


def _takes_uploads(repository: Repository) -> bool:
    if repository.kind == Kind.VIRTUAL:
        return VirtualSettings.objects.filter(
            repository=repository, deployment__isnull=False
        ).exists()
    return repository.kind == Kind.LOCAL


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


def _newest_releases(projects: Iterable[Project]) -> dict[int, Release]:
    """Return the release that an installer would take, by project id."""
    releases: dict[int, dict[str, Release]] = defaultdict(dict)
    offered: dict[int, dict[str, bool]] = defaultdict(lambda: defaultdict(bool))
    files = Distribution.objects.filter(
        release__project__in=projects, deleted_at__isnull=True
    ).select_related("release")
    for file in files:
        release = file.release
        if release is not None:
            releases[release.project_id][release.version] = release
            offered[release.project_id][release.version] |= not (file.yanked or release.yanked)
    return {project: held[newest_version(offered[project])] for project, held in releases.items()}


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


def _extraction(repository: Repository, principal: Principal) -> dict[str, object]:
    """Return how far extraction is, for all; for those who may write, what went wrong there."""
    may_write = may(principal, repository, Role.WRITER)
    return {
        "waiting": waiting_in(repository),
        "may_write": may_write,
        "not_extracted": not_extracted(repository)[:_COUNTED_AT_MOST].count() if may_write else 0,
    }


def _project(repository: Repository, name: str) -> Project:
    try:
        normalized = parse_name(name)
    except NameRefused:
        normalized = None
    row = Project.objects.filter(repository=repository, normalized=normalized).first()
    if row is None:
        raise ProjectNotFound(f"There is no such project in {repository}.")
    return row
