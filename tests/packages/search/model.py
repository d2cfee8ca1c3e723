"""The search as a model: files as plain values, and what a query says of one of them.

Written from docs/search.md, with nothing of the code that asks the database but the values of the
language itself, how text is cut into words, and PEP 440 as `packaging` has it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import InvalidVersion, Version

from packages.search.language import (
    BUILT_IN,
    And,
    Compares,
    Matches,
    Not,
    Operator,
    Or,
    Pattern,
    Query,
    Wildcard,
    Word,
)
from packages.words import words_of


@dataclass(frozen=True)
class File:
    """A file as the model knows it."""

    tenant: str
    key: str
    kind_of_repository: str
    project: str
    kind: str
    state: str
    attested: str
    properties: Mapping[str, Sequence[str]]
    about: str
    readme: str


def meets(file: File, query: Query) -> bool:
    """Say whether a file meets a query."""
    match query:
        case And(queries):
            return all(meets(file, each) for each in queries)
        case Or(queries):
            return any(meets(file, each) for each in queries)
        case Not(inner):
            return not meets(file, inner)
        case Word(text):
            return holds(file, text)
        case Matches(field, pattern):
            return any(described(pattern, value) for value in values(file, field, pattern))
        case Compares(field, sign, value):
            equal = Operator.EQUAL if sign == Operator.UNEQUAL else sign
            there = values(file, field, (value,))
            is_so = any(
                each == value if field in BUILT_IN else compared(each, equal, value)
                for each in there
            )
            return is_so != (sign == Operator.UNEQUAL)


def values(file: File, field: str, pattern: Pattern) -> Sequence[str]:
    """Return what a file has under the name of a field."""
    has_slash = any("/" in part for part in pattern if isinstance(part, str))
    built_in = {
        "tenant": [file.tenant],
        "repository": [f"{file.tenant}/{file.key}" if has_slash else file.key],
        "kind": [file.kind_of_repository, file.kind],
        "state": [file.state],
        "attested": [file.attested],
    }
    return built_in.get(field, file.properties.get(field, ()))


def described(pattern: Pattern, text: str) -> bool:
    """Say whether a pattern describes a text: by a regular expression, which is slow and plain."""
    signs = {Wildcard.ANY: ".*", Wildcard.ONE: "."}
    parts = [signs[each] if isinstance(each, Wildcard) else re.escape(each) for each in pattern]
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


_SIGNS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}


def compared(ours: str, sign: Operator, value: str) -> bool:
    """Compare as versions where the query names one, else by code points."""
    wanted = version(value)
    if wanted is None:
        return _SIGNS[sign](ours.encode(), value.encode())
    own = version(ours)
    return own is not None and _SIGNS[sign](own, wanted)


def version(text: str) -> Version | None:
    """Return the version that a text is, if it is one."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def holds(file: File, text: str) -> bool:
    """Say whether the text about the file's project holds a word."""
    name = re.sub(r"[-_.\s]+", "-", text.strip()).lower().strip("-")
    if name and name in file.project:
        return True
    there = words_of(f"{file.project} {file.about} {file.readme}")
    return all(any(each.startswith(word) for each in there) for word in words_of(text))
