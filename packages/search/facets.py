"""What the files that a search counted have in common, for people who want to narrow it.

Of those counted alone, so that it costs the same however much there is; and whoever asks was shown
these, so that nothing is counted that they may not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from packages.models import Property
from packages.search.hits import Found
from packages.search.language import KIND, REPOSITORY, TENANT, Matches

_PYTHON = "pypi.requires.python"
# The one of today, and the one before it (PEP 639).
_LICENCES = ("pypi.license.expression", "pypi.license")
_SHOWN_AT_MOST = 8
# A whole licence text in place of its name is nothing to choose by.
_VALUE_AT_MOST = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """A condition that some of the hits meet, and how many."""

    term: Matches
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """The choices of one sort, the most frequent first."""

    title: str
    choices: Sequence[Choice]


def groups_of(found: Found) -> list[Group]:
    """Return how the hits counted divide; a group in which there is nothing to choose is left out.

    Kind, Python and licence are of files: hits that are projects have several of each.
    """
    tenants: Counter[str] = Counter()
    for facet in found.facets:
        tenants[facet.repository.partition("/")[0]] += facet.count
    repositories = Counter({facet.repository: facet.count for facet in found.facets})
    groups = [
        _group("Tenant", TENANT, tenants),
        _group("Repository", REPOSITORY, repositories),
        _group("Kind", KIND, found.kinds),
        *(_of_properties(found.counted) if found.counted else ()),
    ]
    return [group for group in groups if any(each.count != found.count for each in group.choices)]


def _group(title: str, field: str, counts: Counter[str]) -> Group:
    choices = [Choice(Matches(field, (value,)), value, n) for value, n in counts.most_common()]
    return Group(title, choices[:_SHOWN_AT_MOST])


def _of_properties(files: Sequence[int]) -> list[Group]:
    wanted = {"Python": (_PYTHON,), "Licence": _LICENCES}
    names = [name for several in wanted.values() for name in several]
    said = (
        Property.objects.filter(distribution__in=files, name__in=names)
        .values_list("name", "value")
        .annotate(files=Count("pk"))
        .order_by("-files", "value")
    )
    choices = [
        Choice(Matches(name, (value,)), value, count)
        for name, value, count in said
        if len(value) <= _VALUE_AT_MOST
    ]
    return [
        Group(title, [each for each in choices if each.term.field in several][:_SHOWN_AT_MOST])
        for title, several in wanted.items()
    ]
