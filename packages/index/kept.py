"""Decides many names of a virtual at once, by what is kept: for searches, which ask nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from packages.filenames import NormalizedName
from packages.index.base import ProjectNotFound, ProjectPage
from packages.index.by_name import in_sources
from packages.index.decision import Decision, Pages, decide_by
from packages.index.keepers import Facts, facts_of_all, is_withdrawn
from packages.index.local import local_page, page_file
from packages.index.remote import Digests, RemoteIndex
from packages.models import Distribution, UpstreamMetadata, UpstreamPage
from packages.upstream.refresh import Known, kept_of
from packages.upstream.source import Source as UpstreamSource
from repos.virtuals import Source, SourceId, Tree

Key = tuple[SourceId, str]


def decide_kept(
    tree: Tree, names: Collection[NormalizedName], readable: frozenset[int]
) -> dict[NormalizedName, Decision]:
    """Return what a virtual has of each name, in as many questions for one as for a hundred."""
    sources = tree.sources
    rows = _rows(names, sources)
    facts = facts_of_all(tree, names, filter(is_withdrawn, rows))
    files: dict[Key, list[Distribution]] = defaultdict(list)
    for row in rows:
        if row.release is not None and row.deleted_at is None:
            project = row.release.project
            files[(row.repository_id, project.scope), project.normalized].append(row)
    remotes = [each for each, source in sources.items() if not source.is_local]
    of_remotes = in_sources(names, remotes)
    pages = _pages(of_remotes)
    # Only what stands on a page has a metadata file.
    has_lines = any(page.document is not None for page in pages.values())
    kept = _Kept(facts, files, pages, _digests(of_remotes) if has_lines else {})
    return {name: decide_by(each, readable, kept.open) for name, each in facts.items()}


def _rows(names: Collection[NormalizedName], sources: Collection[SourceId]) -> list[Distribution]:
    """Return the files of the names in all sources, deleted ones too, in the order of pages."""
    rows = Distribution.objects.filter(in_sources(names, sources, "release__project__"))
    rows = rows.select_related("release__project", "blob")
    return list(rows.order_by("release__version_key", "filename"))


def _pages(there: Q) -> dict[Key, UpstreamPage]:
    """Return what the upstreams of remotes once said of some names."""
    rows = UpstreamPage.objects.filter(there)
    return {((row.repository_id, row.scope), row.normalized): row for row in rows}


def _digests(there: Q) -> dict[Key, Digests]:
    """Return the digests of the metadata files that are kept of the names."""
    rows = UpstreamMetadata.objects.filter(there)
    found: dict[Key, dict[tuple[str, str], str]] = defaultdict(dict)
    for pk, scope, name, filename, of_file, digest in rows.values_list(
        "repository_id", "scope", "normalized", "filename", "of_file", "sha256"
    ):
        found[(pk, scope), name][filename, of_file] = digest
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Opens the sources of a virtual over what was read of them."""

    facts: Mapping[NormalizedName, Facts]
    files: Mapping[Key, Sequence[Distribution]]
    pages: Mapping[Key, UpstreamPage]
    digests: Mapping[Key, Digests]

    def open(self, source: Source) -> Pages:
        """Return the behaviour of a source as far as its pages go."""
        if source.is_local:
            return _KeptLocal(self, source.id)
        rows = _KeptRows(self, source.id)
        return RemoteIndex(source.repository, source.scope, ask=self._known, rows=rows)

    def _known(self, source: UpstreamSource, project: NormalizedName) -> Known:
        return kept_of(source, self.pages.get(((source.repository.pk, source.scope), project)))


@dataclass(frozen=True, slots=True)
class _KeptRows:
    """What was read of a remote, by project."""

    kept: _Kept
    source: SourceId

    def held(self, project: NormalizedName) -> Sequence[Distribution]:
        """Return the living files of a project."""
        return self.kept.files.get((self.source, project), ())

    def digests(self, project: NormalizedName) -> Digests:
        """Return the digests of its metadata files."""
        return self.kept.digests.get((self.source, project), {})


@dataclass(frozen=True, slots=True)
class _KeptLocal:
    """A local over the rows that were read of it."""

    kept: _Kept
    source: SourceId

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the files of `project`. Raises ProjectNotFound."""
        row = self.kept.facts[project].projects.get(self.source)
        if row is None:
            raise ProjectNotFound(f"There is no project {project}.")
        return local_page(row, map(page_file, self.kept.files.get((self.source, project), ())))
