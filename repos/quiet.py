"""The quiet period: how long a repository's new files wait before their metadata is extracted.

Truth is in the state row. Beat only rings; whoever looks finds what is due.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.principal import Principal
from accounts.roles import Role
from base import audit, clock
from base.errors import InvalidInput
from repos.access import require
from repos.models import Repository, RepositoryState
from repos.stamps import locked_state

# Uploads push extraction forward, but not for longer than this many periods in all.
_PERIODS_AT_MOST = 10


class NothingWaits(InvalidInput):
    """No file of the repository waits to be extracted."""


def arm(state: RepositoryState, quiet_period: int) -> None:
    """Let extraction begin a quiet period from now; for a locked state, which the caller saves."""
    now, quiet = clock.now(), timedelta(seconds=quiet_period)
    state.extraction_generation += 1
    state.oldest_pending_at = state.oldest_pending_at or now
    state.extract_after = begins_after(now, state.oldest_pending_at, quiet)


def begins_after(last: datetime, oldest: datetime, quiet: timedelta) -> datetime:
    """Return when the extraction of files begins of which the last and the oldest came then."""
    return min(last + quiet, oldest + _PERIODS_AT_MOST * quiet)


def extract_now(repository: Repository, *, by: Principal) -> None:
    """Let the extraction of what waits begin at once, not after the quiet period."""
    require(by, repository.tenant.slug, repository.key, Role.ADMIN)
    with transaction.atomic():
        state = locked_state(repository.pk)
        if state.extract_after is None:
            raise NothingWaits(f"No file of {repository} waits to be extracted.")
        before, now = state.extract_after, clock.now()
        if before <= now:
            return
        state.extract_after = now
        state.save(update_fields=["extract_after"])
        audit.record(
            by=by.actor,
            action="extraction.now",
            tenant=repository.tenant.slug,
            repository=str(repository),
            subject=str(repository),
            before={"extract_after": before},
            after={"extract_after": now},
        )
