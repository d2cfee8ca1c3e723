"""What is new in a release and runs by itself, or at an installation: to be looked at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packages.compare.sides import Side
from packages.compare.trees import TreeChanges

# Python imports these at every start, wherever they are found on its path.
_IMPORTED_AT_START = {"sitecustomize.py", "usercustomize.py"}
# What a build of an sdist runs, or goes by.
_RUN_BY_BUILDS = {
    "setup.py": "it is run by whoever builds or installs the sdist",
    "setup.cfg": "builds go by it",
    "pyproject.toml": "it says which build backend is run, and what that needs",
}


@dataclass(frozen=True, slots=True)
class Surprise:
    """One thing to look at."""

    what: str  # in a word or two
    name: str
    why: str
    path: str = ""  # of a member to be read, as both sides call it
    is_grave: bool = False  # code that runs though nobody calls it


def surprises(old: Side, new: Side, files: TreeChanges) -> list[Surprise]:
    """Return what to look at, code that nobody has to call first."""
    found = [
        *_pth(old, new),
        *_start_files(files),
        *_builds(new, files),
        *_native(old, new),
        *_scripts(old, new),
        *_addresses(old, new),
        *_import_names(old, new),
        *_record(old, new),
    ]
    return sorted(found, key=lambda each: not each.is_grave)


def _pth(old: Side, new: Side) -> Iterator[Surprise]:
    before = {old.common(item["path"]): item["text"] for item in old.facts["pth"]["items"]}
    for item in new.facts["pth"]["items"]:
        path = new.common(item["path"])
        if before.get(path) == item["text"]:
            continue
        what = "changed .pth file" if path in before else "new .pth file"
        runs = "it runs code each time Python starts"
        why = runs if item["runs_code"] else "it adds to where Python looks for modules"
        yield Surprise(what, path, why, path, is_grave=item["runs_code"])


def _start_files(files: TreeChanges) -> Iterator[Surprise]:
    for change in files.changes:
        if change.path in _IMPORTED_AT_START and change.new is not None:
            why = "Python imports it each time it starts"
            yield Surprise(f"{change.state} file", change.path, why, change.path, is_grave=True)


def _builds(new: Side, files: TreeChanges) -> Iterator[Surprise]:
    if new.line.kind != "sdist":
        return
    for change in files.changes:
        if change.path in _RUN_BY_BUILDS and change.new is not None:
            why = _RUN_BY_BUILDS[change.path]
            is_grave = change.path == "setup.py"
            yield Surprise(f"{change.state} file", change.path, why, change.path, is_grave=is_grave)


def _native(old: Side, new: Side) -> Iterator[Surprise]:
    before = {old.common(item["path"]) for item in old.facts["native"]["items"]}
    for item in new.facts["native"]["items"]:
        path = new.common(item["path"])
        if path not in before:
            kind = " ".join(filter(None, (item["format"], item["machine"])))
            yield Surprise("new native code", path, f"{kind}: no source of it is here", path)


def _scripts(old: Side, new: Side) -> Iterator[Surprise]:
    before = {item["name"]: item["value"] for item in old.facts["scripts"]["items"]}
    for item in new.facts["scripts"]["items"]:
        name, value = item["name"], item["value"]
        if name not in before:
            runs = f"it runs {value}" if value else "it is a file in the archive"
            yield Surprise("new command", name, f"installed where programs are; {runs}")
        elif before[name] != value:
            yield Surprise("changed command", name, f"it runs {value}, and ran {before[name]}")


def _addresses(old: Side, new: Side) -> Iterator[Surprise]:
    before = {item["text"] for item in old.facts["requirements"]["items"] if item["url"]}
    for item in new.facts["requirements"]["items"]:
        if item["url"] and item["text"] not in before:
            why = f"it is taken from {item['url']}, past every index"
            yield Surprise("requirement by address", item["name"], why)


def _import_names(old: Side, new: Side) -> Iterator[Surprise]:
    before = set(old.facts["top_level"]["items"])
    for name in new.facts["top_level"]["items"]:
        if name not in before:
            yield Surprise("new import name", name, "a module or package at the top that was not")


def _record(old: Side, new: Side) -> Iterator[Surprise]:
    checked, before = new.facts.get("record"), old.facts.get("record")
    if checked and checked["items"] and not (before and before["items"]):
        yield Surprise("RECORD does not match", new.line.filename, checked["items"][0])
