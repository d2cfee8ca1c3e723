"""The query language: what it reads, how it is written, and where it points when it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packages.search.language import (
    And,
    Compares,
    Matches,
    Not,
    Operator,
    Or,
    QueryRefused,
    Wildcard,
    Word,
    fits,
    is_about_projects,
    written,
)
from packages.search.parsing import DEPTH_AT_MOST, LENGTH_AT_MOST, TERMS_AT_MOST, parse
from tests.packages.search import model, queries
from tests.properties import examples

ANY, ONE = Wildcard.ANY, Wildcard.ONE
READ = {
    "frog": Word("frog"),
    '"functional units"': Word("functional units"),
    '"and"': Word("and"),
    "pypi.name:acme-*": Matches("pypi.name", ("acme-", ANY)),
    "a:?x**y": Matches("a", (ONE, "x", ANY, "y")),
    r'a:"\*\?\\\"*"': Matches("a", ('*?\\"', ANY)),
    'a:""': Matches("a", ()),
    "a:and": Matches("a", ("and",)),
    "pypi.version>=1.2": Compares("pypi.version", Operator.AT_LEAST, "1.2"),
    "pypi.version >= 1!2.0": Compares("pypi.version", Operator.AT_LEAST, "1!2.0"),
    "a==b": Compares("a", Operator.EQUAL, "b"),
    'a!="x*"': Compares("a", Operator.UNEQUAL, "x*"),
    "a!=**x": Compares("a", Operator.UNEQUAL, "**x"),
    r"**\**frog": Word("****frog"),
    "frog toad": And((Word("frog"), Word("toad"))),
    "frog AND toad": And((Word("frog"), Word("toad"))),
    "(frog and toad) newt": And((Word("frog"), Word("toad"), Word("newt"))),
    "frog or toad newt": Or((Word("frog"), And((Word("toad"), Word("newt"))))),
    "(frog or toad) newt": And((Or((Word("frog"), Word("toad"))), Word("newt"))),
    "not frog toad": And((Not(Word("frog")), Word("toad"))),
    "not (frog toad)": Not(And((Word("frog"), Word("toad")))),
}
REFUSED = {
    "": (1, "A condition or a word is missing here."),
    "frog and": (9, "A condition or a word is missing here."),
    "or frog": (1, "A condition or a word is missing here."),
    "()": (2, "A condition or a word is missing here."),
    "(frog": (1, "This ( has no ) that ends it."),
    "frog)": (5, "There is no ( before this )."),
    'a:b "frog': (5, 'This " has no partner.'),
    "a:b:c": (4, "There is no field before this :."),
    "url:https://x": (10, "There is no field before this :."),
    "a:": (3, "After a: comes a value"),
    "a:>=3.9": (3, "After a: comes a value"),
    ">3": (1, "There is no field before this >."),
    '"a b":c': (1, "Before an operator comes the name of a property"),
    "qa/x:y": (1, "Before an operator comes the name of a property"),
    "frog ***": (6, "There is no letter and no digit"),
    r"a:x\y": (4, r"After \ comes one of"),
    "a:x\\": (4, r"After \ comes one of"),
    "a:\x00": (3, "This character cannot be printed"),
    "a:\ud800": (3, "This character cannot be printed"),
    "x" * (LENGTH_AT_MOST + 1): (LENGTH_AT_MOST + 1, "A query has at most"),
    "x " * (TERMS_AT_MOST + 1): (2 * TERMS_AT_MOST + 1, "A query has at most"),
    "(" * (DEPTH_AT_MOST + 2) + "x": (DEPTH_AT_MOST + 2, "This is nested deeper"),
    "not " * (DEPTH_AT_MOST + 2) + "x": (4 * (DEPTH_AT_MOST + 1) + 1, "This is nested deeper"),
}


@pytest.mark.parametrize("text", READ)
def test_a_query_says(text: str) -> None:
    assert parse(text) == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_points_at_its_column(text: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        parse(text)
    column, sentence = REFUSED[text]
    assert refused.value.column == column
    assert refused.value.sentence.startswith(f"column {column}: {sentence}")


@examples(500)
@given(queries.odd)
def test_what_is_written_is_read_as_what_it_was(query) -> None:
    text = written(query)
    if len(text) <= LENGTH_AT_MOST:
        assert parse(text) == query


@examples(1000)
@given(st.text(alphabet=st.sampled_from('ab.:=!<>()"\\*? ornt\u00e9'), max_size=40))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    refused = None
    try:
        query = parse(text)
    except QueryRefused as error:
        refused = error
    if refused is None:
        assert parse(written(query)) == query
    else:
        assert 1 <= refused.column <= len(text) + 1
        assert refused.sentence.endswith(".")


@examples(300)
@given(queries.patterns, queries.TEXTS)
def test_a_pattern_fits_what_a_regular_expression_would(pattern, text: str) -> None:
    assert fits(pattern, text) == model.described(pattern, text)


def test_a_pattern_of_many_stars_takes_no_time_to_fail() -> None:
    assert not fits((ANY, "a") * 200 + ("b",), "a" * 5000)


def test_words_ask_for_projects_and_properties_for_files() -> None:
    asks = {
        "frog": True,
        "frog or not toad": True,
        "frog tenant:acme repository:acme/local": True,
        "repository:acme/local": False,
        "frog kind:wheel": False,
        "frog pypi.version>=1": False,
    }
    assert {text: is_about_projects(parse(text)) for text in asks} == asks
