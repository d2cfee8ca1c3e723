"""A look into an archive on disk for its core metadata: bounded, and never extracting.

Whatever is wrong with the bytes becomes `ArchiveRefused`; whatever is wrong with our disk stays
the `OSError` it is. Memory does not grow with the archive: a tar is streamed member by member,
and of a zip only the directory and the one member asked for are held.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pathlib
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, cast

from base.errors import InvalidInput
from packages.filenames import DistributionName, Kind, archive_format, name_in_stem, shown

__all__ = ["ArchiveRefused", "read_core_metadata"]

MIB = 1024 * 1024

# The largest real ones (a change log as description) stay below 4 MiB.
MAX_METADATA = 16 * MIB
# The largest real wheels have some 30,000 members. More costs memory in us and inodes in clients.
MAX_MEMBERS = 100_000
# The largest real wheels (GPU libraries) unpack to about 4 GiB.
MAX_UNPACKED = 8 * 1024 * MIB
# Deflate reaches 1032:1 on zeros and 3:1 to 10:1 on what people ship. Small archives are let
# off: a few hundred kilobytes of test data may well be one repeated byte.
MAX_RATIO = 200
RATIO_FROM = 64 * MIB
# What tarfile reads at one go for one member: extended (pax) headers, long names, sparse maps.
MAX_TAR_HEADER = MIB
# Global pax headers stay for the rest of the archive; git writes one.
MAX_GLOBAL_HEADERS = 64
# A zip's directory is read at one go. 100,000 entries have 670 bytes each.
MAX_ZIP_DIRECTORY = 64 * MIB

_CHUNK = 64 * 1024
_WHEEL_FILES = ("METADATA", "WHEEL", "RECORD")
_ZIP_ENTRY = b"PK\x01\x02"
_ZIP_ENTRY_SIZE = 46
_ENCRYPTED = 0x1

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


class ArchiveRefused(InvalidInput):
    """A file is not an archive of the kind that its name says, or not one to be opened."""


def read_core_metadata(path: pathlib.Path, named: DistributionName) -> bytes | None:
    """Return the METADATA or PKG-INFO of a distribution as it is, or None if it needs none.

    Only a wheel must have it. Eggs and old sdists may lack it, dumb archives have none.
    """
    shape = _shape(named)
    with path.open("rb") as file:
        _require_shape(named, shape, file.read(512))
        file.seek(0)
        disk = _Disk(file, named.filename)
        with _damage_refused(disk, named, shape):
            if shape == "zip":
                return _in_zip(disk, named)
            return _in_tar(disk, named, shape)


class _Disk(io.BufferedIOBase):
    """The file as the parsers see it: remembers the disk's errors, reads no giant directory.

    zipfile and tarfile turn an error of the disk into one of the archive; with the first one
    remembered, a failing disk is not blamed on whoever uploads. zipfile reads the whole central
    directory before it tells how many members there are, so that they are counted here.
    """

    def __init__(self, file: IO[bytes], filename: str) -> None:
        super().__init__()
        self._file = file
        self._filename = filename
        self.failure: OSError | None = None

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        # A damaged directory makes this an EINVAL: not the disk's fault.
        return self._file.seek(position, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_ZIP_DIRECTORY:
            raise ArchiveRefused(
                f"{shown(self._filename)} has a directory of {size} bytes; at most "
                f"{MAX_ZIP_DIRECTORY} are read."
            )
        try:
            data = self._file.read(-1 if size is None else size)
        except OSError as error:
            self.failure = error
            raise
        if len(data) > MAX_MEMBERS * _ZIP_ENTRY_SIZE:
            _require_few_members(self._filename, data.count(_ZIP_ENTRY))
        return data


class _TarStream(io.BufferedIOBase):
    """The unpacked bytes of a tar, forward only, with budgets.

    `allowance` is what may be read before it is renewed; what is skipped does not count against
    it. So tarfile can be made to hold no more than that, however large a header says it is.
    """

    def __init__(self, unpacked: IO[bytes], named: DistributionName, packed_size: int) -> None:
        super().__init__()
        self._unpacked = unpacked
        self._named = named
        self._packed_size = packed_size
        self._position = 0
        self.allowance = MAX_TAR_HEADER
        self.last = b""

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        if whence != os.SEEK_SET or position < self._position:
            # Only a header with a negative size leads back.
            raise tarfile.ReadError("a member lies before the one it follows")
        while self._position < position and self._pull(min(_CHUNK, position - self._position)):
            pass
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > self.allowance:
            raise ArchiveRefused(
                f"{shown(self._named.filename)} has a member whose header is larger than "
                f"{MAX_TAR_HEADER} bytes."
            )
        self.allowance -= size
        self.last = self._pull(size)
        return self.last

    def _pull(self, size: int) -> bytes:
        data = self._unpacked.read(size)
        self._position += len(data)
        if self._position > MAX_UNPACKED:
            raise _too_large(self._named)
        if self._position > max(RATIO_FROM, MAX_RATIO * self._packed_size):
            raise ArchiveRefused(
                f"{shown(self._named.filename)} unpacks to more than {MAX_RATIO} times its size; "
                "it is taken for a decompression bomb."
            )
        return data


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
def _damage_refused(disk: _Disk, named: DistributionName, shape: str) -> Iterator[None]:
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


def _in_zip(disk: _Disk, named: DistributionName) -> bytes | None:
    with zipfile.ZipFile(disk) as archive:
        members = archive.infolist()
        if not members:
            raise _without_files(named)
        # What the directory says; later reads of members hold it to its word.
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise _too_large(named)
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
    tops = {top for top, rest in (_split(member.filename) for member in members) if rest}
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
    found = next((member for member in members if _is_pkg_info(member.filename)), None)
    if found is None:
        return None
    _require_one_top(named, {_split(member.filename)[0] for member in members})
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
    _require_small(named, member.filename, member.file_size)
    with archive.open(member) as opened:
        return opened.read(MAX_METADATA + 1)


def _in_tar(disk: _Disk, named: DistributionName, shape: str) -> bytes | None:
    size = disk.seek(0, os.SEEK_END)
    disk.seek(0)
    with _unpacking(disk, shape) as unpacked:
        stream = _TarStream(unpacked, named, size)
        with tarfile.TarFile(fileobj=stream, encoding="utf-8") as archive:
            return _pkg_info_in_tar(archive, stream, named)


def _unpacking(disk: _Disk, shape: str) -> IO[bytes]:
    match shape:
        case "tar.gz":
            opened: object = gzip.GzipFile(fileobj=disk, mode="rb")
        case "tar.bz2":
            opened = bz2.BZ2File(disk)
        case _:
            opened = disk
    return cast("IO[bytes]", opened)


def _pkg_info_in_tar(
    archive: tarfile.TarFile, stream: _TarStream, named: DistributionName
) -> bytes | None:
    """Return the first `<top folder>/PKG-INFO`, which is where the reading stops.

    A deeper one (`foo-1.0/foo.egg-info/PKG-INFO`) may come before it and is passed over.
    """
    tops: set[str] = set()
    for member in _tar_members(archive, stream, named):
        top, _ = _split(member.name)
        if len(tops) < 2:  # noqa: PLR2004 - two are one too many, and enough to know it
            tops |= {top} - {""}
        if named.kind is Kind.SDIST and _is_pkg_info(member.name):
            _require_one_top(named, tops)
            return _member_of_tar(stream, member, named)
    if not tops:
        raise _without_files(named)
    return None


def _tar_members(
    archive: tarfile.TarFile, stream: _TarStream, named: DistributionName
) -> Iterator[tarfile.TarInfo]:
    count = 0
    while (member := archive.next()) is not None:
        # tarfile keeps every member it has seen; we come by each of them once.
        archive.members = []  # type: ignore[attr-defined]  # the stubs do not list it
        count += 1
        _require_few_members(named.filename, count)
        if len(archive.pax_headers) > MAX_GLOBAL_HEADERS:
            raise ArchiveRefused(
                f"{shown(named.filename)} has more than {MAX_GLOBAL_HEADERS} global headers."
            )
        yield member
        stream.allowance = MAX_TAR_HEADER
    # tarfile takes a damaged or missing header behind the first member for the end. POSIX: the
    # end is a block of zeros.
    if len(stream.last) != tarfile.BLOCKSIZE or stream.last.strip(b"\0"):
        raise tarfile.ReadError("no end of archive")


def _member_of_tar(stream: _TarStream, member: tarfile.TarInfo, named: DistributionName) -> bytes:
    if not member.isreg() or member.issparse():
        raise ArchiveRefused(
            f"{shown(named.filename)} has {shown(member.name)} as a link or another special "
            "member; it must be a plain file."
        )
    _require_small(named, member.name, member.size)
    stream.seek(member.offset_data)
    stream.allowance = member.size
    data = stream.read(member.size)
    if len(data) != member.size:
        raise tarfile.ReadError("unexpected end of data")
    return data


def _split(name: str) -> tuple[str, str]:
    """Return the first folder (or file) of a member's path and the rest of it."""
    top, _, rest = name.removeprefix("./").partition("/")
    return ("" if top == "." else top), rest


def _is_pkg_info(name: str) -> bool:
    """Say whether a path is `<top folder>/PKG-INFO` (source distribution format)."""
    top, rest = _split(name)
    return rest == "PKG-INFO" and top not in ("", "..")


def _require_one_top(named: DistributionName, tops: Iterable[str]) -> None:
    if len(set(tops) - {""}) > 1:
        raise ArchiveRefused(
            f"{shown(named.filename)} has more than one file or folder at its top; an sdist has "
            "a single folder."
        )


def _require_few_members(filename: str, count: int) -> None:
    if count > MAX_MEMBERS:
        raise ArchiveRefused(f"{shown(filename)} has more than {MAX_MEMBERS} members.")


def _require_small(named: DistributionName, member: str, size: int) -> None:
    if size > MAX_METADATA:
        raise ArchiveRefused(
            f"{shown(named.filename)} has a {shown(member)} of {size} bytes; at most "
            f"{MAX_METADATA} are read."
        )


def _too_large(named: DistributionName) -> ArchiveRefused:
    return ArchiveRefused(f"{shown(named.filename)} unpacks to more than {MAX_UNPACKED} bytes.")


def _without_files(named: DistributionName) -> ArchiveRefused:
    return ArchiveRefused(f"{shown(named.filename)} holds no files.")
