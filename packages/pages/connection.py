"""What the commands on a page need to name the repository that it is about."""

from __future__ import annotations

from django.conf import settings

from repos.models import Kind, Repository, VirtualSettings


def connection(repository: Repository, *, takes_uploads: bool | None = None) -> dict[str, object]:
    """Return what the commands on a page need to name the repository.

    Who knows already whether it takes uploads says so.
    """
    return {
        **address(repository),
        "url": f"{settings.BASE_URL}/{repository}/",
        "takes_uploads": (_takes_uploads(repository) if takes_uploads is None else takes_uploads),
    }


def address(repository: Repository) -> dict[str, object]:
    """Return as much of it as a command that installs needs."""
    scheme, _, host = settings.BASE_URL.partition("://")
    return {"repository": repository, "scheme": scheme, "host": host}


def _takes_uploads(repository: Repository) -> bool:
    if repository.kind == Kind.VIRTUAL:
        return VirtualSettings.objects.filter(
            repository=repository, deployment__isnull=False
        ).exists()
    return repository.kind == Kind.LOCAL
