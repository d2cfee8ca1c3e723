"""What a project's page says in words and draws: tags, releases over time, markers of extras."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from packages.filenames import NormalizedName
from packages.index.base import PageFile, ProjectPage
from packages.metadata import parse_core_metadata
from packages.pages.project.facts import people_of
from packages.pages.project.releases import named, newest_of, releases_of
from packages.pages.project.requirements import requirements_of
from packages.pages.project.subject import Contents
from packages.pages.project.timeline import timeline
from packages.tags import in_words
from tests.dists import make_metadata

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def a_file(
    filename: str,
    version: str = "1.0",
    *,
    kind: str = "wheel",
    yanked: str | None = None,
    days_ago: int | None = 0,
) -> PageFile:
    at = NOW - timedelta(days=days_ago) if days_ago is not None else None
    return PageFile(filename, version, "0" * 64, 1, at, "", "", yanked, kind, "")


def page_of(*files: PageFile) -> ProjectPage:
    return ProjectPage(NormalizedName("frog"), (), files, "active", "", 1)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("py3-none-any", "Python 3; any platform"),
        ("py2.py3-none-any", "Python 2 or Python 3; any platform"),
        ("1-py3-none-any", "Python 3; any platform"),
        ("cp38-abi3-win_amd64", "CPython 3.8 or newer (stable ABI); Windows, x86-64"),
        ("cp313-cp313t-win32", "CPython 3.13 (free-threaded); Windows, x86"),
        ("cp312-cp312-manylinux2014_aarch64", "CPython 3.12; Linux, glibc 2.17+, aarch64"),
        ("pp310-pypy310_pp73-musllinux_1_2_x86_64", "PyPy 3.10; Linux, musl 1.2+, x86-64"),
        ("cp312-cp312-macosx_11_0_universal2", "CPython 3.12; macOS 11.0+, x86-64 and arm64"),
        ("xy9-none-beos", "xy9; beos"),
        ("py2.py3.cp310.cp311.cp312-none-any",
         "Python 2 or Python 3 or CPython 3.10 and 2 more; any platform"),
    ],
)  # fmt: skip
def test_tags_in_words(tag: str, words: str) -> None:
    assert in_words("wheel", f"frog-1.0-{tag}.whl", "") == words


def test_releases_are_in_order_and_equal_versions_are_one() -> None:
    files = [a_file("a", "1.0"), a_file("b", "1.0.0"), a_file("c", "1.10"), a_file("d", "1.9"),
             a_file("e", "2.0rc1"), a_file("f", "3.0", yanked="croaks")]  # fmt: skip
    releases = releases_of(page_of(*files))
    assert [each.version for each in releases] == ["3.0", "2.0rc1", "1.10", "1.9", "1.0"]
    assert [each.state for each in releases][:3] == ["yanked", "pre-release", "final"]
    assert len(releases[-1].files) == 2
    newest = newest_of(releases)
    assert newest is not None
    assert newest.version == "1.10"
    assert named(releases, "1.10.0") is newest
    assert named(releases, "no version") is None
    assert newest_of([]) is None


def test_each_release_has_its_mark_on_the_axis() -> None:
    files = [a_file("a", "1.0", days_ago=800), a_file("b", "2.0rc1", days_ago=10),
             a_file("c", "2.0", yanked=""), a_file("d", "0.1", days_ago=None)]  # fmt: skip
    drawn = timeline(releases_of(page_of(*files)), NOW)
    assert drawn is not None
    assert [mark.state for mark in drawn.marks] == ["final", "pre-release", "yanked"]
    assert [mark.x for mark in drawn.marks] == sorted(mark.x for mark in drawn.marks)
    assert drawn.marks[-1].label == "2.0, yanked, 2026-11-20"
    assert [tick.name for tick in drawn.ticks] == ["2025", "2026"]
    assert timeline(releases_of(page_of(files[-1])), NOW) is None


def test_no_more_than_the_latest_releases_are_drawn() -> None:
    files = [a_file(f"f{at}", f"1.{at}", days_ago=1000 - at) for at in range(400)]
    drawn = timeline(releases_of(page_of(*files)), NOW)
    assert drawn is not None
    assert len(drawn.marks) == 300
    assert drawn.marks[-1].label.startswith("1.399, ")
    assert drawn.summary.startswith("The latest 300 of 400 releases")


@pytest.mark.parametrize(
    ("requirement", "extra", "marker"),
    [
        ("toad", "", ""),
        ("toad; extra == 'Pond_Life'", "pond-life", ""),
        ("toad; python_version < '4' and extra == 'x'", "x", 'python_version < "4"'),
        ("toad; (os_name == 'a' or os_name == 'b') and extra == 'x'", "x",
         'os_name == "a" or os_name == "b"'),
        ("toad; extra == 'x' or extra == 'y'", "", 'extra == "x" or extra == "y"'),
    ],
)  # fmt: skip
def test_a_requirement_stands_with_its_extra(
    db: None, requirement: str, extra: str, marker: str
) -> None:
    metadata = parse_core_metadata(make_metadata("frog", "1.0", requires_dist=[requirement]))
    found = requirements_of(Contents(metadata, None, None, is_upstreams=False), [])
    assert [(group.extra, group.needed[0].marker) for group in found.groups] == [(extra, marker)]


def test_a_text_that_is_no_requirement_is_shown_as_it_is(db: None) -> None:
    metadata = parse_core_metadata(make_metadata("frog", "1.0", requires_dist=["!! what"]))
    found = requirements_of(Contents(metadata, None, None, is_upstreams=False), [])
    (needed,) = found.groups[0].needed
    assert (needed.name, needed.normalized) == ("!! what", "")


@pytest.mark.parametrize(
    ("name", "addresses", "people"),
    [
        ("", "Ann <ann@example.org>, ben@example.org",
         [("Ann", "ann@example.org"), ("", "ben@example.org")]),
        ("Ann", "ann@example.org", [("Ann", "ann@example.org")]),
        ("Ann", "", [("Ann", "")]),
        ("Ann", "Ann <ann@example.org>", [("Ann", "ann@example.org")]),
        ("", "", []),
    ],
)  # fmt: skip
def test_people_are_named_once(name: str, addresses: str, people: list[tuple[str, str]]) -> None:
    assert [(each.name, each.email) for each in people_of(name, addresses)] == people
