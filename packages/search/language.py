"""The query language as values: what a query says, and the one canonical way to write it.

docs/search.md explains it to people, `packages.search.parsing` reads it. Everything here is a
plain value, so that the pages, REST, the command and the tests speak of the same thing.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as with_settings

from base.errors import InvalidInput

# The fields that are no properties.
TENANT, REPOSITORY, KIND, STATE, ATTESTED = "tenant", "repository", "kind", "state", "attested"
BUILT_IN = (TENANT, REPOSITORY, KIND, STATE, ATTESTED)


class QueryRefused(InvalidInput):
    """A query that cannot be understood; `column`, from 1 on, is where."""

    def __init__(self, column: int, sentence: str) -> None:
        """Put the column before the sentence, for those who see no caret."""
        super().__init__(f"column {column}: {sentence}")
        self.column = column


class Wildcard(enum.Enum):
    """What stands for text that varies."""

    ANY = "*"  # any characters, or none
    ONE = "?"  # exactly one


# Texts and wildcards in turn: no two texts, and no two stars, stand beside each other.
Pattern = tuple[str | Wildcard, ...]


class Operator(enum.Enum):
    """How `Compares` compares: versions as PEP 440 does, all else by code points."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class Reach(enum.IntEnum):
    """How much of a project a word is looked for in; each holds the one before it."""

    NAME = 1
    ABOUT = 2  # name, summary and keywords
    README = 3


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or several in quotes, that the text about a project holds."""

    text: str
    # Only the language's own words reach everywhere; pip search asks for name or summary alone.
    reach: Reach = Reach.README
    column: int = with_settings(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Matches:
    """`field:pattern`: one of the field's values is exactly this."""

    field: str
    pattern: Pattern
    column: int = with_settings(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compares:
    """`field>=value`: one of the field's values compares so; `!=`: none is equal."""

    field: str
    operator: Operator
    value: str
    column: int = with_settings(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    query: Query


@dataclass(frozen=True, slots=True)
class And:
    """What holds all of it: two queries or more, none of which is an `And`."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What holds any of it: two queries or more, none of which is an `Or`."""

    queries: tuple[Query, ...]


Query = Word | Matches | Compares | Not | And | Or
Term = Word | Matches | Compares


def all_of(queries: Iterable[Query]) -> Query:
    """Return what holds all of `queries`, of which there is at least one."""
    flat = [each for query in queries for each in _parts(query, And)]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(queries: Iterable[Query]) -> Query:
    """Return what holds any of `queries`, of which there is at least one."""
    flat = [each for query in queries for each in _parts(query, Or)]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def _parts(query: Query, kind: type[And | Or]) -> tuple[Query, ...]:
    return query.queries if isinstance(query, And | Or) and isinstance(query, kind) else (query,)


def terms(query: Query) -> Iterator[Term]:
    """Yield every term of a query, from left to right."""
    match query:
        case And(queries) | Or(queries):
            for each in queries:
                yield from terms(each)
        case Not(inner):
            yield from terms(inner)
        case _:
            yield query


def is_about_projects(query: Query) -> bool:
    """Say whether a query asks for projects: by words, and by where they are."""
    found = list(terms(query))
    return any(isinstance(each, Word) for each in found) and all(
        isinstance(each, Word) or each.field in {TENANT, REPOSITORY} for each in found
    )


def written(query: Query) -> str:
    """Return a query in the language; reading it again gives the same query."""
    match query:
        case Word(text):
            return _quoted(text, is_word=True)
        case Matches(name, pattern):
            return f"{name}:{_pattern(pattern)}"
        case Compares(name, operator, value):
            return f"{name}{operator.value}{_quoted(value)}"
        case Not(inner):
            return f"not {_within(inner, And, Or)}"
        case And(queries):
            return " and ".join(_within(each, Or) for each in queries)
        case Or(queries):
            return " or ".join(written(each) for each in queries)


def _within(query: Query, *looser: type[Query]) -> str:
    text = written(query)
    return f"({text})" if isinstance(query, looser) else text


def _pattern(pattern: Pattern) -> str:
    """Return a pattern in quotes unless nothing in it needs them."""
    texts = [each for each in pattern if isinstance(each, str)]
    escaped = "".join(
        each.value if isinstance(each, Wildcard) else _escaped(each, "*?") for each in pattern
    )
    is_plain = pattern and all(_is_plain(text) for text in texts)
    return escaped if is_plain else f'"{escaped}"'


def _quoted(text: str, *, is_word: bool = False) -> str:
    is_keyword = is_word and text.lower() in {"and", "or", "not"}
    return text if text and _is_plain(text) and not is_keyword else f'"{_escaped(text)}"'


def _escaped(text: str, also: str = "") -> str:
    return "".join(f"\\{char}" if char in '"\\' + also else char for char in text)


def _is_plain(text: str) -> bool:
    """Say whether a text needs no quotes, whatever stands beside it."""
    return all(char.isalnum() or char in "._-+/@" for char in text)


def pattern_of(text: str) -> Pattern:
    """Return a text as a pattern, in which each * and ? stands for text that varies."""
    pieces = [piece for piece in re.split(r"([*?])", text) if piece]
    return single_stars(Wildcard(each) if each in {"*", "?"} else each for each in pieces)


def single_stars(parts: Iterable[str | Wildcard]) -> Pattern:
    """Return parts as a pattern, in which a star after a star says nothing more."""
    pattern: list[str | Wildcard] = []
    for part in parts:
        if not (part is Wildcard.ANY and pattern and pattern[-1] is Wildcard.ANY):
            pattern.append(part)
    return tuple(pattern)


def fits(pattern: Pattern, text: str) -> bool:
    """Say whether a text is what a pattern describes, in time that does not explode."""
    parts = [each for part in pattern for each in ([part] if isinstance(part, Wildcard) else part)]
    at = part = 0
    star, tried = -1, 0
    while at < len(text):
        if part < len(parts) and parts[part] in {Wildcard.ONE, text[at]}:
            at, part = at + 1, part + 1
        elif part < len(parts) and parts[part] is Wildcard.ANY:
            star, tried, part = part, at, part + 1
        elif star >= 0:  # let the last star take one more character
            tried += 1
            at, part = tried, star + 1
        else:
            return False
    return all(each is Wildcard.ANY for each in parts[part:])
