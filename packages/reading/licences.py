"""Under which terms a distribution may be used: what it says, and the texts that come with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from packages.metadata import CoreMetadata
from packages.reading.layout import Layout
from packages.reading.limits import MAX_LICENCE, MAX_LICENCE_TEXT, MAX_TEXTS
from packages.reading.texts import decoded, listed, plain

# As build backends find them by themselves (PEP 639 recommends the first four).
_CALLED = re.compile(
    r"(?:licen[cs]es?|unlicense|copying|notice|authors|copyright)\b", re.IGNORECASE
)
_BRACKETS_AT_MOST = 50


def licence_files(
    files: Collection[str], layout: Layout, metadata: CoreMetadata | None
) -> tuple[list[str], list[str]]:
    """Return the paths of the licence files, and those that are named and not in their place.

    PEP 639: License-File names them below `licenses/` (wheel) or the top folder (sdist). Wheels of
    older metadata have them beside METADATA; where nothing is named, names speak.
    """
    folder, info = layout.licences, layout.info
    named = metadata.license_files if metadata else ()
    found, missing = [], []
    for path in dict.fromkeys(named):
        places = [f"{place}{path}" for place in (folder, info) if place is not None]
        # Of older metadata only the last part tells: setuptools put all of them side by side.
        places += [f"{info}{path.rpartition('/')[2]}"] if info else []
        there = next((place for place in places if place in files), None)
        if there:
            found.append(there)
        if folder is None or there != f"{folder}{path}":
            missing.append(path)
    return found or likely_licences(files, layout), missing


def likely_licences(files: Collection[str], layout: Layout) -> list[str]:
    """Return the files that are licences by their name or place."""
    return sorted(path for path in files if _is_licence(path, layout))


def licence_facts(
    metadata: CoreMetadata | None,
    paths: list[str],
    sizes: Mapping[str, int],
    texts: dict[str, bytes],
) -> dict[str, Any]:
    """Return what the facts say of the licence; `texts` has the beginnings of its files."""
    said = metadata.classifiers if metadata else ()
    return {
        "expression": _canonical(metadata.license_expression) if metadata else "",
        "text": plain(metadata.license, MAX_LICENCE_TEXT) if metadata else "",
        "classifiers": listed(each for each in said if each.startswith("License ::")),
        "files": listed(
            (
                {"path": plain(path), "size": sizes[path], **_shown(texts.get(path), sizes[path])}
                for path in paths
            ),
            MAX_TEXTS,
        ),
    }


def is_expression(text: str) -> bool:
    """Say whether a text is a licence expression of known identifiers (SPDX)."""
    if text.count("(") > _BRACKETS_AT_MOST or len(text) > MAX_LICENCE_TEXT:
        return False
    try:
        canonicalize_license_expression(text)
    except (InvalidLicenseExpression, RecursionError):
        return False
    return True


def _canonical(text: str) -> str:
    return canonicalize_license_expression(text) if text and is_expression(text) else plain(text)


def _shown(raw: bytes | None, size: int) -> dict[str, Any]:
    """Return a text and whether it is only its beginning; none for what is no text."""
    if raw is None or b"\0" in raw:
        return {"text": None, "is_cut": False}
    text = decoded(raw)
    is_cut = size > MAX_LICENCE or len(text) > MAX_LICENCE_TEXT
    return {"text": plain(text, MAX_LICENCE_TEXT), "is_cut": is_cut}


def _is_licence(path: str, layout: Layout) -> bool:
    folder, _, name = path.rpartition("/")
    places = {layout.root, layout.info, layout.licences, f"{layout.info}licenses/"}
    is_beside = (f"{folder}/" if folder else "") in places
    is_below = bool(layout.info) and path.startswith(f"{layout.info}licenses/")
    return (is_beside and bool(_CALLED.match(name)) and not name.endswith(".py")) or is_below
