"""Finds the directory of a zip by the records at its very end, and takes no second opinion.

Readers look for the end record in different ways: the last signature in 64 KiB, the first one
from the front, the one at the exact place. In a file that ends with it, without a comment and
without another signature in it, all find the same. With ZIP64 there are two end records and a
locator; Python goes by the place before the end, others by the locator's offset.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO

from packages.archive import limits
from packages.archive.judgement import Judgement

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_END_SIGNATURE = b"PK\x05\x06"
_END64_SIGNATURE = b"PK\x06\x06"
_LOCATOR_SIGNATURE = b"PK\x06\x07"
# Without the extensible data that nobody writes.
_END64_LENGTH = 44
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
# An end record and the longest comment behind it.
_TAIL = _END.size + 0xFFFF


@dataclass(frozen=True, slots=True)
class Place:
    """Where the directory is, and how many members it has."""

    start: int
    size: int
    count: int


def ends_like_a_zip(file: IO[bytes], size: int) -> bool:
    """Say whether a zip reader that searches for the end record would find a directory.

    pip has tried zip first, whatever a file is called.
    """
    tail, at = _tail(file, size)
    found = tail.rfind(_END_SIGNATURE)
    while found >= 0:
        if len(tail) - found >= _END.size:
            *_, count, length, offset, _ = _END.unpack_from(tail, found)
            end = size - len(tail) + found
            starts = {offset, end - length}
            if count == 0 or any(_is_entry(file, start) for start in starts if 0 <= start < end):
                file.seek(at)
                return True
        found = tail.rfind(_END_SIGNATURE, 0, found)
    file.seek(at)
    return False


def directory_of(file: IO[bytes], judgement: Judgement) -> Place:
    """Return the place of the directory, when everything at the end agrees on it."""
    end_at = judgement.packed_size - _END.size
    end = _read(file, end_at, _END.size) if end_at >= 0 else b""
    if not end.startswith(_END_SIGNATURE) or end[-2:] != b"\0\0":
        raise _unclean_end(file, judgement)
    if end.count(_END_SIGNATURE) > 1:
        raise judgement.refusal("has more than one end of its zip directory")
    said = _END.unpack(end)[1:7]
    locator = _read(file, end_at - _LOCATOR.size, _LOCATOR.size)
    if locator.startswith(_LOCATOR_SIGNATURE):
        said = _with_zip64(file, said, locator, end_at, judgement)
        end_at -= _LOCATOR.size + _END64.size
    elif _FULL16 in said[:4] or _FULL32 in said[4:]:
        raise judgement.refusal("says at its end that it is ZIP64, but has no ZIP64 end record")
    disk, disk_of_directory, here, in_all, size, start = said
    if disk or disk_of_directory:
        raise judgement.refusal("is a part of a zip that is split over several files")
    if here != in_all:
        raise judgement.refusal(f"counts its members twice and differently: {here} and {in_all}")
    judgement.require_few_members(in_all)
    if size > limits.MAX_DIRECTORY:
        raise judgement.refusal(
            f"has a directory of {size} bytes; at most {limits.MAX_DIRECTORY} are read"
        )
    if start + size != end_at:
        raise judgement.refusal(
            f"has its directory at another place than its end says ({start + size - end_at:+d} "
            "bytes): something stands in front of the zip, or behind its directory"
        )
    return Place(start, size, in_all)


def _with_zip64(
    file: IO[bytes], said: tuple[int, ...], locator: bytes, end_at: int, judgement: Judgement
) -> tuple[int, ...]:
    """Return the values of the ZIP64 end record, unless the plain one says something else."""
    at = end_at - _LOCATOR.size - _END64.size
    _, disk, offset, disks = _LOCATOR.unpack(locator)
    record = _read(file, at, _END64.size) if at >= 0 else b""
    if offset != at or (disk, disks) != (0, 1) or not record.startswith(_END64_SIGNATURE):
        raise judgement.refusal("has a ZIP64 end record at another place than its locator says")
    _, length, _, _, *values = _END64.unpack(record)
    if length != _END64_LENGTH:
        raise judgement.refusal("has a ZIP64 end record of a wrong length")
    for index, (small, large) in enumerate(zip(said, values, strict=True)):
        if small not in (large, _FULL16 if index < 4 else _FULL32):  # noqa: PLR2004 - four short ones
            raise judgement.refusal(
                f"has two ends that disagree: {small} by the plain end record, {large} by ZIP64's"
            )
    return tuple(values)


def _unclean_end(file: IO[bytes], judgement: Judgement) -> Exception:
    tail, _ = _tail(file, judgement.packed_size)
    found = tail.rfind(_END_SIGNATURE)
    if found < 0 or len(tail) - found < _END.size:
        return judgement.damaged()
    left = len(tail) - found - _END.size
    (comment,) = struct.unpack_from("<H", tail, found + _END.size - 2)
    if comment == left:
        return judgement.refusal("has a comment at the end of its zip")
    return judgement.refusal(f"has {left} bytes behind the end of its zip")


def _tail(file: IO[bytes], size: int) -> tuple[bytes, int]:
    """Return the bytes in which an end record may start, and the position before the look."""
    at = file.tell()
    file.seek(max(0, size - _TAIL))
    return file.read(_TAIL), at


def _is_entry(file: IO[bytes], start: int) -> bool:
    return _read(file, start, 4) == b"PK\x01\x02"


def _read(file: IO[bytes], at: int, size: int) -> bytes:
    if at < 0:
        return b""
    file.seek(at, os.SEEK_SET)
    return file.read(size)
