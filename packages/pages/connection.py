"""What the commands on a page need to name the repository that it is about."""

from __future__ import annotations

from django.conf import settings

from repos.models import Repository


def connection(repository: Repository, *, takes_uploads: bool) -> dict[str, object]:
    """Return what the commands on a page need to name the repository."""
    return {
        **address(repository),
        "url": f"{settings.BASE_URL}/{repository}/",
        "takes_uploads": takes_uploads,
    }


def address(repository: Repository) -> dict[str, object]:
    """Return as much of it as a command that installs needs."""
    scheme, _, host = settings.BASE_URL.partition("://")
    return {"repository": repository, "scheme": scheme, "host": host}
