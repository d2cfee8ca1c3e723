"""Queries that nobody has thought of, for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from packages.search.language import (
    Compares,
    Matches,
    Not,
    Operator,
    Query,
    Wildcard,
    Word,
    all_of,
    any_of,
)
from packages.words import words_of

NAMES = ("pypi.name", "pypi.version", "pypi.summary", "qa.approved", "qa.level")
VALUES = ("yes", "no", "Yes", "1.0", "1.0.0", "1.2", "1.10", "2.0rc1", "1!0.1", "frog", "frog-fu")
ODD = ("100%", "a_b", "a*b", "a?b", "[x]", "back\\slash", 'quo"te', "", " ", "é", "x and y", "(")
TEXTS = st.sampled_from([*VALUES, *ODD])
STATES = ("pending", "extracted", "failed", "unlisted")

fields = st.sampled_from(NAMES)
pieces = st.one_of(
    st.sampled_from([Wildcard.ANY, Wildcard.ONE]),
    TEXTS.filter(bool),
    st.sampled_from(["f", "ro", "1.", "y", "-", "%", "_"]),
)


def merged(parts: list[str | Wildcard]) -> tuple[str | Wildcard, ...]:
    """Return parts as the language has them: texts and stars never stand beside their like."""
    found: list[str | Wildcard] = []
    for part in parts:
        if found and isinstance(part, str) and isinstance(found[-1], str):
            found[-1] += part
        elif not (found and part is Wildcard.ANY and found[-1] is Wildcard.ANY):
            found.append(part)
    return tuple(found)


patterns = st.one_of(
    TEXTS.map(lambda text: (text,) if text else ()), st.lists(pieces, max_size=5).map(merged)
)
words = st.sampled_from(
    ["frog", "fr", "rog", "FROG", "frog-fu", "units", "functional units", "pond", "é", "and", "x"]
)


def chosen(field: str, *known: str) -> st.SearchStrategy[Query]:
    """Return conditions on a field that knows only some words."""
    return st.one_of(
        st.builds(lambda word: Matches(field, (word,)), st.sampled_from(known)),
        st.builds(
            lambda sign, word: Compares(field, sign, word),
            st.sampled_from([Operator.EQUAL, Operator.UNEQUAL]),
            st.sampled_from(known),
        ),
    )


conditions: st.SearchStrategy[Query] = st.one_of(
    st.builds(Matches, fields, patterns),
    st.builds(Compares, fields, st.sampled_from(list(Operator)), TEXTS),
    chosen("tenant", "acme", "globex", "nobody"),
    chosen("repository", "local", "acme/local", "globex/local", "other", "acme/none"),
    chosen("kind", "local", "remote", "wheel", "sdist"),
    chosen("state", *STATES),
    chosen("attested", "yes", "no"),
    words.map(Word),
)


def combined(one: st.SearchStrategy[Query], leaves: int = 6) -> st.SearchStrategy[Query]:
    """Return queries of several conditions."""
    return st.recursive(
        one,
        lambda below: st.one_of(
            below.map(Not),
            st.lists(below, min_size=2, max_size=3).map(all_of),
            st.lists(below, min_size=2, max_size=3).map(any_of),
        ),
        max_leaves=leaves,
    )


anything = combined(conditions)
of_words = combined(words.map(Word))
# Any text at all that a query may hold, not only what our files have.
printable = st.text(max_size=30).filter(lambda text: text.isprintable())
odd_conditions: st.SearchStrategy[Query] = st.one_of(
    st.builds(
        Matches,
        fields,
        st.lists(st.one_of(printable.filter(bool), pieces), max_size=4).map(merged),
    ),
    st.builds(Compares, fields, st.sampled_from(list(Operator)), printable),
    printable.filter(words_of).map(Word),
)
odd = combined(odd_conditions)
