"""Reads the query language: from a text to a query, or to a refusal that points at its column.

A text is cut into tokens, and the tokens are read by descent, one function per rule:

    query := all ("or" all)*
    all   := one ("and"? one)*
    one   := "not" one | "(" query ")" | field operator value | word

Everything is bounded: characters, terms and depth. There is no pattern here but `*` and `?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packages.search.language import (
    BUILT_IN,
    Compares,
    Matches,
    Not,
    Operator,
    Query,
    QueryRefused,
    Wildcard,
    Word,
    all_of,
    any_of,
    single_stars,
)
from packages.words import words_of

LENGTH_AT_MOST = 500
TERMS_AT_MOST = 20
DEPTH_AT_MOST = 10
# Longer than any property's name.
_FIELD_AT_MOST = 100

_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OPERATORS = ("!=", "<=", ">=", "==", ":", "=", "<", ">")
_MEANS = {"==": "="}
_KEYWORDS = frozenset({"and", "or", "not"})


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the text: `text` is a keyword, a parenthesis, an operator; else see `value`."""

    text: str
    column: int
    value: tuple[str | Wildcard, ...] | None = None  # of a word, quoted or not
    is_quoted: bool = False

    @property
    def keyword(self) -> str:
        """Return what the token is to the grammar; empty for a word."""
        if self.value is None:
            return self.text
        lower = self.text.lower()
        return lower if not self.is_quoted and lower in _KEYWORDS else ""


def parse(text: str) -> Query:
    """Return what a query says. Raises QueryRefused."""
    if len(text) > LENGTH_AT_MOST:
        raise QueryRefused(
            LENGTH_AT_MOST + 1, f"A query has at most {LENGTH_AT_MOST} characters; ask for less."
        )
    for at, char in enumerate(text):
        if not char.isprintable():
            raise QueryRefused(at + 1, "This character cannot be printed, and is in no value here.")
    return _Reader(list(_tokens(text)), len(text)).whole()


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] in "()":
            yield _Token(text[at], at + 1)
            at += 1
        elif operator := _operator(text, at):
            yield _Token(_MEANS.get(operator, operator), at + 1)
            at += len(operator)
        else:
            token, at = _word(text, at)
            yield token


def _operator(text: str, at: int) -> str:
    return next((each for each in _OPERATORS if text.startswith(each, at)), "")


def _word(text: str, start: int) -> tuple[_Token, int]:
    """Read a word, in quotes or not, and return where it ends."""
    is_quoted = text[start] == '"'
    at, parts = start + is_quoted, list[str | Wildcard]()
    while not _ends(text, at, is_quoted=is_quoted):
        char = text[at]
        if char == "\\":
            at += 1
            if at == len(text) or text[at] not in '\\"*?':
                raise QueryRefused(at, r"After \ comes one of \ " + '" * ? and nothing else.')
            parts.append(text[at])
        elif char in "*?":
            parts.append(Wildcard(char))
        else:
            parts.append(char)
        at += 1
    if is_quoted and at == len(text):
        raise QueryRefused(start + 1, 'This " has no partner.')
    end = at + is_quoted
    return _Token(text[start:end], start + 1, _merged(parts), is_quoted), end


def _ends(text: str, at: int, *, is_quoted: bool) -> bool:
    if at == len(text):
        return True
    if is_quoted:
        return text[at] == '"'
    # An epoch's "!" and a word's own "!" are no operator.
    return text[at].isspace() or text[at] in '()"' or bool(_operator(text, at))


def _merged(parts: list[str | Wildcard]) -> tuple[str | Wildcard, ...]:
    """Return parts with texts that stand beside each other in one."""
    merged: list[str | Wildcard] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        else:
            merged.append(part)
    return tuple(merged)


class _Reader:
    """Goes through the tokens once, from left to right."""

    def __init__(self, tokens: list[_Token], length: int) -> None:
        self._tokens = tokens
        self._end = _Token("", length + 1)
        self._at = 0
        self._terms = 0

    def whole(self) -> Query:
        """Return the query that all tokens make."""
        query = self._query(depth=0)
        left = self._next
        if left is not self._end:
            raise QueryRefused(left.column, f"There is no ( before this {left.text}.")
        return query

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else self._end

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _query(self, depth: int) -> Query:
        found = [self._all(depth)]
        while self._next.keyword == "or":
            self._take()
            found.append(self._all(depth))
        return any_of(found)

    def _all(self, depth: int) -> Query:
        found = [self._one(depth)]
        while self._next is not self._end and self._next.keyword not in {"or", ")"}:
            if self._next.keyword == "and":
                self._take()
            found.append(self._one(depth))
        return all_of(found)

    def _one(self, depth: int) -> Query:
        token = self._take()
        if depth > DEPTH_AT_MOST:
            raise QueryRefused(
                token.column, f"This is nested deeper than {DEPTH_AT_MOST} levels; say it flatter."
            )
        match token.keyword:
            case "not":
                return Not(self._one(depth + 1))
            case "(":
                query = self._query(depth + 1)
                if self._next.keyword != ")":
                    raise QueryRefused(token.column, "This ( has no ) that ends it.")
                self._take()
                return query
            case "" if token.value is not None:
                return self._term(token)
            case _:
                raise QueryRefused(token.column, _missing(token))

    def _term(self, token: _Token) -> Query:
        self._terms += 1
        if self._terms > TERMS_AT_MOST:
            raise QueryRefused(token.column, f"A query has at most {TERMS_AT_MOST} conditions.")
        operator = self._next
        if operator.value is not None or operator.text not in {*":", *map(_text, Operator)}:
            return _bare(token)
        self._take()
        value = self._take()
        if value.value is None:
            raise QueryRefused(
                value.column,
                f"After {token.text}{operator.text} comes a value; put it in quotes if it holds "
                "spaces, parentheses or operators.",
            )
        return _condition(token, operator, value)


def _text(operator: Operator) -> str:
    return operator.value


def _missing(token: _Token) -> str:
    if token.text in {"", ")", "and", "or"} or token.value is not None:
        return "A condition or a word is missing here."
    return f"There is no field before this {token.text}."


def _bare(token: _Token) -> Word:
    text = _literal(token.value or ())
    if not words_of(text):
        raise QueryRefused(token.column, "There is no letter and no digit in this to look for.")
    return Word(text, column=token.column)


def _condition(token: _Token, operator: _Token, value: _Token) -> Matches | Compares:
    name = token.text
    if token.is_quoted or not _FIELD.fullmatch(name) or len(name) > _FIELD_AT_MOST:
        raise QueryRefused(
            token.column,
            "Before an operator comes the name of a property, such as pypi.name or qa.approved, or "
            f"one of {', '.join(BUILT_IN)}.",
        )
    if operator.text == ":":
        return Matches(name, single_stars(value.value or ()), column=token.column)
    return Compares(name, Operator(operator.text), _literal(value.value or ()), column=token.column)


def _literal(parts: tuple[str | Wildcard, ...]) -> str:
    """Return the text of a value in which `*` and `?` mean themselves."""
    return "".join(each.value if isinstance(each, Wildcard) else each for each in parts)
