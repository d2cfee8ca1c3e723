"""What stands beneath and above a repository, through the virtuals that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from repos.models import Kind, Member, Repository
from repos.stamps import locked_state

# How many virtuals may stand above one another (docs/virtuals.md).
DEPTH_AT_MOST = 5


def beneath(repository: Repository) -> set[int]:
    """Return the ids of everything that `repository` shows, however nested."""
    return _reached({repository.pk}, _members_of)


def virtuals_above(repository: Repository) -> set[int]:
    """Return the ids of the virtuals that show `repository`, however nested."""
    return _reached({repository.pk}, _virtuals_over)


def beneath_all_above(virtual: Repository) -> dict[int, frozenset[int]]:
    """Return what is beneath `virtual` and each virtual above it, by their ids."""
    over = {virtual.pk, *virtuals_above(virtual)}
    return {each: frozenset(_reached({each}, _members_of)) for each in over}


def names_kept_by(repositories: set[int]) -> dict[int, set[str]]:
    """Return the names that locals keep, and what locals and virtuals claim, by their ids.

    In a transaction: whoever publishes to one of the locals at this moment has either committed,
    and is seen, or comes after it.
    """
    alive = Repository.objects.filter(pk__in=repositories).exclude(kind=Kind.REMOTE)
    kept: dict[int, set[str]] = {each: set() for each in sorted(alive.values_list("pk", flat=True))}
    for each in kept:
        locked_state(each)
    # The projects' rows belong to the layer above, and are reached by the relation it declares.
    projects = alive.filter(projects__let_go_at__isnull=True, projects__isnull=False)
    for each, name in projects.values_list("pk", "projects__normalized"):
        kept[each].add(name)
    for each, pattern in alive.filter(claims__isnull=False).values_list("pk", "claims__pattern"):
        kept[each].add(pattern)
    return kept


def remotes_beside(local: Repository) -> set[int]:
    """Return the ids of the remotes that some virtual shows together with `local`."""
    virtuals = virtuals_above(local)
    if not virtuals:
        return set()
    shown = _reached(virtuals, _members_of)
    remotes = Repository.objects.filter(pk__in=shown, kind=Kind.REMOTE, deleted_at__isnull=True)
    return set(remotes.values_list("pk", flat=True))


def depth_with(virtual: Repository, members: Iterable[Repository]) -> int:
    """Return how many virtuals would stand above one another if `virtual` showed `members`.

    Counts to one more than is allowed, and no further.
    """
    nested = {member.pk for member in members if member.kind == Kind.VIRTUAL}
    above = _levels({virtual.pk}, _virtuals_over)
    below = _levels(nested, _virtuals_in)
    return sum(1 for _ in above) + sum(1 for _ in below)


def _members_of(virtuals: set[int]) -> set[int]:
    rows = Member.objects.filter(virtual_id__in=virtuals)
    return set(rows.values_list("repository_id", flat=True))


def _virtuals_in(virtuals: set[int]) -> set[int]:
    rows = Member.objects.filter(virtual_id__in=virtuals, repository__kind=Kind.VIRTUAL)
    return set(rows.values_list("repository_id", flat=True))


def _virtuals_over(members: set[int]) -> set[int]:
    rows = Member.objects.filter(repository_id__in=members, virtual__deleted_at__isnull=True)
    return set(rows.values_list("virtual_id", flat=True))


def _levels(level: set[int], step: Callable[[set[int]], set[int]]) -> Iterator[set[int]]:
    """Yield the levels from `level` on, each led to by the one before; at most one too many."""
    for _ in range(DEPTH_AT_MOST + 1):
        if not level:
            return
        yield level
        level = step(level)


def _reached(start: set[int], step: Callable[[set[int]], set[int]]) -> set[int]:
    """Return what `step` leads to from `start`, however often; it ends on circles too."""
    found: set[int] = set()
    level = start
    while level:
        level = step(level) - found
        found |= level
    return found
