"""What the commands about files share: finding one, and reading what is said of it."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management.base import CommandError
from django.db.models import Q

from packages.models import Distribution
from repos.management.commands._parsing import repository_named

_SHOWN_AT_MOST = 5


def file_named(repository: str, text: str) -> Distribution:
    """Return the file of `tenant/key` at the path `text`, or the one file of that name."""
    row = repository_named(repository)
    living = Distribution.objects.filter(repository=row, deleted_at__isnull=True)
    found = list(
        living.filter(Q(path=text) | Q(filename=text))
        .select_related("repository__tenant", "release__project")
        .order_by("path")[: _SHOWN_AT_MOST + 1]
    )
    if not found:
        raise CommandError(f"There is no file {text} in {row}.")
    if len(found) > 1:
        paths = ", ".join(file.path for file in found[:_SHOWN_AT_MOST])
        raise CommandError(f"{row} has several files {text}; give the path of one: {paths}.")
    return found[0]


def properties_in(arguments: Iterable[str]) -> dict[str, list[str]]:
    """Return what `name=value` says; a name given again has another value."""
    properties: dict[str, list[str]] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise CommandError(f"'{argument}' is not name=value, for example qa.approved=yes.")
        properties.setdefault(name, []).append(value)
    return properties
