"""Zips written by hand, so that any field of any record can say what it should not."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tests.dists import make_wheel

STORED, DEFLATED = 0, 8
UTF8, DESCRIBED = 0x0800, 0x0008
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
TIME, DATE = 0, 0x5C21  # midnight of the first of January 2026


@dataclass(frozen=True)
class Part:
    """One member; `local` and `central` replace fields of one record alone."""

    name: bytes
    data: bytes = b"x"
    method: int = DEFLATED
    flags: int = 0
    mode: int = 0o100644
    packed: bytes | None = None  # the bytes in the file, where they are not made of the data
    local: Mapping[str, Any] = field(default_factory=dict)
    central: Mapping[str, Any] = field(default_factory=dict)
    local_extra: bytes = b""
    central_extra: bytes = b""
    behind: bytes = b""  # a data descriptor, or hidden bytes
    in_directory: bool = True
    in_file: bool = True

    @cached_property
    def stream(self) -> bytes:
        """Return the packed bytes."""
        if self.packed is not None:
            return self.packed
        return self.data if self.method == STORED else deflated(self.data)

    def says(self) -> dict[str, Any]:
        """Return what both records say of the member."""
        return {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.stream),
            "unpacked": len(self.data),
            "needed": 20,
        }


@dataclass(frozen=True)
class End:
    """What stands behind the members; None is what is right."""

    before_directory: bytes = b""
    after_directory: bytes = b""
    count: int | None = None
    count_here: int | None = None
    size: int | None = None
    offset: int | None = None
    disk: int = 0
    comment: bytes = b""
    comment_length: int | None = None
    behind: bytes = b""
    zip64: Mapping[str, int] | None = None  # fields of the ZIP64 records that are wrong; {}: none


def deflated(data: bytes) -> bytes:
    """Return data as a raw deflate stream."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def wheel_parts(**changes: Any) -> list[Part]:
    """Return the members of a wheel of frog 1.0."""
    _, content = make_wheel("frog", "1.0", **changes)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return [Part(name.encode(), opened.read(name)) for name in opened.namelist()]


def changed(index: int = 0, **changes: Any) -> list[Part]:
    """Return the members of a wheel, one of which has other fields."""
    parts = wheel_parts()
    parts[index] = replace(parts[index], **changes)
    return parts


def zip_made_of(parts: Iterable[Part], end: End = End(), *, prefix: bytes = b"") -> bytes:
    """Return a zip of these members, in this order."""
    made, directory, listed = bytearray(prefix), bytearray(), 0
    for part in parts:
        offset = len(made)
        if part.in_file:
            made += _local(part) + part.stream + part.behind
        if part.in_directory:
            directory += _central(part, offset)
            listed += 1
    made += end.before_directory
    return bytes(made) + directory + _end(end, listed, len(directory), len(made))


def extra(kind: int, data: bytes, length: int | None = None) -> bytes:
    """Return an extra field."""
    return struct.pack("<2H", kind, len(data) if length is None else length) + data


def zip64_extra(*numbers: int) -> bytes:
    """Return the extra field with the numbers of ZIP64."""
    return extra(1, struct.pack(f"<{len(numbers)}Q", *numbers))


def unicode_path(name: bytes, other: bytes, *, version: int = 1) -> bytes:
    """Return the extra field in which Info-ZIP says another name."""
    return extra(0x7075, struct.pack("<BL", version, zlib.crc32(name)) + other)


def descriptor(part: Part, *, signature: bytes = b"PK\x07\x08", large: bool = False) -> bytes:
    """Return the data descriptor of a member."""
    sizes = struct.pack("<2Q" if large else "<2L", len(part.stream), len(part.data))
    return signature + struct.pack("<L", zlib.crc32(part.data)) + sizes


def described(part: Part, **changes: Any) -> Part:
    """Return a member as a stream's writer writes it: sizes and checksum behind the data."""
    open_numbers = {"crc": 0, "packed": 0, "unpacked": 0}
    usual: dict[str, Any] = {
        "local": open_numbers,
        "behind": descriptor(part),
        "flags": part.flags | DESCRIBED,
    }
    return replace(part, **(usual | changes))


def _local(part: Part) -> bytes:
    says: dict[str, Any] = {**part.says(), **part.local}
    name: bytes = says["name"]
    return (
        struct.pack(
            "<4s5H3L2H",
            says.get("signature", b"PK\x03\x04"),
            *(says["needed"], says["flags"], says["method"], TIME, DATE),
            *(says["crc"], says["packed"], says["unpacked"]),
            *(len(name), len(part.local_extra)),
        )
        + name
        + part.local_extra
    )


def _central(part: Part, offset: int) -> bytes:
    usual = {"offset": offset, "comment": b"", "disk": 0, "host": 3}
    says: dict[str, Any] = {**usual, **part.says(), **part.central}
    name: bytes = says["name"]
    comment: bytes = says["comment"]
    return (
        struct.pack(
            "<4s6H3L5H2L",
            says.get("signature", b"PK\x01\x02"),
            *(20 | says["host"] << 8, says["needed"], says["flags"], says["method"], TIME, DATE),
            *(says["crc"], says["packed"], says["unpacked"]),
            *(len(name), len(part.central_extra), len(comment), says["disk"], 0),
            *(part.mode << 16, says["offset"]),
        )
        + name
        + part.central_extra
        + comment
    )


def _end(end: End, listed: int, size: int, offset: int) -> bytes:
    count = listed if end.count is None else end.count
    here = count if end.count_here is None else end.count_here
    size = size if end.size is None else end.size
    start = offset if end.offset is None else end.offset
    before = end.after_directory
    if end.zip64 is not None:
        at = offset + size + len(before)
        before += _zip64_end(end.zip64, (listed, size, offset), at)
    length = len(end.comment) if end.comment_length is None else end.comment_length
    record = (end.disk, end.disk, here, count, size, start, length)
    return before + struct.pack("<4s4H2LH", b"PK\x05\x06", *record) + end.comment + end.behind


def _zip64_end(wrong: Mapping[str, int], right: tuple[int, int, int], at: int) -> bytes:
    count, size, offset = right
    says = {
        "length": 44,
        "disk": 0,
        "count": count,
        "here": count,
        "size": size,
        "start": offset,
        "locator_disk": 0,
        "locator": at,
        "disks": 1,
        **wrong,
    }
    record = struct.pack(
        "<4sQ2H2L4Q",
        *(b"PK\x06\x06", says["length"], 45, 45, says["disk"], says["disk"]),
        *(says["here"], says["count"], says["size"], says["start"]),
    )
    locator = (b"PK\x06\x07", says["locator_disk"], says["locator"], says["disks"])
    return record + struct.pack("<4sLQL", *locator)
