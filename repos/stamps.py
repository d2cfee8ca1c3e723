"""Moves and reads the stamps of repositories (see base.stamps for what a stamp is)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from base.stamps import Stamp, new_nonce
from repos.models import Repository, RepositoryState


def move_epoch(repository: Repository) -> None:
    """Say that the repository's settings, members or upstream have changed."""
    RepositoryState.objects.filter(repository=repository).update(
        epoch=F("epoch") + 1, nonce=new_nonce()
    )


def locked_state(repository_id: int) -> RepositoryState:
    """Return the state row, locked until the transaction ends.

    Take it last: the lock is what makes the order of serials the order of commits, and every
    other change of the repository waits for it.
    """
    return RepositoryState.objects.select_for_update().get(repository_id=repository_id)


def move_serial(state: RepositoryState) -> int:
    """Save a locked state with the next serial, which says that contents changed; return it."""
    state.serial += 1
    state.nonce = new_nonce()
    state.save()
    return state.serial


def stamp(repository_id: int) -> Stamp:
    """Return the present stamp of one repository."""
    return RepositoryState.objects.get(repository_id=repository_id).stamp


def stamps(repository_ids: Iterable[int]) -> dict[int, Stamp]:
    """Return the present stamps of several repositories, in one question."""
    rows = RepositoryState.objects.filter(repository_id__in=repository_ids)
    return {row.repository_id: row.stamp for row in rows}
