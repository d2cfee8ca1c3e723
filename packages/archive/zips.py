"""Finds the core metadata in a zip: a wheel, an egg, or an old sdist."""

from __future__ import annotations

import zipfile

from packages.archive import limits
from packages.archive.disk import Disk
from packages.archive.refusals import (
    ArchiveRefused,
    is_pkg_info,
    require_one_top,
    require_small,
    split,
    too_large,
    without_files,
)
from packages.filenames import DistributionName, Kind, name_in_stem, shown

_WHEEL_FILES = ("METADATA", "WHEEL", "RECORD")
_ENCRYPTED = 0x1


def metadata_in_zip(disk: Disk, named: DistributionName) -> bytes | None:
    """Return the METADATA or PKG-INFO in a zip; None where there is none and none is needed."""
    with zipfile.ZipFile(disk) as archive:
        members = archive.infolist()
        if not members:
            raise without_files(named)
        # What the directory says; later reads of members hold it to its word.
        if sum(member.file_size for member in members) > limits.MAX_UNPACKED:
            raise too_large(named)
        found: zipfile.ZipInfo | None = None
        match named.kind:
            case Kind.WHEEL:
                found = _wheel_metadata(members, named)
            case Kind.EGG:
                found = _single(members, "EGG-INFO/PKG-INFO", named)
            case Kind.SDIST:
                found = _sdist_metadata(members, named)
        return None if found is None else _member_of_zip(archive, found, named)


def _wheel_metadata(members: list[zipfile.ZipInfo], named: DistributionName) -> zipfile.ZipInfo:
    """Return a wheel's METADATA member.

    PEP 427 spells the folder as the file name does; old wheels do not, and pip compares the
    normalised name. More than one such folder stops pip ("multiple .dist-info directories").
    """
    tops = {top for top, rest in (split(member.filename) for member in members) if rest}
    folders = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(folders) != 1:
        raise ArchiveRefused(
            f"{shown(named.filename)} has {len(folders)} .dist-info folders at its top; a wheel "
            "has exactly one."
        )
    (folder,) = folders
    stem = folder.removesuffix(".dist-info")
    if name_in_stem(stem, named.normalized, named.version) is None:
        raise ArchiveRefused(
            f"{shown(named.filename)} has the folder {shown(folder)}, which is not the one of "
            f"version {shown(str(named.version))} of {shown(named.normalized)}."
        )
    # PEP 427: without these three no installer knows what to do with it.
    metadata, *_ = (_needed(members, f"{folder}/{name}", named) for name in _WHEEL_FILES)
    return metadata


def _needed(members: list[zipfile.ZipInfo], path: str, named: DistributionName) -> zipfile.ZipInfo:
    found = _single(members, path, named)
    if found is None:
        raise ArchiveRefused(f"{shown(named.filename)} lacks {shown(path)}; every wheel has it.")
    return found


def _single(
    members: list[zipfile.ZipInfo], path: str, named: DistributionName
) -> zipfile.ZipInfo | None:
    found = [member for member in members if member.filename == path]
    if len(found) > 1:
        # Readers differ in which of them they take.
        raise ArchiveRefused(f"{shown(named.filename)} holds {shown(path)} more than once.")
    return found[0] if found else None


def _sdist_metadata(
    members: list[zipfile.ZipInfo], named: DistributionName
) -> zipfile.ZipInfo | None:
    found = next((member for member in members if is_pkg_info(member.filename)), None)
    if found is None:
        return None
    require_one_top(named, {split(member.filename)[0] for member in members})
    return _single(members, found.filename, named)


def _member_of_zip(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, named: DistributionName
) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveRefused(
            f"{shown(named.filename)} has {shown(member.filename)} encrypted; build it without."
        )
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # PyPA, binary distribution format: installers must support these two only.
        raise ArchiveRefused(
            f"{shown(named.filename)} has {shown(member.filename)} packed by compression method "
            f"{member.compress_type}; only stored and deflated can be read."
        )
    require_small(named, member.filename, member.file_size)
    with archive.open(member) as opened:
        return opened.read(limits.MAX_METADATA + 1)
