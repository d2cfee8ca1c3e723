"""What can be imported once a distribution is installed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from packages.metadata import CoreMetadata
from packages.reading.limits import MAX_IMPORT_DEPTH, MAX_LINES
from packages.reading.texts import lines, listed

# `frog.py`, `frog.cpython-311-x86_64-linux-gnu.so`, `frog.pyd`.
_MODULE = re.compile(r"([^\W\d]\w*)(?:\.[\w-]+)?\.(?:so|pyd)\Z|([^\W\d]\w*)\.pyc?\Z")
_PRIVATE = re.compile(r"\s*;\s*private\s*\Z")
# What stands beside the modules of a source tree and is not installed.
_BESIDE = frozenset(
    (
        *("setup", "conftest", "tests", "test", "testing", "docs", "doc", "examples", "example"),
        *("benchmarks", "tools", "scripts", "build", "dist", "tasks", "noxfile", "versioneer"),
        *("ez_setup", "demo", "demos", "sandbox", "documentation", "contrib", "conf", "funtests"),
    )
)


def top_level_facts(names: Collection[str], said: bytes | None) -> dict[str, Any]:
    """Return the names at the top: those of top_level.txt, else those of the import names."""
    if said is not None and (tops := list(dict.fromkeys(lines(said, MAX_LINES)))):
        return {"source": "top_level.txt", **listed(tops)}
    tops = sorted({name.partition(".")[0] for name in names})
    return {"source": "contents", **listed(tops)}


def import_facts(names: Collection[str], metadata: CoreMetadata | None) -> dict[str, Any]:
    """Return what may be imported: what the metadata says (Import-Name), else what is there."""
    said = metadata.import_names if metadata else ()
    if said:
        return {"source": "Import-Name", **listed(_PRIVATE.sub("", name) for name in said)}
    return {"source": "contents", **listed(sorted(names))}


def import_names(paths: Collection[str], root: str, *, is_source: bool) -> set[str]:
    """Return the modules and packages below a folder, each where its own code begins.

    A folder without an `__init__` is a namespace (PEP 420): what lies in it is told instead.
    """
    below = [path.removeprefix(root) for path in _installed(paths) if path.startswith(root)]
    packages = {path.rpartition("/")[0] for path in below if _stem(path) == "__init__"}
    found = set()
    for path in below:
        if name := _name_of(path, packages):
            found.add(name)
    if is_source:
        return {name for name in found if name.partition(".")[0].lower() not in _BESIDE}
    return found


def _installed(paths: Collection[str]) -> Iterator[str]:
    """Yield the paths with a wheel's .data folders put where they are installed (PEP 427)."""
    for path in paths:
        top, _, rest = path.partition("/")
        if not top.endswith(".data"):
            yield path
        elif rest.startswith(("purelib/", "platlib/")):
            yield rest.partition("/")[2]


def _name_of(path: str, packages: set[str]) -> str:
    """Return the name by which a file's code is imported, up to the first real package."""
    folders = path.split("/")[:-1]
    if len(folders) > MAX_IMPORT_DEPTH and folders[0] not in packages:
        return ""
    for depth in range(1, len(folders) + 1):
        if "/".join(folders[:depth]) in packages:
            return _dotted(folders[:depth])
    stem = _stem(path)
    return _dotted([*folders, stem]) if stem else ""


def _stem(path: str) -> str:
    found = _MODULE.match(path.rpartition("/")[2])
    return (found[1] or found[2]) if found else ""


def _dotted(parts: list[str]) -> str:
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""
