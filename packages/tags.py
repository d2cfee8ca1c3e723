"""The tags in a wheel's name (PEP 425) in words: for which Pythons and machines it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

_PYTHON = re.compile(r"(py|cp|pp|graalpy)(\d)(\d*)(t?)")
_INTERPRETERS = {"py": "Python", "cp": "CPython", "pp": "PyPy", "graalpy": "GraalPy"}
_LINUX = re.compile(r"(many|musl)linux_(\d+)_(\d+)_(\w+)")
_MAC = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_OLD_LINUX = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
_MACHINES = {
    "x86_64": "x86-64",
    "amd64": "x86-64",
    "i686": "x86, 32 bit",
    "win32": "x86, 32 bit",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "armv7l": "ARM, 32 bit",
    "universal2": "x86-64 and ARM64",
}


@dataclass(frozen=True, slots=True)
class Tag:
    """One of the sets of tags in a wheel's name, and what it means."""

    about: str
    tag: str
    words: str


def tags_in_words(filename: str) -> list[Tag]:
    """Return what the tags of a wheel mean; none for anything else."""
    try:
        _, _, build, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return []
    python, abi, platform = filename.removesuffix(".whl").split("-")[-3:]
    tags = [
        Tag("Python", python, _joined(map(_python, python.split(".")))),
        Tag("ABI", abi, _joined(map(_abi, abi.split(".")))),
        Tag("Platform", platform, _joined(map(_platform, platform.split(".")))),
    ]
    if build:
        said = f"the highest build of a version is taken; this is {build[0]}{build[1]}"
        tags.append(Tag("Build", f"{build[0]}{build[1]}", said))
    return tags


def _joined(words: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(words))


def _python(tag: str) -> str:
    found = _PYTHON.fullmatch(tag)
    if found is None:
        return tag
    name, major, minor = _INTERPRETERS[found[1]], found[2], found[3]
    if not minor:
        return f"any {name} {major}"
    exactly = "" if found[1] == "py" else ", and later ones where the ABI says so"
    later = " and later" if found[1] == "py" else ""
    return f"{name} {major}.{minor}{later}{exactly}"


def _abi(tag: str) -> str:
    if tag == "none":
        return "needs none of Python's binary interfaces"
    if re.fullmatch(r"abi\d", tag):
        return "the stable interface: later Pythons take it too"
    found = _PYTHON.match(tag)
    if found is None or not found[3]:
        return tag
    free = " without the global lock" if found[4] else ""
    return f"{_INTERPRETERS[found[1]]} {found[2]}.{found[3]}{free} alone"


def _platform(tag: str) -> str:
    if tag == "any":
        return "every system: nothing in it is compiled for a machine"
    if system := _linux(tag):
        return system
    if found := _MAC.fullmatch(tag):
        return f"macOS {found[1]}.{found[2]} or newer, {_machine(found[3])}"
    return f"Windows, {_machine(tag.removeprefix('win_'))}" if tag.startswith("win") else tag


def _linux(tag: str) -> str:
    for old, glibc in _OLD_LINUX.items():
        if tag.startswith(f"{old}_"):
            return f"Linux with glibc {glibc} or newer, {_machine(tag.removeprefix(f'{old}_'))}"
    if found := _LINUX.fullmatch(tag):
        library = "glibc" if found[1] == "many" else "musl"
        return f"Linux with {library} {found[2]}.{found[3]} or newer, {_machine(found[4])}"
    if tag.startswith("linux_"):
        return f"Linux as it was built on, {_machine(tag.removeprefix('linux_'))}"
    return ""


def _machine(name: str) -> str:
    return _MACHINES.get(name, name)
