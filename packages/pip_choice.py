"""Which file of a project pip takes for a Python and a platform, and why none of the others.

The rules are pip's own: the tags of wheels (PEP 425), Requires-Python (PEP 345), yanked files
(PEP 592), pre-releases (PEP 440), the newest version, and of its files the wheel that fits best
before a source archive. `tests/journeys/test_pip_choice.py` asks pip itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from packages.filenames import Kind
from packages.index.base import PageFile

PYTHONS = ("3.14", "3.13", "3.12", "3.11", "3.10", "3.9")
USUAL_PYTHON = "3.12"
_Rank = tuple[Version, int, tuple[()] | tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Platform:
    """A kind of machine, and the platform tags that pip takes on it, best first."""

    label: str
    tags: tuple[str, ...]


def _glibc(machine: str) -> tuple[str, ...]:
    """Return the tags of a Linux of today: glibc 2.39, and all before it (PEP 600)."""
    old = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    lowest = 5 if machine == "x86_64" else 17
    names = []
    for minor in range(39, lowest - 1, -1):
        names.append(f"manylinux_2_{minor}_{machine}")
        if minor in old:
            names.append(f"{old[minor]}_{machine}")
    return (*names, f"linux_{machine}")


def _musl(machine: str) -> tuple[str, ...]:
    """Return the tags of an Alpine of today (PEP 656)."""
    names = (f"musllinux_1_{minor}_{machine}" for minor in range(2, -1, -1))
    return (*names, f"linux_{machine}")


PLATFORMS: Mapping[str, Platform] = {
    "linux-x86-64": Platform("Linux x86-64", _glibc("x86_64")),
    "linux-arm64": Platform("Linux ARM64", _glibc("aarch64")),
    "alpine-x86-64": Platform("Alpine x86-64", _musl("x86_64")),
    "macos-arm64": Platform("macOS 15, Apple silicon", tuple(mac_platforms((15, 0), "arm64"))),
    "macos-x86-64": Platform("macOS 15, Intel", tuple(mac_platforms((15, 0), "x86_64"))),
    "windows-x86-64": Platform("Windows x86-64", ("win_amd64",)),
}
USUAL_PLATFORM = "linux-x86-64"


@dataclass(frozen=True, slots=True)
class Choice:
    """What pip takes, and why; of each other file by its name, why not."""

    taken: PageFile | None
    why: str
    passed_over: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that fits, with what it is compared by."""

    file: PageFile
    rank: _Rank

    @property
    def version(self) -> Version:
        return self.rank[0]


@dataclass(frozen=True, slots=True)
class _Machine:
    """A Python on a platform."""

    python: str
    platform: Platform

    def __str__(self) -> str:
        return f"Python {self.python} on {self.platform.label}"


def choose(files: Sequence[PageFile], *, python: str, platform: str) -> Choice:
    """Return what `pip install NAME` takes of a page's `files`, in the page's order."""
    machine = _Machine(python, PLATFORMS[platform])
    why_not: dict[str, str] = {}
    fitting = list(_fitting(files, machine, why_not))
    offered = list(_offered(fitting, why_not))
    if not offered:
        return Choice(None, _why_none(files, fitting, machine), why_not)
    # Of equals pip takes the last on the page.
    best = max(enumerate(offered), key=lambda each: (each[1].rank, each[0]))[1]
    for each in offered:
        if each is not best:
            why_not[each.file.filename] = _why_not(each, best)
    return Choice(best.file, _why(best, offered, machine), why_not)


def _fitting(
    files: Iterable[PageFile], machine: _Machine, why_not: dict[str, str]
) -> Iterator[_Candidate]:
    """Yield the files that pip can install there; of the others, note why not."""
    order = _tag_order(machine.python, machine.platform.tags)
    for file in files:
        try:
            candidate = _candidate(file, order)
        except (InvalidWheelFilename, InvalidVersion):
            why_not[file.filename] = "pip cannot read its name"
            continue
        if candidate is None:
            is_wheel = file.kind == Kind.WHEEL
            why_not[file.filename] = (
                f"none of its tags fits {machine}"
                if is_wheel
                else f"pip does not install this kind of archive ({file.kind})"
            )
        elif not _takes_python(file.requires_python, machine.python):
            why_not[file.filename] = f"it requires Python {file.requires_python}"
        else:
            yield candidate


def _candidate(file: PageFile, order: Mapping[Tag, int]) -> _Candidate | None:
    if file.kind == Kind.SDIST:
        return _Candidate(file, (Version(file.version), -len(order), ()))
    if file.kind != Kind.WHEEL:
        return None
    _, version, build, tags = parse_wheel_filename(file.filename)
    places = [order[tag] for tag in tags if tag in order]
    return _Candidate(file, (version, -min(places), build)) if places else None


def _takes_python(requires: str, python: str) -> bool:
    """Say whether pip holds the file to be for this Python: the .0 of it, as pip reads "3.12"."""
    try:
        return SpecifierSet(requires).contains(f"{python}.0", prereleases=True)
    except InvalidSpecifier:
        return True  # pip warns, and goes on


def _offered(fitting: list[_Candidate], why_not: dict[str, str]) -> Iterator[_Candidate]:
    """Yield what is left without pre-releases and then without yanked files, as pip does it.

    In this order: a final version that is yanked keeps the pre-releases out all the same.
    """
    has_final = any(not each.version.is_prerelease for each in fitting)
    for each in fitting:
        if each.version.is_prerelease and has_final:
            why_not[each.file.filename] = "a pre-release, and there is a final version"
        elif each.file.yanked_reason is not None:
            why_not[each.file.filename] = "it is yanked, and taken only when asked for exactly"
        else:
            yield each


def _why_not(each: _Candidate, best: _Candidate) -> str:
    if each.version != best.version:
        return f"{best.file.version} is newer"
    if each.file.kind != best.file.kind:
        return "a wheel of this version fits"
    if each.rank == best.rank:
        return "another file of this version stands behind it on the page"
    return "another wheel of this version fits better"


def _why(best: _Candidate, offered: list[_Candidate], machine: _Machine) -> str:
    versions = {each.version for each in offered}
    beside = [each for each in offered if each.version == best.version and each is not best]
    newest = "the newest version" if len(versions) > 1 else "the only version"
    said = f"{best.file.version} is {newest} that fits {machine}"
    if not beside:
        return f"{said}, and this is its only file that does"
    if any(each.file.kind == Kind.WHEEL for each in beside):
        return f"{said}, and of its wheels this one fits best"
    if best.file.kind == Kind.WHEEL:
        return f"{said}, and a wheel comes before a source archive"
    return f"{said}, and of its source archives this one stands last on the page"


def _why_none(files: Sequence[PageFile], fitting: list[_Candidate], machine: _Machine) -> str:
    if not files:
        return "the page lists no file"
    if not fitting:
        return f"no file fits {machine}"
    return "what fits is yanked"


@cache
def _tag_order(python: str, platforms: tuple[str, ...]) -> Mapping[Tag, int]:
    """Return each tag that CPython `python` takes, with its place: the best is the first."""
    major, minor = (int(part) for part in python.split("."))
    interpreter = f"cp{major}{minor}"
    found = [
        *cpython_tags((major, minor), abis=[interpreter], platforms=platforms),
        *compatible_tags((major, minor), interpreter, platforms),
    ]
    return {tag: at for at, tag in reversed(list(enumerate(found)))}
