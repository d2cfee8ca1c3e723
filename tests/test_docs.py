"""The pages in docs/: a test runs each command, and each link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients import ROOT
from tests.journeys.documented import DOCS, ELSEWHERE, PAGES, commands_of, fences, text_of

JOURNEYS = Path(__file__).parent / "journeys"
# Reference, for no one audience: how a machine in production is set up, and single commands.
NOT_RUN = {"running.md", "extraction.md", "search.md"}
FILES = {"ini", "toml", "yaml", "pip-requirements"}


def test_every_page_with_commands_is_run_by_a_test() -> None:
    with_commands = {page.name for page in DOCS.glob("*.md") if "```console" in page.read_text()}
    assert with_commands - {*PAGES, *ELSEWHERE} == NOT_RUN
    for page, test in {**dict.fromkeys(PAGES, "test_documented.py"), **ELSEWHERE}.items():
        assert f'"{page}"' in (JOURNEYS / test).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_what_is_typed_stands_in_consoles_alone(page: str) -> None:
    assert commands_of(page)
    assert {language for language, _ in fences(text_of(page))} <= {"console", "text", *FILES}


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors_of(there), target


def anchors_of(page: Path) -> set[str]:
    """Return what links to headings may end with."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
