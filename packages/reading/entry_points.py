"""Reads entry_points.txt leniently: what installers would see, and what is odd about it.

The gate refuses files that readers take differently; what is read here may never have passed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from packages.archive import ArchiveRefused
from packages.archive.entry_points import check_entry_points
from packages.archive.judgement import Judgement
from packages.filenames import Kind
from packages.reading.limits import MAX_LINES
from packages.reading.texts import lines, listed, plain
from repos.rules import Rules

_SCRIPTS = {"console_scripts": "console", "gui_scripts": "gui"}
# Where files stand that are copied to where programs are (PEP 427, eggs, an installed tree).
_SCRIPT_FILES = {
    Kind.WHEEL: re.compile(r"[^/]+\.data/scripts/([^/]+)\Z"),
    Kind.EGG: re.compile(r"EGG-INFO/scripts/([^/]+)\Z"),
    Kind.DUMB: re.compile(r"(?:.*/)?(?:bin|Scripts)/([^/]+)\Z"),
}


def entry_points_in(raw: bytes) -> list[tuple[str, str, str]]:
    """Return group, name and value of each entry point, in their order."""
    return list(_entries(raw))


def odd_entry_points(raw: bytes, filename: str) -> str:
    """Return what an upload would be refused for, as a sentence; empty if nothing."""
    try:
        check_entry_points(raw, "entry_points.txt", Judgement(filename, Rules.STRICT, 0, 0))
    except ArchiveRefused as refused:
        return refused.sentence
    return ""


def script_files(paths: Iterable[str], kind: Kind) -> list[str]:
    """Return the names of programs that lie in the archive as files."""
    if kind not in _SCRIPT_FILES:
        return []
    return sorted(found[1] for path in paths if (found := _SCRIPT_FILES[kind].match(path)))


def entry_point_facts(entries: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the entry points as they stand in the facts."""
    return listed(
        {"group": plain(group), "name": plain(name), "value": plain(value)}
        for group, name, value in entries
    )


def script_facts(entries: list[tuple[str, str, str]], files: list[str]) -> dict[str, Any]:
    """Return the programs that an installation makes: entry points first, then files."""
    made = (
        {"name": plain(name), "value": plain(value), "kind": _SCRIPTS[group]}
        for group, name, value in entries
        if group in _SCRIPTS
    )
    copied = ({"name": plain(name), "value": "", "kind": "file"} for name in files)
    return listed([*made, *copied])


def _entries(raw: bytes) -> Iterator[tuple[str, str, str]]:
    group = ""
    for line in lines(raw, MAX_LINES):
        if line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, value = line.partition("=")
        if group and equals and name.strip():
            yield group, name.strip(), value.strip()
