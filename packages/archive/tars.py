"""Finds the core metadata in a tar, packed or not, without holding more than a member."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from typing import IO, cast

from packages.archive import limits
from packages.archive.disk import Disk
from packages.archive.refusals import (
    ArchiveRefused,
    is_pkg_info,
    require_few_members,
    require_one_top,
    require_small,
    split,
    too_large,
    without_files,
)
from packages.filenames import DistributionName, Kind, shown

_CHUNK = 64 * 1024


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
        self.allowance = limits.MAX_TAR_HEADER
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
                f"{limits.MAX_TAR_HEADER} bytes."
            )
        self.allowance -= size
        self.last = self._pull(size)
        return self.last

    def _pull(self, size: int) -> bytes:
        data = self._unpacked.read(size)
        self._position += len(data)
        if self._position > limits.MAX_UNPACKED:
            raise too_large(self._named)
        if self._position > max(limits.RATIO_FROM, limits.MAX_RATIO * self._packed_size):
            raise ArchiveRefused(
                f"{shown(self._named.filename)} unpacks to more than {limits.MAX_RATIO} times "
                "its size; it is taken for a decompression bomb."
            )
        return data


def metadata_in_tar(disk: Disk, named: DistributionName, shape: str) -> bytes | None:
    """Return the PKG-INFO of an sdist in a tar; None where there is none."""
    size = disk.seek(0, os.SEEK_END)
    disk.seek(0)
    with _unpacking(disk, shape) as unpacked:
        stream = _TarStream(unpacked, named, size)
        with tarfile.TarFile(fileobj=stream, encoding="utf-8") as archive:
            return _pkg_info_in_tar(archive, stream, named)


def _unpacking(disk: Disk, shape: str) -> IO[bytes]:
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
        top, _ = split(member.name)
        if len(tops) < 2:  # noqa: PLR2004 - two are one too many, and enough to know it
            tops |= {top} - {""}
        if named.kind is Kind.SDIST and is_pkg_info(member.name):
            require_one_top(named, tops)
            return _member_of_tar(stream, member, named)
    if not tops:
        raise without_files(named)
    return None


def _tar_members(
    archive: tarfile.TarFile, stream: _TarStream, named: DistributionName
) -> Iterator[tarfile.TarInfo]:
    count = 0
    while (member := archive.next()) is not None:
        # tarfile keeps every member it has seen; we come by each of them once.
        archive.members = []  # type: ignore[attr-defined]  # the stubs do not list it
        count += 1
        require_few_members(named.filename, count)
        if len(archive.pax_headers) > limits.MAX_GLOBAL_HEADERS:
            raise ArchiveRefused(
                f"{shown(named.filename)} has more than {limits.MAX_GLOBAL_HEADERS} global headers."
            )
        yield member
        stream.allowance = limits.MAX_TAR_HEADER
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
    require_small(named, member.name, member.size)
    stream.seek(member.offset_data)
    stream.allowance = member.size
    data = stream.read(member.size)
    if len(data) != member.size:
        raise tarfile.ReadError("unexpected end of data")
    return data
