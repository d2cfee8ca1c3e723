"""The tags in a wheel's name (PEP 425) in words: for which Pythons and machines it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from packages.filenames import Kind

# PEP 425's implementations.
_PYTHONS = {"py": "Python", "cp": "CPython", "pp": "PyPy", "ip": "IronPython", "jy": "Jython"}
_PYTHON = re.compile(r"(py|cp|pp|ip|jy)(\d)(\d*)\Z")
_STABLE = re.compile(r"abi\d\Z")
_FREE_THREADED = re.compile(r"cp\d+t\Z")
# PEP 600 and the names before it; PEP 656; PEP 425; PEP 730 and 738.
_OLD_LINUX = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
_PLATFORMS = (
    (re.compile(r"(manylinux1|manylinux2010|manylinux2014)_(.+)\Z"), "Linux, glibc {0}+, {1}"),
    (re.compile(r"manylinux_(\d+)_(\d+)_(.+)\Z"), "Linux, glibc {0}.{1}+, {2}"),
    (re.compile(r"musllinux_(\d+)_(\d+)_(.+)\Z"), "Linux, musl {0}.{1}+, {2}"),
    (re.compile(r"linux_(.+)\Z"), "Linux, {0}"),
    (re.compile(r"macosx_(\d+)_(\d+)_(.+)\Z"), "macOS {0}.{1}+, {2}"),
    (re.compile(r"ios_(\d+)_(\d+)_(.+)\Z"), "iOS {0}.{1}+, {2}"),
    (re.compile(r"android_(\d+)_(.+)\Z"), "Android API {0}+, {1}"),
    (re.compile(r"win_(.+)\Z"), "Windows, {0}"),
)
_MACHINES = {"amd64": "x86-64", "x86_64": "x86-64", "universal2": "x86-64 and arm64"}
_SPELLED = {"any": "any platform", "win32": "Windows, x86"}
# A file name may hold hundreds of tags.
_TOLD_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Tag:
    """One of the sets of tags in a wheel's name, and what it means."""

    about: str
    tag: str
    words: str


def tags_in_words(filename: str) -> list[Tag]:
    """Return what each of the tags of a wheel means; none for anything else."""
    try:
        _, _, build, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return []
    python, abi, platform = filename.removesuffix(".whl").split("-")[-3:]
    tags = [
        Tag("Python", python, _each(_implementation, python)),
        Tag("ABI", abi, _each(_abi, abi)),
        Tag("Platform", platform, _each(_platform, platform)),
    ]
    if build:
        number = f"{build[0]}{build[1]}"
        tags.append(Tag("Build", number, "of one version's builds the highest is taken"))
    return tags


def in_words(kind: str, filename: str, python_tag: str) -> str:
    """Return what a file is for, as a person would say it in a line."""
    match kind:
        case Kind.WHEEL:
            return _wheel(filename)
        case Kind.SDIST:
            return "Source, built where it is installed"
        case Kind.EGG:
            return f"Egg for Python {python_tag}" if python_tag else "Egg"
        case _:
            return "Installed tree, which pip does not install"


def _wheel(filename: str) -> str:
    # PEP 427: the last three parts, whether there is a build number or not.
    parts = filename.removesuffix(".whl").rsplit("-", 3)[1:]
    pythons, abis, platforms = (part.split(".") for part in parts)
    where = _told([_platform(each) for each in platforms])
    return f"{_python(pythons, abis)}; {where}"


def _python(pythons: list[str], abis: list[str]) -> str:
    if "abi3" in abis:
        told = _told([f"{_implementation(each)} or newer" for each in pythons])
        return f"{told} (stable ABI)"
    told = _told([_implementation(each) for each in pythons])
    if any(_FREE_THREADED.match(abi) for abi in abis):
        return f"{told} (free-threaded)"
    return told


def _implementation(tag: str) -> str:
    found = _PYTHON.match(tag)
    if found is None:
        return tag
    name, major, minor = found.groups()
    return f"{_PYTHONS[name]} {major}.{minor}" if minor else f"{_PYTHONS[name]} {major}"


def _platform(tag: str) -> str:
    if tag in _SPELLED:
        return _SPELLED[tag]
    for pattern, words in _PLATFORMS:
        if found := pattern.match(tag):
            parts = [_OLD_LINUX.get(part, _MACHINES.get(part, part)) for part in found.groups()]
            return words.format(*parts)
    return tag


def _told(words: list[str]) -> str:
    told = list(dict.fromkeys(words))
    left = len(told) - _TOLD_AT_MOST
    return " or ".join(told[:_TOLD_AT_MOST]) + (f" and {left} more" if left > 0 else "")


def _each(words: Callable[[str], str], tags: str) -> str:
    return "; ".join(dict.fromkeys(map(words, tags.split("."))))


def _abi(tag: str) -> str:
    if tag == "none":
        return "needs none of Python's binary interfaces"
    if _STABLE.match(tag):
        return "the stable interface: later Pythons take it too"
    free = ", free-threaded" if _FREE_THREADED.match(tag) else ""
    python = _implementation(tag.removesuffix("t"))
    return tag if python == tag else f"{python}{free} alone"
