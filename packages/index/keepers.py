"""Whose a name is beneath a virtual: who keeps it, who claims it, what has been taken from view.

docs/virtuals.md: a source keeps a name if it is a local that has or ever had the project, if it
claims the name, or if it is a private remote that has or ever had it. Rights, status, yanks and
outages do not end keeping; only letting the name go does.

A member of another tenant is a stranger here, a local too: a virtual's own tenant keeps its names
from it, its claims count for nothing, and it withdraws no file of ours (decision 0010).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from packages.filenames import NormalizedName
from packages.index.base import PageFile
from packages.index.by_name import in_sources
from packages.index.local import page_file
from packages.models import Distribution, Project, UpstreamPage
from repos.models import Repository
from repos.virtuals import Place, Source, SourceId, Tree, claims_on, marks_of

# What a distribution meets of which nothing is given out: its project is, or upstream says so.
IS_QUARANTINED = Q(release__project__status=Project.Status.QUARANTINED) | Q(
    upstream_change=Distribution.UpstreamChange.QUARANTINED
)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A file that is not given out, and hides others of its name."""

    source: Source
    file: PageFile


@dataclass
class Facts:
    """What the rows say of one name, and what the private remotes have answered since."""

    tree: Tree
    name: NormalizedName
    # How specific the claim is, by repository: of sources, and of virtuals, which inherit them.
    claims: dict[int, int]
    # The virtuals that take the name also from upstream.
    marks: frozenset[int]
    keepers: set[SourceId]
    # Locals and private remotes that have or had it, by rows; False: and have let it go.
    having: Mapping[SourceId, bool]
    # The rows of the name in the locals that have it.
    projects: Mapping[SourceId, Project]
    # A quarantined file hides its name in every source, a local's deleted one in remotes.
    quarantined: list[Withdrawn]
    deleted: list[Withdrawn]
    # Private remotes that may keep the name, and cannot say.
    unknown: set[SourceId] = field(default_factory=set)

    def keeps_what_it_has(self, source: Source) -> bool:
        """Say whether the name is the remote's as soon as its upstream has it."""
        return source.keeps_names and self.having.get(source.id, True)

    def is_without(self, source: Source) -> bool:
        """Say whether it is known that the source has no page of the name."""
        return source.is_local and source.id not in self.having

    @property
    def is_kept(self) -> bool:
        """Say whether the name is somebody's, whatever there is to show."""
        return bool(self.keepers) or any(each in self.claims for each in self.tree.virtuals)

    def claimed_against(self, place: Place) -> Source | None:
        """Return the source that claims the name instead of the one in `place`, if any."""
        for virtual in self._binding(place):
            claimed = [each for each in self.tree.under(virtual) if self._claim(each, virtual)]
            if claimed:
                # Of equals, max takes the first: member order.
                best = max(claimed, key=lambda each: self._claim(each, virtual)).source
                if best.id != place.source.id:
                    return best
        return None

    def kept_against(self, place: Place) -> Source | Repository | None:
        """Return who keeps the name from the source in `place`, if anybody.

        Of several remotes that keep it, the name is the one's that claims it best, then the first
        one's: two mirrors that have both had a name do not keep it from everybody.
        """
        for virtual in self._binding(place):
            if self._is_own_local(place.source, virtual):
                continue
            if (inherited := self._inherited(virtual)) is not None:
                return inherited
            keepers = [
                each
                for each in self.tree.under(virtual)
                if each.source.id in self.keepers or self._claim(each, virtual)
            ]
            own = (each.source for each in keepers if self._is_own_local(each.source, virtual))
            if (local := next(own, None)) is not None:
                return local
            if place.source.is_local:  # of another tenant: only what is our own is kept from it
                continue
            foreign = next((each.source for each in keepers if each.source.is_local), None)
            if foreign is not None:
                return foreign
            if keepers:
                holder = max(keepers, key=lambda each: self._claim(each, virtual)).source
                if holder.id != place.source.id:
                    return holder
        return None

    def perhaps_kept_against(self, place: Place) -> Source | None:
        """Return a private remote that may keep the name from this one and cannot say now."""
        if place.source.is_local:
            return None
        for virtual in self._binding(place):
            for each in self.tree.under(virtual):
                if each.source.id in self.unknown and each.source.id != place.source.id:
                    return each.source
        return None

    def _binding(self, place: Place) -> list[int]:
        """Return the virtuals above `place`, from the top, whose rules bind it.

        A mark frees a remote from the rules of the virtual that has it, and of no other.
        """
        return [
            step.virtual
            for step in place.steps
            if self._is_own_local(place.source, step.virtual) or step.virtual not in self.marks
        ]

    def _inherited(self, virtual: int) -> Repository | None:
        """Return the virtual, this one or one beneath it, that has the name by a claim."""
        having = (
            self.tree.virtuals[each]
            for each in sorted(self.tree.nested[virtual])
            if each in self.claims
        )
        return next((each for each in having if self._is_own(each, virtual)), None)

    def _claim(self, place: Place, virtual: int) -> int:
        """Return how specific the claim is that counts in `virtual`: of its own tenant's alone."""
        repository = place.source.repository
        return self.claims.get(repository.pk, 0) if self._is_own(repository, virtual) else 0

    def _is_own(self, repository: Repository, virtual: int) -> bool:
        return repository.tenant_id == self.tree.virtuals[virtual].tenant_id

    def _is_own_local(self, source: Source, virtual: int) -> bool:
        return source.is_local and self._is_own(source.repository, virtual)

    def may_withdraw(self, withdrawer: Source, other: Source) -> bool:
        """Say whether a file that one source has withdrawn is hidden in the other too."""
        top = self.tree.virtual.pk
        return self._is_own(withdrawer.repository, top) or not self._is_own(other.repository, top)

    def rank(self, source: Source) -> tuple[bool, bool]:
        """Return what sorts our own locals first, then other locals, then remotes."""
        return not self._is_own_local(source, self.tree.virtual.pk), not source.is_local


def facts_of(tree: Tree, name: NormalizedName) -> Facts:
    """Return what the rows say of `name` beneath a virtual; as many questions for any number."""
    return facts_of_all(tree, [name], _withdrawn_rows(name, tree.sources))[name]


def facts_of_all(
    tree: Tree, names: Collection[NormalizedName], withdrawn_rows: Iterable[Distribution]
) -> dict[NormalizedName, Facts]:
    """Return the same of several names, for whoever has read the files that are withdrawn."""
    sources = tree.sources
    rows = _rows_of(names, sources)
    withdrawn = _withdrawn(withdrawn_rows, sources)
    found = {}
    for name in names:
        claims = claims_on(name, tree)
        keepers = {
            each
            for each, source in sources.items()
            if each[0] in claims and source.repository.tenant_id == tree.virtual.tenant_id
        }
        having = _having(rows[name])
        found[name] = Facts(
            tree=tree,
            name=name,
            claims=claims,
            marks=marks_of(name, tree),
            keepers=keepers | {each for each, keeps in having.items() if keeps},
            having=having,
            projects={
                (row.repository_id, row.scope): row
                for row in rows[name]
                if isinstance(row, Project) and sources[row.repository_id, row.scope].is_local
            },
            quarantined=withdrawn[name, False],
            deleted=withdrawn[name, True],
        )
    return found


def _rows_of(
    names: Collection[NormalizedName], sources: dict[SourceId, Source]
) -> dict[str, list[Project | UpstreamPage]]:
    """Return where locals and private remotes have or ever had each of the names."""
    keeping = {each for each, source in sources.items() if source.is_local or source.keeps_names}
    there = in_sources(names, keeping)
    rows: list[Project | UpstreamPage] = list(Project.objects.filter(there))
    if any(not sources[each].is_local for each in keeping):
        pages = UpstreamPage.objects.filter(there, was_ever_served=True)
        rows += pages.only("repository_id", "scope", "normalized", "let_go_at")
    found: dict[str, list[Project | UpstreamPage]] = defaultdict(list)
    for row in rows:
        if (row.repository_id, row.scope) in keeping:
            found[row.normalized].append(row)
    return found


def _having(rows: Iterable[Project | UpstreamPage]) -> dict[SourceId, bool]:
    """Return the sources that have a name. True: it keeps it; False: it has let it go."""
    having: dict[SourceId, bool] = {}
    for row in rows:
        each = (row.repository_id, row.scope)
        having[each] = having.get(each, True) and row.let_go_at is None
    return having


def _withdrawn_rows(
    name: NormalizedName, sources: Mapping[SourceId, Source]
) -> Iterable[Distribution]:
    return (
        Distribution.objects.filter(
            in_sources([name], list(sources), "release__project__"),
            Q(deleted_at__isnull=False) | IS_QUARANTINED,
        )
        .select_related("release__project")
        .order_by("release__version_key", "filename")
    )


def is_withdrawn(row: Distribution) -> bool:
    """Say the same of a row that came with its release and project."""
    project = row.release.project if row.release else None
    return (
        row.deleted_at is not None
        or row.upstream_change == Distribution.UpstreamChange.QUARANTINED
        or (project is not None and project.status == Project.Status.QUARANTINED)
    )


def _withdrawn(
    rows: Iterable[Distribution], sources: Mapping[SourceId, Source]
) -> dict[tuple[str, bool], list[Withdrawn]]:
    """Return the files that hide others of their name, by project; under True the deleted ones."""
    found: dict[tuple[str, bool], list[Withdrawn]] = defaultdict(list)
    for row in rows:
        if row.release is None:
            continue
        project, is_deleted = row.release.project, row.deleted_at is not None
        source = sources.get((row.repository_id, project.scope))
        # What a remote no longer holds is no tombstone: upstream still has it.
        if source is not None and (source.is_local or not is_deleted):
            found[project.normalized, is_deleted].append(Withdrawn(source, page_file(row)))
    return found
