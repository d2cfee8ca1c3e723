"""Says from inside an installation how far its files are extracted, as JSON: a row for each.

It runs in a process with the installation's environment, after django.setup().
"""

from __future__ import annotations

import json
from typing import TypedDict

from packages.models import Distribution, Property, Reading


class Found(TypedDict):
    """What is known of one file."""

    filename: str
    state: str
    reason: str
    attempts: int
    is_read: bool  # the reading is of its very bytes
    names: list[str]  # its pypi.name and pypi.version, by its archive


def main() -> None:
    """Print it."""
    read = dict(Reading.objects.values_list("distribution", "sha256"))
    said: dict[int, list[str]] = {}
    rows = Property.objects.filter(
        name__in=["pypi.name", "pypi.version"], origin=Property.Origin.ARCHIVE
    ).order_by("name")
    for pk, value in rows.values_list("distribution", "value"):
        said.setdefault(pk, []).append(value)
    found = [
        Found(
            filename=row.filename,
            state=row.extraction,
            reason=row.extraction_reason,
            attempts=row.extraction_attempts,
            is_read=read.get(row.pk) == row.sha256,
            names=said.get(row.pk, []),
        )
        for row in Distribution.objects.filter(deleted_at__isnull=True).order_by("pk")
    ]
    print(json.dumps(found))  # noqa: T201 - it is the answer
