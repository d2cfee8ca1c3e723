"""Tars written by hand, block by block, so that any header can say what it should not."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Mapping
from typing import Any

from tests.dists import make_metadata

BLOCK = 512
END = bytes(2 * BLOCK)
POSIX, GNU, OLD = b"ustar\x0000", b"ustar  \0", bytes(8)


def header(name: bytes, size: int = 0, kind: bytes = b"0", **fields: Any) -> bytes:
    """Return one header block; `fields` are bytes at their place, by the name in `_PLACES`."""
    block = bytearray(BLOCK)
    octal = {"mode": b"0000644\0", "uid": b"0000000\0", "gid": b"0000000\0"}
    values: dict[str, bytes] = {
        **octal,
        "name": name[:100],
        "length": b"%011o\0" % size,
        "mtime": b"15125465400\0",
        "kind": kind,
        "magic": POSIX,
        "devmajor": b"0000000\0",
        "devminor": b"0000000\0",
        **fields,
    }
    checksum = values.pop("checksum", None)
    for field, value in values.items():
        start = _PLACES[field]
        block[start : start + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block) if checksum is None else checksum
    return bytes(block)


def member(name: str | bytes, data: bytes = b"", kind: bytes = b"0", **fields: Any) -> bytes:
    """Return a header and the data behind it, filled up to a block."""
    raw = name.encode() if isinstance(name, str) else name
    return header(raw, len(data), kind, **fields) + data + bytes(-len(data) % BLOCK)


def pax(records: Mapping[str, str | bytes], kind: bytes = b"x") -> bytes:
    """Return an extended header, as POSIX's pax writes it."""
    lines = (
        record(keyword.encode(), value.encode() if isinstance(value, str) else value)
        for keyword, value in records.items()
    )
    return member("././@PaxHeader", b"".join(lines), kind)


def record(keyword: bytes, value: bytes) -> bytes:
    """Return one record of an extended header; its length counts itself."""
    rest = b" " + keyword + b"=" + value + b"\n"
    length = len(rest) + 1
    while length != len(b"%d" % length) + len(rest):
        length += 1
    return b"%d" % length + rest


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """Return GNU's header with a name that is too long, or (K) a link's target."""
    return member("././@LongLink", name + b"\0", kind)


def sdist_of(*members: bytes, pkg_info: bool = True, end: bytes = END) -> bytes:
    """Return an unpacked sdist of frog 1.0 with these members behind its PKG-INFO."""
    metadata = make_metadata("frog", "1.0", metadata_version="2.2")
    first = [member("frog-1.0/PKG-INFO", metadata)] if pkg_info else []
    return b"".join([*first, *members, end])


def gz(data: bytes) -> bytes:
    """Return data packed by gzip, the same every time."""
    return gzip.compress(data, mtime=0)


def bz(data: bytes) -> bytes:
    """Return data packed by bzip2."""
    return bz2.compress(data)


_PLACES = {
    "name": 0,
    "mode": 100,
    "uid": 108,
    "gid": 116,
    "length": 124,
    "mtime": 136,
    "kind": 156,
    "link": 157,
    "magic": 257,
    "devmajor": 329,
    "devminor": 337,
    "prefix": 345,
    "padding": 500,
}
