"""Reads AQL as far as people's scripts use it: `items.find({...})` and what may come behind it.

    items.find({"repo": "k", "@qa": {"$match": "y*"}}).include("name", "@qa")
        .sort({"$desc": ["created"]}).offset(0).limit(100)

The arguments are JSON. Everything is bounded: characters, conditions and depth. A refusal names the
column, or the way to what is wrong: `find.$or[1].size`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from artifactory.errors import RequestUnreadable

LENGTH_AT_MOST = 20_000
_CONDITIONS_AT_MOST = 50
_DEPTH_AT_MOST = 8
RESULTS_AT_MOST = 5000
_OFFSET_AT_MOST = 100_000

OPERATORS = ("$eq", "$ne", "$match")
# What a file has, but for its properties, which are @name.
FIELDS = (
    *("repo", "path", "name", "type", "size"),
    *("created", "created_by", "modified", "modified_by", "updated"),
    *("actual_sha1", "actual_md5", "sha256"),
)
SORTED_BY = ("repo", "path", "name", "size", "created", "modified", "updated")
_NUMBERS = frozenset({"size"})
_BEGINNING = re.compile(r"\s*items\s*\.\s*find\s*\(\s*")
_NEXT = re.compile(r"\s*\.\s*(include|sort|offset|limit)\s*\(\s*")
_AND, _OR = "$and", "$or"

Pairs = list[tuple[str, Any]]  # an object of JSON: its names may come again


class AqlRefused(RequestUnreadable):
    """A query is none, or asks for what is not offered; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, or `@` and a property's name, compared with a value."""

    field: str
    operator: str
    value: str
    where: str  # the way to it in the query


@dataclass(frozen=True, slots=True)
class All:
    """What holds all of it; none of it: everything."""

    parts: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """What holds any of it."""

    parts: tuple[Criterion, ...]


Criterion = Condition | All | Either


@dataclass(frozen=True, slots=True)
class Aql:
    """A query, read."""

    criterion: All
    include: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()  # fields, with a - before those that fall
    offset: int = 0
    limit: int | None = None


def parse(text: str) -> Aql:
    """Return what a query says. Raises AqlRefused."""
    if len(text) > LENGTH_AT_MOST:
        raise AqlRefused(f"A query has at most {LENGTH_AT_MOST} characters.")
    calls = dict[str, list[Any]]()
    found = _BEGINNING.match(text)
    if found is None:
        raise AqlRefused("A query begins with items.find(, and finds nothing but items.")
    name, at = "find", found.end()
    while True:
        calls[name], at = _arguments(text, at)
        following = _NEXT.match(text, at)
        if following is None:
            break
        name, at = following[1], following.end()
        if name in calls:
            raise AqlRefused(f"column {following.start(1) + 1}: there is a .{name}( already.")
    if text[at:].strip():
        raise AqlRefused(
            f"column {at + 1}: after this comes .include(, .sort(, .offset( or .limit(, or nothing."
        )
    return Aql(
        criterion=_Reader().all_of(calls["find"], "find", depth=0),
        include=_included(calls.get("include", [])),
        sort=_sorted(calls.get("sort", [])),
        offset=_number(calls.get("offset", [0]), "offset", _OFFSET_AT_MOST),
        limit=_number(calls["limit"], "limit", RESULTS_AT_MOST) if "limit" in calls else None,
    )


def _arguments(text: str, at: int) -> tuple[list[Any], int]:
    """Read JSON values, divided by commas, up to the closing parenthesis; return where it ends."""
    decoder = json.JSONDecoder(object_pairs_hook=list)
    found: list[Any] = []
    while True:
        at = _past_spaces(text, at)
        if text.startswith(")", at) and not found:
            return found, at + 1
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise AqlRefused(f"column {error.pos + 1}: this is no JSON.") from None
        except (ValueError, RecursionError):  # a number of thousands of digits; nested too deep
            raise AqlRefused(f"column {at + 1}: this is nested too deep, or too long.") from None
        found.append(value)
        at = _past_spaces(text, at)
        if text.startswith(")", at):
            return found, at + 1
        if not text.startswith(",", at):
            raise AqlRefused(f"column {at + 1}: a comma or ) is missing here.")
        at += 1


def _past_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


class _Reader:
    """Turns JSON into criteria, and counts the conditions."""

    def __init__(self) -> None:
        self._conditions = 0

    def all_of(self, objects: list[Any], where: str, *, depth: int) -> All:
        """Return what all of some objects ask for."""
        parts = [
            part
            for at, each in enumerate(objects)
            for part in self._of_object(
                each, f"{where}[{at}]" if len(objects) > 1 else where, depth=depth
            )
        ]
        return All(tuple(parts))

    def _of_object(self, found: Any, where: str, *, depth: int) -> list[Criterion]:  # noqa: ANN401 - JSON
        if depth > _DEPTH_AT_MOST:
            raise AqlRefused(f"{where[:80]}: this is nested deeper than {_DEPTH_AT_MOST} levels.")
        return [self._of_pair(*pair, where, depth) for pair in _pairs(found, where)]

    def _of_pair(self, name: str, value: Any, where: str, depth: int) -> Criterion:  # noqa: ANN401 - JSON
        here = f"{where}.{name[:100]}"
        if name in {_AND, _OR}:
            if not isinstance(value, list) or not value or _is_object(value):
                raise AqlRefused(f"{here}: a list of objects is missing here.")
            if name == _AND:
                return self.all_of(value, here, depth=depth + 1)
            return Either(
                tuple(
                    All(tuple(self._of_object(each, f"{here}[{at}]", depth=depth + 1)))
                    for at, each in enumerate(value)
                )
            )
        if name not in FIELDS and not (name.startswith("@") and len(name) > 1):
            raise AqlRefused(
                f"{here}: there is no such field. There are {', '.join(FIELDS)}, and @ before the "
                f"name of a property; {_AND} and {_OR} take lists."
            )
        compared = value if _is_object(value) else [("$eq", value)]
        parts = [self._condition(name, each, wanted, here) for each, wanted in compared]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _condition(self, name: str, operator: str, value: Any, where: str) -> Condition:  # noqa: ANN401 - JSON
        self._conditions += 1
        if self._conditions > _CONDITIONS_AT_MOST:
            raise AqlRefused(f"{where}: a query has at most {_CONDITIONS_AT_MOST} conditions.")
        if operator not in OPERATORS:
            raise AqlRefused(
                f"{where}.{operator[:100]}: there is no such operator here, only "
                f"{', '.join(OPERATORS)}."
            )
        if type(value) is int and name in _NUMBERS:
            value = str(value)
        if not isinstance(value, str) or not value.isprintable():
            raise AqlRefused(f"{where}: the value is a plain text in quotes.")
        return Condition(name, operator, value, where)


def _is_object(found: Any) -> bool:  # noqa: ANN401 - JSON
    """Say whether JSON was an object that is not empty, which is read as its pairs."""
    return (
        isinstance(found, list) and bool(found) and all(isinstance(each, tuple) for each in found)
    )


def _pairs(found: Any, where: str) -> Pairs:  # noqa: ANN401 - JSON
    if found != [] and not _is_object(found):
        raise AqlRefused(f"{where[:80]}: an object of fields and values is missing here.")
    pairs: Pairs = found
    return pairs


def _included(found: list[Any]) -> tuple[str, ...]:
    known = {*FIELDS, "*", "property", "property.*", "property.key", "property.value"}
    for each in found:
        if not isinstance(each, str) or not (each in known or each.startswith("@")):
            raise AqlRefused(
                f"include: names of fields stand here, in quotes: {', '.join(FIELDS)}, property, "
                "and @ before the name of one."
            )
    return tuple(found)


def _sorted(found: list[Any]) -> tuple[str, ...]:
    if not found:
        return ()
    pairs = _pairs(found[0], "sort")
    if len(found) > 1 or len(pairs) != 1 or pairs[0][0] not in {"$asc", "$desc"}:
        raise AqlRefused('sort: {"$asc": [...]} or {"$desc": [...]} stands here.')
    ((direction, names),) = pairs
    if not isinstance(names, list) or not all(
        isinstance(each, str) and each in SORTED_BY for each in names
    ):
        raise AqlRefused(f"sort.{direction}: a list of {', '.join(SORTED_BY)} stands here.")
    return tuple(f"-{each}" if direction == "$desc" else each for each in names)


def _number(found: list[Any], name: str, at_most: int) -> int:
    if len(found) != 1 or type(found[0]) is not int or not 0 <= found[0] <= at_most:
        raise AqlRefused(f"{name}: a whole number up to {at_most} stands here.")
    number: int = found[0]
    return number
