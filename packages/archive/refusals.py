"""What zip and tar readers refuse alike, and how both name what is inside."""

from __future__ import annotations

from collections.abc import Iterable

from base.errors import InvalidInput
from packages.archive import limits
from packages.filenames import DistributionName, shown


class ArchiveRefused(InvalidInput):
    """A file is not an archive of the kind that its name says, or not one to be opened."""


def split(name: str) -> tuple[str, str]:
    """Return the first folder (or file) of a member's path and the rest of it."""
    top, _, rest = name.removeprefix("./").partition("/")
    return ("" if top == "." else top), rest


def is_pkg_info(name: str) -> bool:
    """Say whether a path is `<top folder>/PKG-INFO` (source distribution format)."""
    top, rest = split(name)
    return rest == "PKG-INFO" and top not in ("", "..")


def require_one_top(named: DistributionName, tops: Iterable[str]) -> None:
    """Refuse an sdist with more than one file or folder at its top."""
    if len(set(tops) - {""}) > 1:
        raise ArchiveRefused(
            f"{shown(named.filename)} has more than one file or folder at its top; an sdist has "
            "a single folder."
        )


def require_few_members(filename: str, count: int) -> None:
    """Refuse more members than any real archive has."""
    if count > limits.MAX_MEMBERS:
        raise ArchiveRefused(f"{shown(filename)} has more than {limits.MAX_MEMBERS} members.")


def require_small(named: DistributionName, member: str, size: int) -> None:
    """Refuse a metadata file larger than any real one."""
    if size > limits.MAX_METADATA:
        raise ArchiveRefused(
            f"{shown(named.filename)} has a {shown(member)} of {size} bytes; at most "
            f"{limits.MAX_METADATA} are read."
        )


def too_large(named: DistributionName) -> ArchiveRefused:
    """Return the refusal of an archive that unpacks to too much."""
    return ArchiveRefused(
        f"{shown(named.filename)} unpacks to more than {limits.MAX_UNPACKED} bytes."
    )


def without_files(named: DistributionName) -> ArchiveRefused:
    """Return the refusal of an empty archive."""
    return ArchiveRefused(f"{shown(named.filename)} holds no files.")
