"""The inside of bench/speed/peers/larder*.py: rows that would take a client far too long."""

from __future__ import annotations

from base import clock
from bench.speed.corpus import root_name
from packages.models import Project
from repos.models import Repository, RepositoryState

_LONG_AFTER = 86_400  # seconds; the longest quiet period there is
_BATCH = 5_000


def let_extraction_wait() -> None:
    """Put off what would follow uploads, until long after."""
    Repository.objects.filter(tenant__slug="acme").update(quiet_period=_LONG_AFTER)


def main(projects: int) -> None:
    """Let extraction wait, and write the projects of the root list."""
    let_extraction_wait()
    many = Repository.objects.get(tenant__slug="acme", key="many")
    now = clock.now()
    rows = (
        Project(
            repository=many,
            name=root_name(number),
            normalized=root_name(number),
            changed=number + 1,
            created_at=now,
            last_upload_at=now,
        )
        for number in range(projects)
    )
    Project.objects.bulk_create(rows, batch_size=_BATCH)
    RepositoryState.objects.filter(repository=many).update(serial=projects)
