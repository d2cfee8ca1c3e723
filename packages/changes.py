"""How contents are changed: what is locked, in which order, and what is marked at the end.

Every transaction takes its locks in this order, so that no two wait for each other: upstream's
page, the blob, the project, its distributions, the tenant (for the quota), and last the
repository's state.
"""

from __future__ import annotations

from datetime import timedelta

from base import clock
from packages.documents import note_project
from packages.models import Project
from repos.models import RepositoryState
from repos.stamps import locked_state, move_serial

_QUIET_PERIODS_AT_MOST = 10


def locked_project(project_id: int) -> Project:
    """Return the project, locked until the transaction ends."""
    return Project.objects.select_for_update(of=("self",)).get(pk=project_id)


def contents_changed(project: Project, *, repository_waits_for: int | None = None) -> None:
    """End a transaction that altered the page of `project`: its document, a new serial for both.

    Serials are handed out under the lock of the repository's state row, so their order is the
    order of commits. A new file also arms extraction: it begins once nobody has uploaded for
    `repository_waits_for` seconds, or for ten times that in all.
    """
    note_project(project)
    state = locked_state(project.repository_id)
    if repository_waits_for is not None:
        _arm_extraction(state, timedelta(seconds=repository_waits_for))
    project.changed = move_serial(state)
    project.save(update_fields=["changed"])


def _arm_extraction(state: RepositoryState, quiet: timedelta) -> None:
    now = clock.now()
    state.extraction_generation += 1
    state.oldest_pending_at = state.oldest_pending_at or now
    state.extract_after = min(now + quiet, state.oldest_pending_at + _QUIET_PERIODS_AT_MOST * quiet)
