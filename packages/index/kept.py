"""Decides many names of a virtual at once, by what is kept: for searches, which ask nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from packages.filenames import NormalizedName
from packages.index.base import ProjectNotFound, ProjectPage
from packages.index.decision import Decision, Pages, decide_by
from packages.index.keepers import Facts, facts_of_all, is_withdrawn
from packages.index.local import local_page
from packages.index.remote import RemoteIndex
from packages.models import Distribution, UpstreamPage
from packages.upstream.refresh import Known, kept_of
from packages.upstream.source import Source as UpstreamSource
from repos.virtuals import Source, SourceId, Tree

Key = tuple[SourceId, str]


def decide_kept(
    tree: Tree, names: Collection[NormalizedName], readable: frozenset[int]
) -> dict[NormalizedName, Decision]:
    """Return what a virtual has of each name, in as many questions for one as for a hundred."""
    sources = {place.source.id: place.source for place in tree.places}
    rows = _rows(names, sources)
    facts = facts_of_all(tree, names, filter(is_withdrawn, rows))
    files: dict[Key, list[Distribution]] = defaultdict(list)
    for row in rows:
        if row.release is not None and row.deleted_at is None:
            project = row.release.project
            files[(row.repository_id, project.scope), project.normalized].append(row)
    kept = _Kept(facts, files, _pages(names, sources))
    return {name: decide_by(each, readable, kept.open) for name, each in facts.items()}


def _rows(
    names: Collection[NormalizedName], sources: Mapping[SourceId, Source]
) -> list[Distribution]:
    """Return the files of the names in all sources, deleted ones too, in the order of pages."""
    rows = Distribution.objects.filter(
        repository__in={repository for repository, _ in sources},
        release__project__normalized__in=list(names),
    )
    rows = rows.select_related("release__project", "blob")
    return list(rows.order_by("release__version_key", "filename"))


def _pages(
    names: Collection[NormalizedName], sources: Mapping[SourceId, Source]
) -> dict[Key, UpstreamPage]:
    """Return what the upstreams of the remotes once said of the names."""
    remotes = {each[0] for each, source in sources.items() if not source.is_local}
    rows: Iterable[UpstreamPage] = ()
    if remotes:
        rows = UpstreamPage.objects.filter(repository__in=remotes, normalized__in=list(names))
    return {((row.repository_id, row.scope), row.normalized): row for row in rows}


class _Kept:
    """Opens the sources of a virtual over what was read of them."""

    def __init__(
        self,
        facts: Mapping[NormalizedName, Facts],
        files: Mapping[Key, Sequence[Distribution]],
        pages: Mapping[Key, UpstreamPage],
    ) -> None:
        self._facts = facts
        self._read = files
        self._pages = pages

    def open(self, source: Source) -> Pages:
        """Return the behaviour of a source as far as its pages go."""
        if source.is_local:
            return _KeptLocal(source.id, self._facts, self._read)
        return RemoteIndex(
            source.repository, source.scope, ask=self._known, held=partial(self._held, source.id)
        )

    def _known(self, source: UpstreamSource, project: NormalizedName) -> Known:
        return kept_of(source, self._pages.get(((source.repository.pk, source.scope), project)))

    def _held(self, source: SourceId, project: NormalizedName) -> Sequence[Distribution]:
        return self._read.get((source, project), ())


class _KeptLocal:
    """A local over the rows that were read of it."""

    def __init__(
        self,
        source: SourceId,
        facts: Mapping[NormalizedName, Facts],
        files: Mapping[Key, Sequence[Distribution]],
    ) -> None:
        self._source = source
        self._facts = facts
        self._read = files

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the files of `project`. Raises ProjectNotFound."""
        row = self._facts[project].projects.get(self._source)
        if row is None:
            raise ProjectNotFound(f"There is no project {project}.")
        return local_page(row, self._read.get((self._source, project), ()))
