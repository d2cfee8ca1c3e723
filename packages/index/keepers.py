"""Whose a name is beneath a virtual: who keeps it, who claims it, what has been taken from view.

DESIGN, "A virtual": a source keeps a name if it is a local that has or ever had the project, if it
claims the name, or if it is a private remote that has or ever had it. Rights, status, yanks and
outages do not end keeping; only letting the name go does.

A member of another tenant is a stranger here, a local too: a virtual's own tenant keeps its names
from it, its claims count for nothing, and it withdraws no file of ours (decision 0010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from packages.filenames import NormalizedName
from packages.index.base import PageFile
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
    sources = {place.source.id: place.source for place in tree.places}
    claims = claims_on(name, {*tree.beneath, tree.virtual.pk})
    keepers = {
        each
        for each, source in sources.items()
        if each[0] in claims and source.repository.tenant_id == tree.virtual.tenant_id
    }
    having = _having(name, sources)
    withdrawn = _withdrawn(name, sources)
    return Facts(
        tree=tree,
        name=name,
        claims=claims,
        marks=marks_of(name, tree.virtuals) if _may_be_marked(tree, sources) else frozenset(),
        keepers=keepers | {each for each, keeps in having.items() if keeps},
        having=having,
        quarantined=withdrawn[False],
        deleted=withdrawn[True],
    )


def _may_be_marked(tree: Tree, sources: Mapping[SourceId, Source]) -> bool:
    """Say whether a mark could free a source: our own locals are bound by every rule."""
    own = tree.virtual.tenant_id
    return any(
        not source.is_local or source.repository.tenant_id != own for source in sources.values()
    )


def _having(name: NormalizedName, sources: dict[SourceId, Source]) -> dict[SourceId, bool]:
    """Return the locals and private remotes that have or ever had the name.

    True: it keeps the name; False: it has let the name go.
    """
    keeping = {each for each, source in sources.items() if source.is_local or source.keeps_names}
    there = Q(repository_id__in={repository for repository, _ in keeping}, normalized=name)
    projects = Project.objects.filter(there)
    pages = UpstreamPage.objects.filter(there, was_ever_served=True)
    found: dict[SourceId, bool] = {}
    has_remotes = any(not sources[each].is_local for each in keeping)
    for rows in (projects, pages) if has_remotes else (projects,):
        for repository, scope, gone in rows.values_list("repository_id", "scope", "let_go_at"):
            each = (repository, scope)
            if each in keeping:
                found[each] = found.get(each, True) and gone is None
    return found


def _withdrawn(
    name: NormalizedName, sources: dict[SourceId, Source]
) -> dict[bool, list[Withdrawn]]:
    """Return the files that hide others of their name: under True the deleted ones."""
    rows = (
        Distribution.objects.filter(
            Q(deleted_at__isnull=False) | IS_QUARANTINED,
            repository_id__in={repository for repository, _ in sources},
            release__project__normalized=name,
        )
        .select_related("release__project")
        .order_by("release__version_key", "filename")
    )
    found: dict[bool, list[Withdrawn]] = {True: [], False: []}
    for row in rows:
        project = row.release.project if row.release else None
        source = sources.get((row.repository_id, project.scope)) if project else None
        is_deleted = row.deleted_at is not None
        # What a remote no longer holds is no tombstone: upstream still has it.
        if source is not None and (source.is_local or not is_deleted):
            found[is_deleted].append(Withdrawn(source, page_file(row)))
    return found
