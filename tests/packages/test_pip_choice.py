"""Which file pip takes, and why none of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packages.index.base import PageFile
from packages.pip_choice import PLATFORMS, PYTHONS, Choice, choose
from tests.virtuals import page_file

ANY = "frog-{}-py3-none-any.whl"
LINUX = "frog-{}-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def files(*names: str, **change: object) -> list[PageFile]:
    return [replace(page_file(name, by="us"), **change) for name in names]  # type: ignore[arg-type]


def chosen(
    *page: PageFile, python: str = "3.12", platform: str = "linux-x86-64"
) -> tuple[str, Choice]:
    choice = choose(page, python=python, platform=platform)
    return (choice.taken.filename if choice.taken else ""), choice


def test_the_newest_version_is_taken_whatever_the_page_lists_first() -> None:
    name, choice = chosen(*files(ANY.format("1.10"), ANY.format("1.9"), ANY.format("1.2")))
    assert name == ANY.format("1.10")
    assert choice.why == (
        "1.10 is the newest version that fits Python 3.12 on Linux x86-64, "
        "and this is its only file that does"
    )
    assert choice.passed_over == {
        ANY.format("1.9"): "1.10 is newer",
        ANY.format("1.2"): "1.10 is newer",
    }


def test_of_one_version_the_wheel_that_fits_best_before_a_source_archive() -> None:
    name, choice = chosen(*files("frog-1.0.tar.gz", ANY.format("1.0"), LINUX.format("1.0")))
    assert name == LINUX.format("1.0")
    assert choice.why.endswith("of its wheels this one fits best")
    assert choice.passed_over["frog-1.0.tar.gz"] == "a wheel of this version fits"
    assert choice.passed_over[ANY.format("1.0")] == "another wheel of this version fits better"
    name, choice = chosen(*files("frog-1.0.tar.gz", ANY.format("1.0")))
    assert choice.why.endswith("a wheel comes before a source archive")


def test_a_newer_source_archive_comes_before_an_older_wheel() -> None:
    assert chosen(*files("frog-2.0.tar.gz", ANY.format("1.0")))[0] == "frog-2.0.tar.gz"


@pytest.mark.parametrize(
    ("tags", "fits"),
    [
        ("cp312-cp312-manylinux_2_17_x86_64", {"linux-x86-64"}),
        ("cp39-abi3-manylinux2014_aarch64", {"linux-arm64"}),
        ("cp312-cp312-musllinux_1_1_x86_64", {"alpine-x86-64"}),
        ("cp312-cp312-macosx_11_0_arm64", {"macos-arm64"}),
        ("cp312-cp312-macosx_10_9_universal2", {"macos-arm64", "macos-x86-64"}),
        ("cp312-cp312-win_amd64", {"windows-x86-64"}),
        ("cp311-cp311-win_amd64", set()),
        ("py2-none-any", set()),
        ("py2.py3-none-any", set(PLATFORMS)),
        ("cp313-abi3-any", set()),
    ],
)
def test_a_wheel_is_for_the_machines_that_its_tags_name(tags: str, fits: set[str]) -> None:
    page = files(f"frog-1.0-{tags}.whl")
    assert {each for each in PLATFORMS if chosen(*page, platform=each)[0]} == fits
    for each in set(PLATFORMS) - fits:
        _, choice = chosen(*page, platform=each)
        machine = f"Python 3.12 on {PLATFORMS[each].label}"
        assert choice.why == f"no file fits {machine}"
        assert list(choice.passed_over.values()) == [f"none of its tags fits {machine}"]


def test_what_requires_another_python_is_passed_over() -> None:
    (new,) = files(ANY.format("2.0"), requires_python=">=3.13")
    (odd,) = files(ANY.format("3.0"), requires_python="what is this")
    page = [new, *files(ANY.format("1.0"))]
    name, choice = chosen(*page)
    assert name == ANY.format("1.0")
    assert choice.passed_over[new.filename] == "it requires Python >=3.13"
    assert chosen(*page, python="3.13")[0] == new.filename
    assert chosen(odd, *page)[0] == odd.filename, "pip warns of it and goes on"


def test_a_pre_release_is_taken_only_where_there_is_nothing_final() -> None:
    name, choice = chosen(*files(ANY.format("2.0rc1"), ANY.format("1.0")))
    assert name == ANY.format("1.0")
    assert choice.passed_over[ANY.format("2.0rc1")] == "a pre-release, and there is a final version"
    assert chosen(*files(ANY.format("2.0rc1"), ANY.format("2.0.dev1")))[0] == ANY.format("2.0rc1")


def test_a_yanked_file_is_never_taken_and_keeps_pre_releases_out() -> None:
    yanked = files(ANY.format("2.0"), yanked_reason="")
    name, choice = chosen(*yanked, *files(ANY.format("1.0")))
    assert name == ANY.format("1.0")
    assert choice.passed_over[ANY.format("2.0")].startswith("it is yanked")
    name, choice = chosen(*yanked, *files(ANY.format("3.0rc1")))
    assert (name, choice.why) == ("", "what fits is yanked")


def test_what_pip_cannot_install_is_said() -> None:
    page = [
        *files("frog-1.0-py3.12.egg", kind="egg"),
        *files("frog-1.0.linux-x86_64.tar.gz", kind="dumb"),
        *files("frog-1_0-py3.whl"),
        *files("frog-what.tar.gz", version="what"),
    ]
    name, choice = chosen(*page)
    assert name == ""
    assert list(choice.passed_over.values()) == [
        "pip does not install this kind of archive (egg)",
        "pip does not install this kind of archive (dumb)",
        "pip cannot read its name",
        "pip cannot read its name",
    ]
    assert chosen() == ("", Choice(None, "the page lists no file", {}))


def test_a_build_number_decides_between_equals() -> None:
    page = files("frog-1.0-1-py3-none-any.whl", "frog-1.0-10-py3-none-any.whl", ANY.format("1.0"))
    assert chosen(*page)[0] == "frog-1.0-10-py3-none-any.whl"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_machine_takes_its_own_wheel_before_one_for_any(python: str, platform: str) -> None:
    interpreter = f"cp{python.replace('.', '')}"
    own = f"frog-1.0-{interpreter}-{interpreter}-{PLATFORMS[platform].tags[0]}.whl"
    name, _ = chosen(*files(own, ANY.format("1.0")), python=python, platform=platform)
    assert name == own
