"""Finds the rows of names in the sources of a virtual, by the index that they have."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from repos.virtuals import SourceId


def in_sources(names: Collection[str], sources: Collection[SourceId], at: str = "") -> Q:
    """Return what finds the rows of some names in some sources; `at` leads to where these stand.

    Projects, upstream pages and upstream metadata all have them in this order in an index, which
    is of no use from where a column is left out. A scope is looked for in each of the
    repositories: whoever cannot have others' rows passes over what is of no source.
    """
    return Q(
        (f"{at}repository__in", {repository for repository, _ in sources}),
        (f"{at}scope__in", {scope for _, scope in sources}),
        (f"{at}normalized__in", set(names)),
    )
