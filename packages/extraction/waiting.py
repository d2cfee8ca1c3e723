"""How far extraction is in a repository, for people: what waits, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from base import clock
from packages.extraction.turns import pending
from packages.models import Distribution
from repos.models import Kind, Repository, RepositoryState

COUNTED_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """The files of a repository that wait to be extracted."""

    files: int
    is_more: bool  # than were counted
    is_running: bool
    seconds: int  # until it begins, unless something else is uploaded

    @property
    def says(self) -> str:
        """Say it in a sentence; empty when nothing waits."""
        if not self.files:
            return ""
        count = f"More than {self.files} files wait" if self.is_more else _counted(self.files)
        if self.is_running:
            return f"{count}; extraction is at work."
        if not self.seconds:
            return f"{count}; extraction starts at any moment."
        return f"{count}; extraction starts in {self.seconds} s unless something else is uploaded."


def waiting_in(repository: Repository) -> Waiting:
    """Return what waits in a repository."""
    state = RepositoryState.objects.filter(repository=repository).first()
    return waiting_of(repository, state)


def waiting_of(repository: Repository, state: RepositoryState | None) -> Waiting:
    """Return the same for whoever has its state; a virtual has no files of its own."""
    if state is None or state.extract_after is None or repository.kind == Kind.VIRTUAL:
        return Waiting(files=0, is_more=False, is_running=False, seconds=0)
    now = clock.now()
    files = pending(repository)[: COUNTED_AT_MOST + 1].count()
    until = state.extraction_lease_until
    return Waiting(
        files=min(files, COUNTED_AT_MOST),
        is_more=files > COUNTED_AT_MOST,
        is_running=until is not None and until > now,
        seconds=max(0, round((state.extract_after - now).total_seconds())),
    )


def not_extracted(repository: Repository) -> QuerySet[Distribution]:
    """Return the files that could not be read, or have no name, each with its reason."""
    states = [Distribution.Extraction.FAILED, Distribution.Extraction.UNLISTED]
    return (
        Distribution.objects.filter(
            repository=repository, extraction__in=states, deleted_at__isnull=True
        )
        .select_related("release__project")
        .order_by("filename", "pk")
    )


def _counted(files: int) -> str:
    return "1 file waits" if files == 1 else f"{files} files wait"
