"""Where a search looks: the repositories whose rows may be hits, and what a virtual shows of them.

Everything starts from what the caller may read. Without more, that are the locals and remotes
themselves. A virtual is searched when the query names it; then a hit is what its pages show, by
the decision that its pages are made by, and names the member that it comes from. No upstream is
asked: a remote stands there with what is kept of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from accounts.principal import Principal
from packages.documents import showable
from packages.filenames import NormalizedName
from packages.index.decision import Decision, Line
from packages.index.kept import decide_kept
from packages.index.virtual import entered
from packages.models import Distribution
from packages.search.conditions import is_of_repository
from packages.search.engines import FitsPattern
from packages.search.language import (
    REPOSITORY,
    And,
    Compares,
    Matches,
    Operator,
    Pattern,
    Query,
    QueryRefused,
    Wildcard,
    all_of,
    terms,
)
from repos.access import readable_by
from repos.models import Kind, Repository, Upstream
from repos.virtuals import SourceId, Tree


@dataclass
class ThroughVirtual:
    """What one virtual shows to the caller, decided name by name and remembered for a search."""

    tree: Tree
    readable: frozenset[int]
    _decisions: dict[NormalizedName, Decision] = field(default_factory=dict)

    @property
    def repositories(self) -> list[Repository]:
        """Return the sources beneath that the caller may read all the way down to."""
        found = {
            place.source.repository.pk: place.source.repository
            for place in self.tree.places
            if place.repositories <= self.readable
        }
        return list(found.values())

    @property
    def decided(self) -> int:
        """Return for how many names it was decided, each of which costs some questions."""
        return len(self._decisions)

    def look_at(self, names: Iterable[NormalizedName]) -> None:
        """Decide names that will be asked for, all at once."""
        new = [name for name in dict.fromkeys(names) if name not in self._decisions]
        if new:
            self._decisions |= decide_kept(self.tree, new, self.readable)

    def shown(self, name: NormalizedName, source: SourceId) -> list[Line]:
        """Return the lines of a name that come from one source and are shown."""
        self.look_at([name])
        return [line for line in self._decisions[name].shown if line.source.id == source]

    def shows(self, row: Distribution) -> bool:
        """Say whether the virtual shows this file of a source."""
        if row.release is None:
            return False
        project = row.release.project
        lines = self.shown(NormalizedName(project.normalized), (row.repository_id, project.scope))
        return any(
            line.file.filename == row.filename and line.file.sha256 in {"", row.sha256}
            for line in lines
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """The repositories whose rows may be hits, and the virtual that they are seen through."""

    repositories: Sequence[Repository]
    virtual: ThroughVirtual | None = None
    # Of the remotes that leave names out; a virtual's decisions know of them anyway.
    choosy: Sequence[Upstream] = ()

    def is_asked_for(self, column: str) -> Q:
        """Return what the normalised name in `column` meets if its remote is asked for it.

        What was fetched before a name was left out is still held, and no page shows it.
        """
        return is_asked_for(self.choosy, column)

    def files(self) -> QuerySet[Distribution]:
        """Return the files that may be hits; which of them a virtual shows, it says of each."""
        condition = self.is_asked_for("release__project__normalized")
        return showable().filter(condition, repository_id__in=self.ids)

    @property
    def ids(self) -> list[int]:
        """Return the ids of the repositories."""
        return [each.pk for each in self.repositories]


def ground_of(query: Query, by: Principal) -> tuple[Ground, Query | None]:
    """Return where `by` searches with this query, and what is left of the query there.

    Raises QueryRefused, and SignInRequired as a virtual's pages do.
    """
    readable = list(readable_by(by).select_related("tenant", "upstream"))
    virtual, rest = _named_virtual(query, readable)
    if virtual is None:
        return among(readable), query
    return through(virtual, by), rest


def among(repositories: Iterable[Repository]) -> Ground:
    """Return the ground of the locals and remotes among repositories that the caller may read."""
    own = [each for each in repositories if each.kind != Kind.VIRTUAL]
    return Ground(own, choosy=choosy_among(own))


def within(repository: Repository, by: Principal) -> Ground:
    """Return the ground of one repository that `by` may read. Raises SignInRequired."""
    if repository.kind == Kind.VIRTUAL:
        return through(repository, by)
    return among([repository])


def through(virtual: Repository, by: Principal) -> Ground:
    """Return the ground beneath a virtual. Raises SignInRequired."""
    where, readable = entered(virtual, by)
    seen = ThroughVirtual(where.tree, readable)
    return Ground(seen.repositories, seen)


def choosy_among(repositories: Sequence[Repository]) -> list[Upstream]:
    """Return the upstreams of `repositories` that are not asked for every name."""
    upstreams = (getattr(each, "upstream", None) for each in repositories)
    return [each for each in upstreams if each is not None and (each.include or each.exclude)]


def is_asked_for(choosy: Sequence[Upstream], column: str) -> Q:
    """Return what a name in `column` meets if its remote, where that is choosy, is asked for it."""
    condition = Q()
    for upstream in choosy:
        wanted = _fits_any(column, upstream.include) if upstream.include else Q()
        wanted &= ~_fits_any(column, upstream.exclude) if upstream.exclude else Q()
        condition &= ~Q(repository_id=upstream.repository_id) | wanted
    return condition


def _fits_any(column: str, patterns: Iterable[str]) -> Q:
    """Return what a name meets that one of `patterns` describes: * stands for any characters."""
    fits_one = [Q(FitsPattern(column, tuple(_parts(each)))) for each in patterns]
    return reduce(or_, fits_one, Q(pk__in=[]))


def _parts(pattern: str) -> Iterator[str | Wildcard]:
    for at, text in enumerate(pattern.split("*")):
        if at:
            yield Wildcard.ANY
        if text:
            yield text


def _named_virtual(
    query: Query, readable: Sequence[Repository]
) -> tuple[Repository | None, Query | None]:
    """Return the virtual that the query names, if it does, and the query without that."""
    parts = list(query.queries) if isinstance(query, And) else [query]
    found: list[tuple[Repository, Query]] = []
    for term in terms(query):
        if virtual := _virtual_of(term, readable):
            if not any(each is term for each in parts):
                raise QueryRefused(
                    _column(term),
                    f"{virtual} is a virtual, which is searched by itself: name it beside the "
                    "other conditions, not within or, not and parentheses.",
                )
            if found:
                raise QueryRefused(
                    _column(term), f"{found[0][0]} is searched already, and only one virtual is."
                )
            found.append((virtual, term))
    if not found:
        return None, query
    virtual, named = found[0]
    rest = [each for each in parts if each is not named]
    return virtual, all_of(rest) if rest else None


def _virtual_of(term: Query, readable: Sequence[Repository]) -> Repository | None:
    """Return the virtual that a term names in full; a pattern means locals and remotes."""
    pattern = _full_name(term)
    if pattern is None:
        return None
    named = [each for each in readable if is_of_repository(REPOSITORY, pattern, each)]
    virtuals = [each for each in named if each.kind == Kind.VIRTUAL]
    if virtuals and len(named) > 1:
        raise QueryRefused(
            _column(term), f"Several repositories have this key; say {virtuals[0]} for one of them."
        )
    return virtuals[0] if virtuals else None


def _full_name(term: Query) -> Pattern | None:
    match term:
        case Matches(field, (str() as text,)) if field == REPOSITORY:
            return (text,)
        case Compares(field, Operator.EQUAL, text) if field == REPOSITORY:
            return (text,)
        case _:
            return None


def _column(term: Query) -> int:
    return term.column if isinstance(term, Matches | Compares) else 1
