"""What a distribution requires: by its metadata or, where that is too old to say, by setuptools.

Before Metadata-Version 1.2 nothing said it in a way that installers read; setuptools kept it in a
requires.txt of its own: requirements, and sections `[extra]` or `[extra:marker]` with more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from packages.metadata import requirement_in
from packages.reading.limits import MAX_LINES, MAX_REQUIREMENTS, MAX_TEXT
from packages.reading.texts import lines, listed, plain

# All that is parsed; it takes some microseconds for a bracket. The largest real ones, with every
# version of hundreds of dependencies pinned, have 200 KiB.
_MAX_CHARACTERS = 512 * 1024
_EXTRA = re.compile(r"\A[A-Za-z0-9._-]+\Z")


@dataclass(frozen=True, slots=True)
class Requirements:
    """What is required, each a text as pip reads it, who says so, and what extras there are."""

    texts: tuple[str, ...]
    source: str
    extras: tuple[str, ...]


def requirements_of_setuptools(raw: bytes) -> Requirements:
    """Return what a requires.txt says, in the words of Requires-Dist."""
    texts: list[str] = []
    extras: list[str] = []
    extra = marker = ""
    for line in lines(raw, MAX_LINES):
        if line[0] == "[" and line[-1] == "]":
            extra, _, marker = (part.strip() for part in line[1:-1].partition(":"))
            if extra and extra not in extras:
                extras.append(extra)
        elif line[0] != "#":
            texts.append(_with_marker(line, extra, marker))
    return Requirements(tuple(texts), "requires.txt", tuple(extras))


def requirement_facts(requirements: Requirements) -> tuple[dict[str, Any], list[str]]:
    """Return the requirements as they stand in the facts, and those that are none."""
    odd: list[str] = []
    facts = listed(_parsed(requirements.texts, odd), MAX_REQUIREMENTS)
    return {"source": requirements.source, **facts}, odd


def _parsed(texts: Sequence[str], odd: list[str]) -> Iterator[dict[str, Any]]:
    asked = 0
    for text in texts:
        asked += len(text)
        is_short = len(text) <= MAX_TEXT and asked <= _MAX_CHARACTERS
        requirement = requirement_in(text) if is_short else None
        if requirement is None:
            odd.append(text)
        yield {
            "text": plain(text),
            "name": plain(canonicalize_name(requirement.name)) if requirement else "",
            "extras": sorted(map(plain, requirement.extras)) if requirement else [],
            "specifier": plain(str(requirement.specifier)) if requirement else "",
            "marker": plain(str(requirement.marker or "")) if requirement else "",
            "url": plain(requirement.url or "") if requirement else "",
        }


def _with_marker(requirement: str, extra: str, marker: str) -> str:
    said, _, own = (part.strip() for part in requirement.partition(";"))
    condition = f'extra == "{extra}"' if _EXTRA.match(extra) else ""
    parts = [own, marker, condition]
    alone = sum(map(bool, parts)) == 1
    markers = [part if alone or " or " not in part else f"({part})" for part in parts if part]
    # A URL ends at white space alone.
    divider = " ; " if "@" in said else "; "
    return divider.join([said, " and ".join(markers)]) if markers else said
