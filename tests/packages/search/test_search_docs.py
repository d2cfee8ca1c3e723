"""Each example of docs/search.md finds what stands beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from base.audit import SYSTEM
from packages.search.finding import search
from packages.search.language import QueryRefused
from repos import configure
from repos.models import Kind
from tests.attested import attest
from tests.cast import Cast, make_repository
from tests.packages.search.shelves import put

DOCS = Path(__file__).resolve().parents[3] / "docs" / "search.md"
_ROW = re.compile(
    r"^\| `(.+)` \| (projects: .+|files: .+|nothing|refused: column \d+) \|$", re.MULTILINE
)
EXAMPLES = [(query, finds) for query, finds in _ROW.findall(DOCS.read_text())]


@pytest.fixture
def published(cast: Cast) -> None:
    """What the document says is published."""
    local = make_repository(cast.acme.tenant, "pypi-local")
    virtual = make_repository(cast.acme.tenant, "pypi-virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [local], by=SYSTEM)
    theirs = make_repository(cast.globex.tenant, "pypi-local")
    red = {"qa.approved": ["yes"], "team": ["red"], "pypi.summary": ["Functional frogs"]}
    put(local, "frog-fu", "1.2", {**red, "qa.approved": ["yes", "no"]})
    attest(put(local, "frog-fu", "1.10", red))
    tools = {"pypi.summary": ["Functional tools"], "pypi.requires.python": [">=3.9"]}
    put(local, "acme-tools", "2.0rc1", tools)
    put(theirs, "frog-fu", "1.10", red)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == DOCS.read_text().partition("## Examples")[2].partition("##")[0].count(
        "\n| `"
    )


@pytest.mark.parametrize(("query", "finds"), EXAMPLES)
def test_an_example_finds_what_it_says(cast: Cast, published: None, query: str, finds: str) -> None:
    assert said(query, cast) == finds


def said(query: str, cast: Cast) -> str:
    """Return what a query finds for acme's admin, in the words of the document."""
    try:
        found = search(text=query, by=cast.acme.admin.principal)
    except QueryRefused as refused:
        return f"refused: column {refused.column}"
    if found.is_of_projects and found.projects and not found.is_similar:
        return f"projects: {', '.join(hit.name for hit in found.projects)}"
    names = sorted(hit.filename for hit in found.files)
    return f"files: {', '.join(names)}" if names else "nothing"
