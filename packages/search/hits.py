"""What a search finds, as values: every door renders these, and none asks the database again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from repos.models import Repository

# What is counted is counted to here; beyond, it is "more than".
COUNTED_AT_MOST = 1000
PER_PAGE = 50


class _InARepository:
    """What every hit has: where it is."""

    __slots__ = ()
    repository: str
    scope: str
    project: str

    @property
    def page_of(self) -> tuple[str, str] | None:
        """Return tenant and key of the repository whose page of the project says more, if any."""
        if not self.project or self.scope:
            return None
        tenant, _, key = self.repository.partition("/")
        return tenant, key


@dataclass(frozen=True, slots=True)
class FileHit(_InARepository):
    """A file that meets the query."""

    repository: str  # that holds it: of a virtual, the member
    scope: str  # of a remote
    through: str  # the virtual that was searched, if one was
    project: str  # normalised; empty until extraction has named the file
    version: str
    filename: str
    kind: str
    size: int
    sha256: str
    requires_python: str
    is_yanked: bool
    state: str
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectHit(_InARepository):
    """A project whose text meets the query."""

    repository: str
    scope: str
    through: str
    project: str  # normalised
    name: str
    version: str  # the newest that is shown
    summary: str


@dataclass(frozen=True, slots=True)
class Facet:
    """How many of the hits counted are in a repository."""

    repository: str
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits, all of files or all of projects."""

    is_of_projects: bool
    files: Sequence[FileHit] = ()
    projects: Sequence[ProjectHit] = ()
    next_page: str = ""  # empty: this is the last
    # None where it is not known: what a virtual shows is decided hit by hit.
    count: int | None = None
    has_more: bool = False  # than `count`
    facets: Sequence[Facet] = ()
    # Of files: the ids of those counted, and how many there are of each kind.
    counted: Sequence[int] = ()
    kinds: Counter[str] = field(default_factory=Counter)
    # Nothing is called so; these names are like it.
    is_similar: bool = False


def facets_of(hits: Iterable[int], repositories: Iterable[Repository]) -> list[Facet]:
    """Return how many hits each repository has; `hits` names the one of each by its id."""
    names = {each.pk: str(each) for each in repositories}
    return [Facet(names[pk], count) for pk, count in Counter(hits).most_common()]
