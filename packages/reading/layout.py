"""Where in an archive its metadata stands, and with it everything else that is told of it.

What a file is called decides between wheel, egg and all others; among those the contents do, for
a file that a person put there may be called anything.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from dataclasses import dataclass

from packages.archive.wheels import NEEDED as WHEEL_NEEDS
from packages.filenames import Kind, shown

_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Layout:
    """The places in one archive: folders end in "/", or are empty for the top."""

    kind: Kind
    metadata: str = ""  # the path of METADATA or PKG-INFO; empty where there is none
    info: str | None = None  # the folder with entry points and their like
    root: str = ""  # the folder from which modules are imported
    licences: str | None = None  # the folder that License-File begins in
    problem: str = ""  # the end of a sentence that begins with the file's name


def layout_of(filename: str, paths: Collection[str]) -> Layout:
    """Return where things stand in an archive with these files."""
    if filename.endswith(".whl"):
        return _wheel(filename, paths)
    if filename.endswith(".egg"):
        has_info = "EGG-INFO/PKG-INFO" in paths
        problem = "" if has_info else "has no 'EGG-INFO/PKG-INFO'"
        metadata = "EGG-INFO/PKG-INFO" if has_info else ""
        return Layout(Kind.EGG, metadata, "EGG-INFO/", "", "EGG-INFO/", problem)
    return _sdist(paths) or _installed(paths)


def _wheel(filename: str, paths: Collection[str]) -> Layout:
    """PEP 427: the only .dist-info folder at the top; of several, the one of the file's name."""
    folders = {path.partition("/")[0] for path in paths if _is_dist_info(path)}
    right = "-".join(filename.split("-")[:2]) + ".dist-info"
    problem = "" if len(folders) == 1 else f"has {len(folders)} .dist-info folders; wheels have one"
    folder = right if right in folders else next(iter(folders), "") if len(folders) == 1 else ""
    if not folder:
        return Layout(Kind.WHEEL, problem=problem)
    info = f"{folder}/"
    if missing := [name for name in WHEEL_NEEDS if f"{info}{name}" not in paths]:
        problem = f"lacks {shown(info + missing[0])}; every wheel has it"
    metadata = "" if "METADATA" in missing else f"{info}METADATA"
    return Layout(Kind.WHEEL, metadata, info, "", f"{info}licenses/", problem)


def _is_dist_info(path: str) -> bool:
    top, divider, _ = path.partition("/")
    return bool(divider) and top.lower().endswith(".dist-info")


def _sdist(paths: Collection[str]) -> Layout | None:
    """Return the places of an sdist: a single folder at the top, with PKG-INFO in it."""
    tops = {path.partition("/")[0] for path in paths}
    top = f"{next(iter(tops), '')}/"
    if len(tops) > 1 or f"{top}PKG-INFO" not in paths:
        return None
    infos = (path for path in paths if path.endswith(".egg-info/PKG-INFO"))
    folders = {path.removesuffix("PKG-INFO") for path in infos}
    beside = sorted(each for each in folders if _parent(each) in (top, f"{top}src/"))
    info = beside[0] if beside else None
    return Layout(Kind.SDIST, f"{top}PKG-INFO", info, _source_root(top, paths), top)


def _source_root(top: str, paths: Collection[str]) -> str:
    """Return the folder that modules are in: `src` or, as of old, `lib`, if it is no package."""
    for within in (f"{top}src/", f"{top}lib/"):
        has_code = any(path.startswith(within) and path.endswith(".py") for path in paths)
        if has_code and f"{within}__init__.py" not in paths:
            return within
    return top


def _installed(paths: Collection[str]) -> Layout:
    """Return the places in anything else: an installed tree, a wheel in a zip, a bare checkout."""
    tops = {path.partition("/")[0] for path in paths}
    places = {"", f"{min(tops)}/", f"{min(tops)}/src/"} if len(tops) == 1 else {""}
    found = sorted(path for path in paths if _is_metadata(path) and _is_place(_home(path), places))
    if len(found) != 1:
        names = ", ".join(map(shown, found[:3]))
        problem = (
            f"holds the metadata of {len(found)} distributions ({names})"
            if found
            else "holds no metadata: no PKG-INFO in a single folder at its top, nothing installed"
        )
        return Layout(Kind.DUMB, problem=problem)
    (metadata,) = found
    info = None if metadata.endswith(".egg-info") else _parent_of_file(metadata)
    licences = f"{info}licenses/" if info and info.endswith(".dist-info/") else info
    return Layout(Kind.DUMB, metadata, info, _home(metadata), licences)


def _is_metadata(path: str) -> bool:
    endings = (".dist-info/METADATA", ".egg-info/PKG-INFO", "EGG-INFO/PKG-INFO", ".egg-info")
    return path.endswith(endings)


def _is_place(folder: str, places: set[str]) -> bool:
    """Say whether metadata in a folder is that of the archive, and not of some test's data."""
    return folder in places or posixpath.basename(folder.rstrip("/")) in _INSTALLED


def _home(metadata: str) -> str:
    """Return the folder in which a distribution lies whose metadata has this path."""
    is_file = metadata.endswith(".egg-info")
    return _parent_of_file(metadata) if is_file else _parent(_parent_of_file(metadata))


def _parent_of_file(path: str) -> str:
    head, divider, _ = path.rpartition("/")
    return head + divider


def _parent(folder: str) -> str:
    return _parent_of_file(folder.removesuffix("/"))
