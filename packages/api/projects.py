"""Projects and releases of a repository, as installers see them; status, yanks, names let go."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from packaging.utils import canonicalize_version
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.pages import CursorAsked, PageAsked, listed
from accounts.rest.schema import paged
from accounts.rest.views import RestView, asked, sent
from accounts.roles import Role
from base.keyset import cursor, place_of
from packages import shelves
from packages.api.facts import (
    LineFacts,
    ProjectFacts,
    ProjectInList,
    ProjectStatus,
    ReleaseFacts,
    Yank,
    provenance_of_line,
    url_of,
)
from packages.curate import let_go, set_status, yank
from packages.filenames import NormalizedName, VersionRefused, parse_version
from packages.index.base import PageFile, ProjectNotFound, ProjectPage
from packages.index.opening import open_for_people
from packages.index.virtual import page_order
from packages.models import Project, Release
from packages.shelves import Wanted
from packages.shown_file import parsed_name
from repos.access import require
from repos.models import Repository
from repos.virtuals import Source


class ProjectsAsked(CursorAsked):
    """Which projects are wanted."""

    contains = serializers.CharField(
        required=False, default="", max_length=100, help_text="A part of their names."
    )
    order = serializers.ChoiceField([each.value for each in shelves.Order], default="name")


class Projects(RestView):
    """The projects of a repository."""

    @extend_schema(
        operation_id="list_projects",
        parameters=[ProjectsAsked],
        responses=paged(ProjectInList, "ProjectPage"),
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List the projects of a repository; no upstream is asked."""
        repository = require(self.by, tenant, key, Role.READER)
        said = asked(ProjectsAsked, request)
        place = place_of(said["cursor"], str)
        wanted = Wanted(
            contains=said["contains"],
            order=shelves.Order(said["order"]),
            after=str(place[0]) if place else "",
        )
        page = shelves.in_any(repository, self.by, wanted)
        results = ProjectInList(page.items, many=True).data
        return listed(request, results, cursor(page.after) if page.after else "")


class OneProject(RestView):
    """A project of a repository."""

    @extend_schema(operation_id="read_project", responses=ProjectFacts)
    def get(self, request: Request, tenant: str, key: str, project: str) -> Response:
        """Read which versions of a project installers are shown."""
        repository = require(self.by, tenant, key, Role.READER)
        return Response(ProjectFacts(self._page(repository, project)).data)

    @extend_schema(operation_id="set_project_status", request=ProjectStatus, responses=ProjectFacts)
    def patch(self, request: Request, tenant: str, key: str, project: str) -> Response:
        """Archive, deprecate or quarantine a project, or make it active again."""
        repository = require(self.by, tenant, key, Role.ADMIN)
        row = _project(repository, parsed_name(repository, project))
        said = sent(ProjectStatus, request)
        status = Project.Status(said["status"])
        set_status(row, status=status, reason=said["reason"], by=self.by)
        return Response(ProjectFacts(self._page(repository, project)).data)

    def _page(self, repository: Repository, project: str) -> ProjectPage:
        return open_for_people(repository, self.by).page(parsed_name(repository, project))


class LetGo(RestView):
    """A name that a repository keeps."""

    @extend_schema(operation_id="let_name_go", request=None, responses={204: None})
    def post(self, request: Request, tenant: str, key: str, project: str) -> Response:
        """Let others have a name: virtuals take it from any remote again."""
        repository = require(self.by, tenant, key, Role.ADMIN)
        let_go(repository, parsed_name(repository, project), by=self.by)
        return Response(status=204)


class ProjectFiles(RestView):
    """The files of a project."""

    @extend_schema(
        operation_id="list_project_files",
        parameters=[PageAsked],
        responses=paged(LineFacts, "LinePage"),
    )
    def get(self, request: Request, tenant: str, key: str, project: str) -> Response:
        """List the files of a project that installers are shown, by version and name."""
        repository = require(self.by, tenant, key, Role.READER)
        name = parsed_name(repository, project)
        wanted = asked(PageAsked, request)
        page = open_for_people(repository, self.by).page(name)
        # After a place, not after a file: that one may be gone by now.
        after = place_of(wanted["cursor"], str, str)
        rows = sorted(
            ((page_order(file), file, source) for file, source in _files(page)), key=itemgetter(0)
        )
        later = [row for row in rows if after is None or row[0] > after]
        shown = later[: wanted["limit"]]
        lines = [_line(repository, name, file, source) for _, file, source in shown]
        following = cursor(*shown[-1][0]) if len(later) > len(shown) else ""
        return listed(request, LineFacts(lines, many=True).data, following)


class OneRelease(RestView):
    """A release that was published in a repository."""

    @extend_schema(operation_id="read_release", responses=ReleaseFacts)
    def get(self, request: Request, tenant: str, key: str, project: str, version: str) -> Response:
        """Read whether a release is yanked, and why."""
        repository = require(self.by, tenant, key, Role.READER)
        return Response(ReleaseFacts(_release(repository, project, version)).data)

    @extend_schema(
        operation_id="yank_release",
        request=Yank,
        responses=ReleaseFacts,
        examples=[
            OpenApiExample(
                "yanked", {"yanked": True, "reason": "It loses data."}, request_only=True
            )
        ],
    )
    def patch(
        self, request: Request, tenant: str, key: str, project: str, version: str
    ) -> Response:
        """Yank a release with all its files, or take that back."""
        repository = require(self.by, tenant, key, Role.WRITER)
        row = _release(repository, project, version)
        said = sent(Yank, request)
        yank(row, reason=said["reason"], by=self.by, undo=not said["yanked"])
        return Response(ReleaseFacts(_release(repository, project, version)).data)


def _project(repository: Repository, name: NormalizedName) -> Project:
    rows = Project.objects.select_related("repository__tenant")
    row = rows.filter(repository=repository, scope="", normalized=name).first()
    if row is None:
        raise ProjectNotFound(f"There is no project {name} in {repository}.")
    return row


def _release(repository: Repository, project: str, version: str) -> Release:
    row = _project(repository, parsed_name(repository, project))
    try:
        canonical = canonicalize_version(parse_version(version))
    except VersionRefused:
        canonical = ""
    releases = row.releases.select_related("project__repository__tenant")
    release = releases.filter(canonical=canonical).first()
    if release is None:
        raise ProjectNotFound(f"There is no such version of {row.normalized} in {repository}.")
    return release


def _files(page: ProjectPage) -> Iterator[tuple[PageFile, Source | None]]:
    """Yield the files of a page, each with where a virtual has it from."""
    return zip_longest(page.files, page.sources)


def _line(
    repository: Repository, name: NormalizedName, file: PageFile, source: Source | None
) -> dict[str, Any]:
    shown = (
        "filename", "version", "kind", "size", "sha256", "uploaded_at", "requires_python",
        "yanked_reason",
    )  # fmt: skip
    facts = {each: getattr(file, each) for each in shown}
    url = url_of(repository, "", name, file.sha256, file.filename)
    provenance = provenance_of_line(repository, name, file)
    return facts | {"source": str(source or repository), "url": url, "provenance": provenance}
