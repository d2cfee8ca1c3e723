"""What a virtual shows: the places of its sources, who keeps and claims a name, who may read.

A *place* is a local or remote beneath a virtual, with the virtuals that lead to it, from the top
down. The same source may stand in several places. See packages.index.decision for the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db.models import Exists, OuterRef, QuerySet

from accounts.principal import Principal
from base.stamps import Stamp
from repos.access import readable_by
from repos.models import (
    AlsoUpstream,
    Claim,
    Kind,
    Member,
    Repository,
    RepositoryState,
    Upstream,
    VirtualSettings,
)

SourceId = tuple[int, str]
_EXACT = 1_000  # more than any prefix is long
_NO_ROW = 0


@dataclass(frozen=True, slots=True)
class Source:
    """A local or remote beneath a virtual, in one scope of its upstream."""

    repository: Repository
    scope: str
    upstream: Upstream | None

    @property
    def id(self) -> SourceId:
        """Return what tells two sources apart."""
        return self.repository.pk, self.scope

    @property
    def is_local(self) -> bool:
        """Say whether what it has was published here."""
        return self.repository.kind == Kind.LOCAL

    @property
    def keeps_names(self) -> bool:
        """Say whether it is a remote that keeps every name that it ever had."""
        return self.upstream is not None and self.upstream.keeps_names

    @property
    def lists_projects(self) -> bool:
        """Say whether it passes its list of projects on."""
        return self.upstream is None or self.upstream.lists_projects

    def may_be_asked_for(self, name: str) -> bool:
        """Say whether its patterns let it be asked for `name` at all."""
        return self.upstream is None or self.upstream.may_ask_for(name)

    def __str__(self) -> str:
        return f"{self.repository}/{self.scope}" if self.scope else str(self.repository)


@dataclass(frozen=True, slots=True)
class Step:
    """One virtual on the way down, and which of its direct members the way goes through."""

    virtual: int
    member: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source stands: the steps that lead to it, from the top down."""

    source: Source
    steps: tuple[Step, ...]

    @property
    def repositories(self) -> set[int]:
        """Return the ids of all that one must be allowed to read, to be shown what is there."""
        return {step.virtual for step in self.steps[1:]} | {self.source.repository.pk}


@dataclass(frozen=True, slots=True)
class Tree:
    """A virtual and everything beneath it."""

    virtual: Repository
    # In member order, what is nested where its virtual stands.
    places: tuple[Place, ...]
    # Every virtual, the top one included, by its id.
    virtuals: Mapping[int, Repository]
    # The ids of the virtuals beneath each of them, itself included.
    nested: Mapping[int, frozenset[int]]
    # Those of them that show only the first direct member that has a name.
    firsts: frozenset[int]
    # Where uploads through the top one go, if anywhere: the id of a local.
    deployment: int | None = None
    # What each of the repositories claims, by its id; what a virtual claims its members inherit.
    claims: Mapping[int, frozenset[str]] = field(default_factory=dict)
    # The names that each of the virtuals takes also from upstream, by its id.
    marks: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @property
    def sources(self) -> dict[SourceId, Source]:
        """Return the sources, each once, by their ids."""
        return {place.source.id: place.source for place in self.places}

    @property
    def beneath(self) -> frozenset[int]:
        """Return the ids of everything beneath the virtual: sources and nested virtuals."""
        found = {place.source.repository.pk for place in self.places} | set(self.virtuals)
        return frozenset(found - {self.virtual.pk})

    def under(self, virtual: int) -> list[Place]:
        """Return the places beneath one of its virtuals, in order."""
        return [
            place for place in self.places if any(step.virtual == virtual for step in place.steps)
        ]


def tree_of(virtual: Repository) -> Tree:
    """Return `virtual` with all that it shows; as many questions as it is deep."""
    virtuals = {virtual.pk: virtual}
    members: dict[int, list[Member]] = defaultdict(list)
    level = {virtual.pk}
    while level:
        rows = Member.objects.filter(virtual_id__in=level).select_related(
            "repository__tenant", "repository__upstream"
        )
        level = set()
        for row in rows:
            members[row.virtual_id].append(row)
            if row.repository.kind == Kind.VIRTUAL and row.repository_id not in virtuals:
                virtuals[row.repository_id] = row.repository
                level.add(row.repository_id)
    settings = {
        row.repository_id: row for row in VirtualSettings.objects.filter(repository_id__in=virtuals)
    }
    places = tuple(_places(virtual.pk, (), members))
    firsts = [each for each, row in settings.items() if row.merge == VirtualSettings.Merge.FIRST]
    marks = AlsoUpstream.objects.filter(virtual__in=virtuals)
    return Tree(
        virtual=virtual,
        places=places,
        virtuals=virtuals,
        nested={each: frozenset(_nested(each, members)) for each in virtuals},
        firsts=frozenset(firsts),
        deployment=settings[virtual.pk].deployment_id if virtual.pk in settings else None,
        claims=_claims_of({place.source.repository.pk for place in places} | set(virtuals)),
        marks=_gathered(marks.values_list("virtual_id", "normalized")),
    )


def itself(repository: Repository) -> Source:
    """Return a local or remote as the source that it is, at the root of its upstream."""
    is_remote = repository.kind == Kind.REMOTE
    return Source(repository, "", getattr(repository, "upstream", None) if is_remote else None)


def alone(repository: Repository) -> Tree:
    """Return the tree of a virtual that would show one local or remote and nothing else."""
    virtual = Repository(
        pk=_NO_ROW, tenant=repository.tenant, key=repository.key, kind=Kind.VIRTUAL
    )
    return Tree(
        virtual=virtual,
        places=(Place(itself(repository), (Step(_NO_ROW, _NO_ROW),)),),
        virtuals={_NO_ROW: virtual},
        nested={_NO_ROW: frozenset({_NO_ROW})},
        firsts=frozenset(),
        claims=_claims_of({repository.pk}),
    )


def _places(
    virtual: int, above: tuple[Step, ...], members: Mapping[int, list[Member]]
) -> Iterable[Place]:
    for row in members.get(virtual, ()):
        steps = (*above, Step(virtual, row.pk))
        if row.repository.kind == Kind.VIRTUAL:
            yield from _places(row.repository_id, steps, members)
        else:
            upstream = getattr(row.repository, "upstream", None)
            yield Place(Source(row.repository, row.scope, upstream), steps)


def _nested(virtual: int, members: Mapping[int, list[Member]]) -> Iterable[int]:
    yield virtual
    for row in members.get(virtual, ()):
        if row.repository.kind == Kind.VIRTUAL:
            yield from _nested(row.repository_id, members)


def readable_beneath(principal: Principal, tree: Tree) -> frozenset[int]:
    """Return the ids of all beneath the virtual that `principal` may read, in one question.

    A token that is limited to a virtual reads through it as far as its owner may.
    """
    rows = _readable_through(principal).filter(pk__in=tree.beneath)
    return frozenset(rows.values_list("pk", flat=True))


def stamps_and_readable(
    repositories: Iterable[int], principal: Principal
) -> tuple[dict[int, Stamp], frozenset[int]]:
    """Return the stamps of a virtual and all beneath it, and which of them `principal` may read.

    As `stamps` and `readable_beneath` say, in one question: each look at a virtual asks it.
    """
    mine = _readable_through(principal).filter(pk=OuterRef("repository_id"))
    rows = list(
        RepositoryState.objects.filter(repository_id__in=repositories).annotate(
            is_readable=Exists(mine)
        )
    )
    readable = frozenset(row.repository_id for row in rows if row.is_readable)
    return {row.repository_id: row.stamp for row in rows}, readable


def virtual_showing(local: Repository, principal: Principal) -> Repository | None:
    """Return a virtual that `principal` may read and that has `local` as a member, if any does."""
    virtuals = readable_by(principal).filter(kind=Kind.VIRTUAL, members__repository=local)
    return virtuals.select_related("tenant").order_by("tenant__slug", "key").first()


def _readable_through(principal: Principal) -> QuerySet[Repository]:
    return readable_by(replace(principal, token=None))


def _claims_of(repositories: Iterable[int]) -> dict[int, frozenset[str]]:
    rows = Claim.objects.filter(repository_id__in=repositories).order_by()
    return _gathered(rows.values_list("repository_id", "pattern"))


def _gathered(pairs: Iterable[tuple[int, str]]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for pk, text in pairs:
        found[pk].add(text)
    return {pk: frozenset(texts) for pk, texts in found.items()}


def claims_on(name: str, tree: Tree) -> dict[int, int]:
    """Return how specific the best claim on `name` is, by the id of who claims it.

    An exact name is more specific than any prefix, a longer prefix more than a shorter one.
    """
    specific = specificity(name)
    return {
        claimer: max(specific[pattern] for pattern in covering)
        for claimer, patterns in tree.claims.items()
        if (covering := patterns & specific.keys())
    }


def specificity(name: str) -> dict[str, int]:
    """Return the patterns of claims that cover `name`, and how specific each of them is."""
    prefixes = [f"{name[: at + 1]}*" for at, char in enumerate(name) if char == "-"]
    return {name: _EXACT} | {prefix: len(prefix) for prefix in prefixes}


def marks_of(name: str, tree: Tree) -> frozenset[int]:
    """Return those of the virtuals that take `name` also from upstream."""
    return frozenset(virtual for virtual, names in tree.marks.items() if name in names)
