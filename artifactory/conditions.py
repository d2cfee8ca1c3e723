"""Turns AQL into conditions on rows; properties are looked for as by every other search."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import reduce
from operator import and_, or_

from django.db.models import Q

from artifactory.aql import All, AqlRefused, Condition, Criterion, Either
from packages.search.conditions import of_property
from packages.search.engines import FitsPattern, FolderFits
from packages.search.language import Matches, Pattern, fits, pattern_of
from repos.models import Repository

_EVERYTHING = Q(pk__isnull=False)
_NOTHING = Q(pk__in=[])
_COLUMNS = {
    "name": "filename",
    "created_by": "uploaded_by",
    "modified_by": "uploaded_by",
    "actual_sha1": "blob__sha1",
    "actual_md5": "blob__md5",
    "sha256": "sha256",
}
_TIMES = frozenset({"created", "modified", "updated"})
_ROOT = "."
_DIGITS_AT_MOST = 18


def repositories_meant(criterion: All, repositories: Iterable[Repository]) -> list[Repository]:
    """Return the repositories that the conditions on `repo`, beside all others, leave."""
    wanted = [
        each for each in criterion.parts if isinstance(each, Condition) and each.field == "repo"
    ]
    return [row for row in repositories if all(_is_of(each, row) for each in wanted)]


def condition_of(criterion: Criterion, repositories: Iterable[Repository]) -> Q:
    """Return what a file in one of `repositories` must meet. Raises AqlRefused."""
    match criterion:
        case All(parts):
            return reduce(and_, [condition_of(each, repositories) for each in parts], _EVERYTHING)
        case Either(parts):
            return reduce(or_, [condition_of(each, repositories) for each in parts], _NOTHING)
        case Condition(field="repo"):
            return Q(repository_id__in=[row.pk for row in repositories if _is_of(criterion, row)])
        case Condition():
            found = _of_field(criterion)
            return ~found if criterion.operator == "$ne" else found


def names_people(criterion: Criterion) -> bool:
    """Say whether a query asks who uploaded a file."""
    if isinstance(criterion, Condition):
        return _COLUMNS.get(criterion.field) == "uploaded_by"
    return any(names_people(each) for each in criterion.parts)


def _is_of(condition: Condition, repository: Repository) -> bool:
    is_it = fits(_pattern(condition), repository.key)
    return is_it != (condition.operator == "$ne")


def _pattern(condition: Condition) -> Pattern:
    """Return the pattern of a value: in $match alone, * and ? stand for what varies."""
    if condition.operator == "$match":
        return pattern_of(condition.value)
    return (condition.value,) if condition.value else ()


def _of_field(condition: Condition) -> Q:
    """Return what a file meets whose field is as the condition says, the sign of $ne aside."""
    field, pattern = condition.field, _pattern(condition)
    if field.startswith("@"):
        return of_property(Matches(field[1:], pattern))
    if field == "path":
        return _of_folder(pattern)
    if field == "type":
        return _EVERYTHING if fits(pattern, "file") or fits(pattern, "any") else _NOTHING
    if field in _COLUMNS:
        return Q(FitsPattern(_COLUMNS[field], pattern))
    if condition.operator == "$match":
        raise AqlRefused(f"{condition.where}: {field} takes $eq and $ne, and no pattern.")
    reads: Callable[[Condition], Q] = _of_time if field in _TIMES else _of_size
    return reads(condition)


def _of_folder(pattern: Pattern) -> Q:
    """Return what a file meets that lies in such a folder; the root is "."."""
    found = (
        Q(FolderFits((*pattern[:-1], f"{pattern[-1]}/")))
        if _ends_in_text(pattern)
        else Q(FolderFits((*pattern, "/")))
    )
    if len(pattern) == 1 and isinstance(pattern[0], str):  # the index has these
        found &= Q(path__gte=f"{pattern[0]}/", path__lt=f"{pattern[0]}0")
    return found | Q(FolderFits(())) if fits(pattern, _ROOT) else found


def _ends_in_text(pattern: Pattern) -> bool:
    return bool(pattern) and isinstance(pattern[-1], str)


def _of_size(condition: Condition) -> Q:
    value = condition.value
    if not (value.isascii() and value.isdecimal() and len(value) <= _DIGITS_AT_MOST):
        raise AqlRefused(f"{condition.where}: a size is a number of bytes.")
    return Q(size=int(value))


def _of_time(condition: Condition) -> Q:
    try:
        at = datetime.fromisoformat(condition.value)
    except ValueError:
        raise AqlRefused(
            f"{condition.where}: a time is written as 2026-01-31T12:00:00.000+00:00."
        ) from None
    return Q(uploaded_at=at if at.tzinfo is not None else at.replace(tzinfo=UTC))
