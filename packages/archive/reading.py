"""Opens an archive as what its name says, or says what it is instead."""

from __future__ import annotations

import lzma
import pathlib
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from packages.archive.disk import Disk
from packages.archive.refusals import ArchiveRefused
from packages.archive.tars import metadata_in_tar
from packages.archive.zips import metadata_in_zip
from packages.filenames import DistributionName, Kind, archive_format, shown

# What the standard library raises on damaged input. `ValueError` is also UnicodeDecodeError,
# `RuntimeError` also NotImplementedError and RecursionError, `ArithmeticError` OverflowError.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)

_SHAPES = {
    "zip": "a zip archive",
    "tar": "a tar archive",
    "tar.gz": "a gzip-compressed tar archive",
    "tar.bz2": "a bzip2-compressed tar archive",
}
# How files begin. A plain tar only says so at byte 257, and an old one nowhere.
_BEGINNINGS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # one without members
    b"\x1f\x8b": "tar.gz",
    b"BZh": "tar.bz2",
}
_TAR_MAGIC = slice(257, 262)


def read_core_metadata(path: pathlib.Path, named: DistributionName) -> bytes | None:
    """Return the METADATA or PKG-INFO of a distribution as it is, or None if it needs none.

    Only a wheel must have it. Eggs and old sdists may lack it, dumb archives have none.
    """
    shape = _shape(named)
    with path.open("rb") as file:
        _require_shape(named, shape, file.read(512))
        file.seek(0)
        disk = Disk(file, named.filename)
        with _damage_refused(disk, named, shape):
            if shape == "zip":
                return metadata_in_zip(disk, named)
            return metadata_in_tar(disk, named, shape)


def _shape(named: DistributionName) -> str:
    if named.kind in (Kind.WHEEL, Kind.EGG):
        return "zip"
    return archive_format(named.filename)


def _require_shape(named: DistributionName, shape: str, head: bytes) -> None:
    """Refuse a file that begins as something else, and say as what: it is mostly a mix-up."""
    if not head:
        raise ArchiveRefused(f"{shown(named.filename)} is empty.")
    looks = next((is_a for begin, is_a in _BEGINNINGS.items() if head.startswith(begin)), "")
    if not looks and head[_TAR_MAGIC] == b"ustar":
        looks = "tar"
    if looks == shape or (shape == "tar" and not looks and not _is_page(head)):
        return
    raise ArchiveRefused(
        f"{shown(named.filename)} is not {_SHAPES[shape]}: {_but_rather(looks, head)}."
    )


def _but_rather(looks: str, head: bytes) -> str:
    if looks:
        return f"it begins like {_SHAPES[looks]}"
    if _is_page(head):
        return "it is a web page, perhaps a sign-in page that was saved under this name"
    return "it begins like no archive"


def _is_page(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


@contextmanager
def _damage_refused(disk: Disk, named: DistributionName, shape: str) -> Iterator[None]:
    try:
        yield
    except (OSError, *_DAMAGE) as error:
        if disk.failure is not None:
            raise disk.failure from None
        # An OSError that the disk has not raised is gzip's or bz2's word for damage, or a seek
        # to a place that a damaged directory names.
        raise ArchiveRefused(
            f"{shown(named.filename)} is not {_SHAPES[shape]} that can be read: it is damaged or "
            "cut short."
        ) from error
