"""What stands in a repository, a page of projects at a time, in the order of names or of uploads.

A page costs the same in a repository of ten projects and of a hundred thousand: it begins at a
place in an index and counts nothing. What a virtual shows is put together from the rows of its
sources. No upstream is asked: a remote stands here with what it holds.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from django.db.models import QuerySet

from accounts.principal import Principal
from base.errors import InvalidInput
from base.keyset import first_of
from packages.filenames import NormalizedName
from packages.index.base import PageFile, ProjectNotFound, ProjectPage
from packages.index.by_name import in_sources
from packages.index.decision import contributors_of
from packages.index.keepers import Facts, facts_of_all
from packages.index.virtual import entered
from packages.models import Project, UpstreamPage
from packages.search.engines import FitsPattern
from packages.search.language import Wildcard
from packages.words import name_form
from repos.models import Kind, Repository
from repos.virtuals import Source, SourceId, Tree

M = TypeVar("M", Project, UpstreamPage)

PER_PAGE = 50
# A virtual over more sources is listed as far as these.
_SOURCES_AT_MOST = PER_PAGE - 1
_COLUMNS = (
    "id", "normalized", "name", "scope", "status", "last_upload_at", "repository_id",
    "document__version", "document__summary",
)  # fmt: skip


_SOME_FILE = PageFile(
    filename="",
    version="",
    sha256="",
    size=None,
    uploaded_at=None,
    requires_python="",
    metadata_sha256="",
    yanked_reason=None,
    kind="",
    python_tag="",
)


class Order(enum.Enum):
    """What a list is put in order by, as it stands in URLs."""

    NAME = "name"
    UPLOAD = "upload"


_FIELDS = {Order.NAME: ("scope", "normalized"), Order.UPLOAD: ("-last_upload_at", "-id")}


class PlaceRefused(InvalidInput):
    """The place after which a list is to go on is none that a page of ours named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which projects are asked for: a part of their names, an order, and after which place."""

    contains: str = ""
    order: Order = Order.NAME
    after: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A project in a list."""

    pk: int
    normalized: str
    name: str
    scope: str  # of a remote
    status: str
    last_upload_at: datetime | None
    version: str  # the newest that is shown; empty without files to show
    summary: str
    repository_id: int
    # Of what a virtual shows: where it comes from.
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some projects in order, and the place after which the next ones begin; empty: the last."""

    items: Sequence[Item]
    after: str


def in_repository(repository: Repository, wanted: Wanted, *, limit: int = PER_PAGE) -> Page:
    """Return projects of a local or remote. Raises PlaceRefused."""
    projects = _named(Project.objects.filter(repository=repository), wanted.contains)
    rows = first_of(
        _later(projects, wanted),
        order=_FIELDS[wanted.order],
        columns=_COLUMNS,
        limit=limit + 1,
    )
    return _page([_item(row) for row in rows], wanted, limit)


def in_virtual(
    tree: Tree, readable: frozenset[int], wanted: Wanted, *, limit: int = PER_PAGE
) -> Page:
    """Return projects of the sources that may be read, each once, at the one that it comes from.

    By the decision that pages are made by, as far as rows tell: what an upstream has at this moment
    and whether single files are hidden is not looked at, `explain` says it. Raises PlaceRefused.
    """
    sources = dict(list(_readable(tree, readable).items())[:_SOURCES_AT_MOST])
    if not sources:
        return Page((), "")
    order = ("normalized", "id") if wanted.order is Order.NAME else _FIELDS[Order.UPLOAD]
    rows = first_of(
        [arm for source in sources for arm in _later_of(source, wanted)],
        order=order,
        columns=_COLUMNS,
        limit=limit + 1,
    )
    items = [_item(row) for row in rows]
    by_name = wanted.order is Order.NAME
    whole = _page_of_names(items, limit) if by_name else _page(items, wanted, limit)
    origins = _origins(tree, readable, {NormalizedName(item.normalized) for item in whole.items})
    shown = [
        replace(item, source=sources[_id(item)])
        for item in whole.items
        if _id(item) == next((each for each in origins[item.normalized] if each in sources), None)
    ]
    return Page(shown, whole.after)


def in_any(repository: Repository, by: Principal, wanted: Wanted) -> Page:
    """Return projects of a repository of any kind, as far as `by` may read. Raises PlaceRefused.

    Raises SignInRequired where a virtual's pages do.
    """
    if repository.kind != Kind.VIRTUAL:
        return in_repository(repository, wanted)
    where, readable = entered(repository, by)
    return in_virtual(where.tree, readable, wanted)


def _readable(tree: Tree, readable: frozenset[int]) -> dict[SourceId, Source]:
    """Return the sources that may be read all the way down to, in member order."""
    return {
        place.source.id: place.source
        for place in tree.places
        if place.repositories <= readable and place.source.lists_projects
    }


def _named(rows: QuerySet[M], contains: str) -> QuerySet[M]:
    """Return those of some rows whose normalised name holds a text; all of them for none."""
    form = name_form(contains)
    if not form:
        return rows
    return rows.filter(FitsPattern("normalized", (Wildcard.ANY, form, Wildcard.ANY)))


def _later(projects: QuerySet[Project], wanted: Wanted) -> list[QuerySet[Project]]:
    """Return what comes after the place in one repository: names of one scope after another."""
    if wanted.order is Order.UPLOAD:
        return _uploaded_before(projects, wanted.after)
    if not wanted.after:
        return [projects]
    scope, _, name = wanted.after.rpartition("/")
    return [
        projects.filter(scope=scope, normalized__gt=_printable(name)),
        projects.filter(scope__gt=_printable(scope)),
    ]


def _later_of(source: SourceId, wanted: Wanted) -> list[QuerySet[Project]]:
    """Return what comes after the place among one source's projects."""
    repository, scope = source
    projects = _named(Project.objects.filter(repository=repository, scope=scope), wanted.contains)
    if wanted.order is Order.UPLOAD:
        return _uploaded_before(projects, wanted.after)
    return [projects.filter(normalized__gt=_printable(wanted.after))]


def _uploaded_before(projects: QuerySet[Project], after: str) -> list[QuerySet[Project]]:
    projects = projects.filter(last_upload_at__isnull=False)
    if not after:
        return [projects]
    moment, _, pk = after.rpartition("/")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _refused()
    return [
        projects.filter(last_upload_at=at, pk__lt=_number(pk)),
        projects.filter(last_upload_at__lt=at),
    ]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):  # noqa: PLR2004 - digits of the largest row id
        raise _refused()
    return int(text)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise _refused()
    return text


def _refused() -> PlaceRefused:
    return PlaceRefused("There is no such page of this list. Begin with its first one.")


def _page(rows: list[Item], wanted: Wanted, limit: int) -> Page:
    """Return the rows that fit, and the place of the last one if there are more."""
    if len(rows) <= limit:
        return Page(rows, "")
    last = rows[limit - 1]
    if wanted.order is Order.UPLOAD:
        assert last.last_upload_at is not None  # noqa: S101 - the question leaves others out
        return Page(rows[:limit], f"{last.last_upload_at.isoformat()}/{last.pk}")
    after = f"{last.scope}/{last.normalized}" if last.scope else last.normalized
    return Page(rows[:limit], after)


def _page_of_names(rows: list[Item], limit: int) -> Page:
    """Return rows of whole names: of the last one there may be more than was read."""
    if len(rows) <= limit:
        return Page(rows, "")
    last = rows[-1].normalized
    whole = [row for row in rows if row.normalized != last]
    # At most as many sources have a name as are looked through, and that is not a page.
    return Page(whole, whole[-1].normalized)


def _item(row: Mapping[str, Any]) -> Item:
    return Item(
        pk=row["id"],
        normalized=row["normalized"],
        name=row["name"],
        scope=row["scope"],
        status=row["status"],
        last_upload_at=row["last_upload_at"],
        version=row["document__version"] or "",
        summary=row["document__summary"] or "",
        repository_id=row["repository_id"],
    )


def _id(item: Item) -> SourceId:
    return item.repository_id, item.scope


def _origins(
    tree: Tree, readable: frozenset[int], names: Collection[NormalizedName]
) -> dict[str, list[SourceId]]:
    """Return for each name the sources that it comes from, the first one first."""
    rows = Project.objects.filter(in_sources(names, list(tree.sources))).order_by()
    held: dict[str, set[SourceId]] = defaultdict(set)
    for name, pk, scope in rows.values_list("normalized", "repository_id", "scope"):
        held[name].add((pk, scope))
    return {
        name: [
            source.id
            for source in contributors_of(facts, readable, partial(_Held, facts, held[name]))
        ]
        for name, facts in facts_of_all(tree, names, ()).items()
    }


@dataclass(frozen=True, slots=True)
class _Held:
    """A source as far as rows tell: it has the page of a name that it holds something of."""

    facts: Facts
    holders: set[SourceId]
    source: Source

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return a page with some file or none. Raises ProjectNotFound."""
        if self.source.id not in self.holders:
            raise ProjectNotFound(f"{self.source} holds nothing of {project}.")
        is_let_go = not self.facts.having.get(self.source.id, True)
        files = () if is_let_go else (_SOME_FILE,)
        return ProjectPage(project, (), files, Project.Status.ACTIVE, "", 0)


def known_upstream(repository: Repository, wanted: Wanted, *, limit: int = PER_PAGE) -> Page:
    """Return names that a remote's upstream is known to serve, be anything held of them or not.

    Known are those that somebody has asked for. Raises PlaceRefused.
    """
    pages = UpstreamPage.objects.filter(repository=repository, scope="", is_served=True)
    pages = pages.exclude(normalized="")  # what is known of the list of projects as such
    pages = _named(pages, wanted.contains)
    if wanted.after:
        pages = pages.filter(normalized__gt=_printable(wanted.after))
    rows = pages.order_by("normalized").values_list("pk", "normalized")[: limit + 1]
    items = [
        Item(pk, name, name, "", Project.Status.ACTIVE, None, "", "", repository.pk)
        for pk, name in rows
    ]
    return _page(items, wanted, limit)
