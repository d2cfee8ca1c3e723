"""Puts versions in order: for a database column, and to choose the newest.

The order itself is PEP 440's, as `packaging` knows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version


def version_key(version: Version) -> str:
    """Return an ASCII text which sorts, by code point, as PEP 440 orders versions.

    Equal versions ("1.0" and "1.0.0") have equal keys. Every part ends by itself, so that a part
    is only compared where all before it are equal:

    - epoch; release without trailing zeros, ended by "!", which is below every number;
    - "-" for a bare .devN, which comes before "a", "b", "c" (rc); "f" where nothing is before;
    - "-" without post, else "p"; "d" for dev, which comes before "z", its absence;
    - the local segments, words ("s", ended by "!") before numbers ("t"); none at all is a
      shorter text, and so comes first.
    """
    release = list(version.release)
    while release and release[-1] == 0:
        release.pop()
    parts = [_ordered(version.epoch), *map(_ordered, release), "!", _pre_key(version)]
    parts.append("-" if version.post is None else "p" + _ordered(version.post))
    parts.append("z" if version.dev is None else "d" + _ordered(version.dev))
    if version.local is not None:
        parts.extend(map(_local_key, version.local.split(".")))
    return "".join(parts)


def newest_version(offered: Mapping[str, bool]) -> str:
    """Return the newest version, final and not yanked where there is one; empty for none.

    `offered` says of each version whether it has a file that is not yanked (PEP 592).
    """

    def rank(version: str) -> tuple[bool, bool, Version]:
        parsed = Version(version)
        return offered[version], not parsed.is_prerelease, parsed

    return max(offered, key=rank, default="")


def _ordered(number: int) -> str:
    """Return a number so that longer ones sort after shorter ones: its length, its digits."""
    digits = str(number)
    length = len(digits)
    # One letter, "a" to "y", for up to 25 digits (calendar versions have 14); "z" and the length
    # written in the same way beyond.
    head = chr(ord("a") + length - 1) if length < 26 else "z" + _ordered(length)  # noqa: PLR2004 - the alphabet
    return head + digits


def _pre_key(version: Version) -> str:
    if version.pre is not None:
        letter, number = version.pre
        return ("c" if letter == "rc" else letter) + _ordered(number)
    bare_dev = version.dev is not None and version.post is None
    return "-" if bare_dev else "f"


def _local_key(segment: str) -> str:
    return "t" + _ordered(int(segment)) if segment.isdigit() else f"s{segment}!"
