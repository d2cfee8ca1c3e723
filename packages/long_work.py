"""Says how long work stands: an import of a folder, a purge of what a remote keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from django.db.models import QuerySet

from base import clock
from packages.models import LongWork
from repos.models import Repository

W = TypeVar("W", bound=LongWork)

# Its process was killed when its row has not moved for so long.
_STOPPED_AFTER = timedelta(minutes=15)
_ENDED_SHOWN_FOR = timedelta(days=1)


def lately_in(repository: Repository, kind: type[W]) -> QuerySet[W]:
    """Return the work of one kind that goes on in a repository, or ended within a day.

    The latest comes first.
    """
    since = clock.now() - _ENDED_SHOWN_FOR
    rows: QuerySet[W] = kind._default_manager.filter(repository=repository)  # noqa: SLF001 - Django's public way
    return rows.filter(moved_at__gte=since).order_by("-pk")


def state_of(row: LongWork) -> str:
    """Return a word for how work stands; what no longer moves has lost its process."""
    if row.ended_at is not None:
        return "ended" if row.files_done == row.files else "broken off"
    return "stopped" if row.moved_at < clock.now() - _STOPPED_AFTER else "running"
