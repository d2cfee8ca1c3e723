"""Real distributions, old and new, say to us what they say to `packaging` and `pkginfo`.

Where they do not, the difference is one that is explained here; the test prints them all. With
LARDER_TEST_COUNTS=full there are more than a hundred of them.
"""

from __future__ import annotations

import importlib.metadata
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkginfo
import pytest
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement

from packages.reading import ArchiveFacts, Reader
from packages.reading.limits import MAX_LICENCE_TEXT
from tests.journeys.distributions import IS_FULL, distributions, old_distributions
from tests.journeys.old_setuptools import built

AT_LEAST = 100 if IS_FULL else 30

FIELDS = {
    "name": "name",
    "version": "version",
    "summary": "summary",
    "requires_python": "requires_python",
    "license": "license",
    "license_expression": "license_expression",
    "requires_dist": "requires_dist",
}


@dataclass(frozen=True)
class Difference:
    """One field of one file that we and another reader read differently."""

    file: str
    reader: str
    field: str
    theirs: Any
    ours: Any
    metadata: bytes
    requires_txt: bytes


def _is_absent(seen: Difference) -> bool:
    return (seen.theirs, seen.ours) == ("UNKNOWN", "")


def _is_unfolded(seen: Difference) -> bool:
    """A field over several lines: its lines begin with eight spaces, or seven and a bar."""
    lines = re.sub(r"\n(?: {7}\|| {8})", "\n", str(seen.theirs))
    return (seen.field, lines[:MAX_LICENCE_TEXT]) == ("license", seen.ours)


def _is_joined(seen: Difference) -> bool:
    """Pkginfo makes one line of a text, ours keeps its lines."""
    if seen.reader != "pkginfo" or seen.field != "license":
        return False
    ours, theirs = (" ".join(str(each).split()) for each in (seen.ours, seen.theirs))
    return ours == theirs


class _Beside(importlib.metadata.Distribution):
    """An installed distribution of which there is a requires.txt alone."""

    def __init__(self, requires_txt: str) -> None:
        self._requires_txt = requires_txt

    def read_text(self, filename: str) -> str | None:
        """Return a file that stands beside the metadata."""
        return {"requires.txt": self._requires_txt, "PKG-INFO": "Name: frog\n"}.get(filename)

    def locate_file(self, path: object) -> Any:
        """Return nothing: nobody asks."""


def _is_from_requires_txt(seen: Difference) -> bool:
    """The metadata is too old to say; importlib.metadata reads the same from requires.txt."""
    if seen.field != "requires_dist" or seen.theirs or not seen.requires_txt:
        return False
    found = list(_Beside(seen.requires_txt.decode()).requires or ())
    return same_requirements(found, seen.ours)


EXPLAINED: dict[str, Callable[[Difference], bool]] = {
    "UNKNOWN is what distutils wrote for nothing": _is_absent,
    "a text over several lines is unfolded": _is_unfolded,
    "pkginfo joins the lines of a text": _is_joined,
    "old setuptools says it in requires.txt": _is_from_requires_txt,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every distribution: today's, old ones, and what an old setuptools builds now."""
    found = [file.path for file in distributions()]
    return [*found, *old_distributions(), *built(tmp_path_factory.mktemp("old-setuptools"))]


def test_real_distributions_say_to_us_what_they_say_to_others(files: list[Path]) -> None:
    kinds: Counter[str] = Counter()
    differences: list[Difference] = []
    with Reader() as reader:
        for path in files:
            read = reader.read(path, path.name)
            kinds[f"{read.facts['kind']} as {suffix(path)}"] += 1
            differences += differing(path, read)
    assert sum(kinds.values()) >= AT_LEAST
    read_of = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    unexplained = report(f"\nRead: {read_of}", differences)
    assert unexplained == []
    wanted = ("wheel as whl", "egg as egg", "sdist as tar", "dumb as tar.bz2", "sdist as tgz")
    assert not set(wanted) - kinds.keys()


def report(title: str, differences: list[Difference]) -> list[Difference]:
    """Print the table of differences, and return those that nothing explains."""
    lines = [title]
    unexplained = []
    told: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    for seen in differences:
        why = next((words for words, explains in EXPLAINED.items() if explains(seen)), "")
        if not why:
            unexplained.append(seen)
        row = (why or "NOT EXPLAINED", seen.field, seen.reader)
        told[row] += 1
        examples.setdefault(row, seen.file)
    for row, count in sorted(told.items()):
        why, field, reader = row
        lines.append(f"{count:>4} {field:<18} {reader:<10} {why} (as in {examples[row]})")
    print("\n".join(lines))  # noqa: T201 - for whoever looks: pytest shows it with -s
    return unexplained


def differing(path: Path, read: ArchiveFacts) -> Iterator[Difference]:
    """Yield the fields that another reader reads differently."""
    raw, requires_txt = inside(path)
    assert read.metadata == raw
    ours = {**read.facts["metadata"], "requires_dist": texts(read.facts["requirements"])}
    for reader, theirs in (("packaging", by_packaging(raw)), ("pkginfo", by_pkginfo(path))):
        for field in FIELDS if theirs else ():
            said, our = theirs[field], ours[field]
            same = same_requirements(said, our) if field == "requires_dist" else said == our
            if not same:
                yield Difference(path.name, reader, field, said, our, raw, requires_txt)


def texts(fact: dict[str, Any]) -> list[str]:
    assert fact["left_off"] == 0
    return [each["text"] for each in fact["items"]]


def by_packaging(raw: bytes) -> dict[str, Any]:
    """Return what `packaging` reads; what it sets aside is of another encoding, or stands twice."""
    known, _ = parse_email(raw)
    return {field: known.get(field) or ([] if field == "requires_dist" else "") for field in FIELDS}


def by_pkginfo(path: Path) -> dict[str, Any]:
    """Return what `pkginfo` reads, which knows no dumb archives."""
    if ".linux-" in path.name or ".macosx" in path.name:
        return {}
    readers = {".whl": pkginfo.Wheel, ".egg": pkginfo.BDist}
    found = readers.get(path.suffix, pkginfo.SDist)(str(path))
    said = {field: getattr(found, field, None) for field in FIELDS}
    return {
        field: (list(value or ()) if field == "requires_dist" else value or "")
        for field, value in said.items()
    }


def same_requirements(theirs: list[str], ours: list[str]) -> bool:
    return list(map(spelled, theirs)) == list(map(spelled, ours))


def spelled(text: str) -> str:
    """Return a requirement in one spelling; what is none in its own, without white space."""
    try:
        return str(Requirement(text))
    except InvalidRequirement:
        return "".join(text.split())


def inside(path: Path) -> tuple[bytes, bytes]:
    """Return the metadata and the requires.txt of an archive, by Python's own readers."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as opened:
            return chosen({name: opened.read(name) for name in opened.namelist() if told(name)})
    with tarfile.open(path) as tar:
        found = {}
        for each in tar:
            if each.isfile() and told(each.name) and (file := tar.extractfile(each)):
                found[each.name.removeprefix("./")] = file.read()
        return chosen(found)


def told(name: str) -> bool:
    return name.endswith(("PKG-INFO", ".dist-info/METADATA", "requires.txt"))


def chosen(found: dict[str, bytes]) -> tuple[bytes, bytes]:
    """Return the metadata that lies highest, and the requires.txt that lies highest."""
    metadata = [name for name in found if not name.endswith("requires.txt")]
    required = [name for name in found if name.endswith("-info/requires.txt")]
    required += [name for name in found if name == "EGG-INFO/requires.txt"]
    first = min(metadata, key=lambda name: (name.count("/"), len(name)))
    beside = min(required, key=lambda name: (name.count("/"), len(name)), default="")
    return found[first], found.get(beside, b"")


def suffix(path: Path) -> str:
    return next(each for each in ("tar.gz", "tar.bz2", path.suffix[1:]) if path.name.endswith(each))
