"""The members of an archive, packed for one column: a row for each would be a table of billions."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec

from packages.reading.values import Member, MemberKind

_Row = tuple[str, int, str, str]
_rows = msgspec.msgpack.Decoder(list[_Row])


def packed_members(members: Iterable[Member]) -> bytes:
    """Return the members in some ten bytes for each."""
    rows = [(member.path, member.size, member.kind.value, member.target) for member in members]
    return zlib.compress(msgspec.msgpack.encode(rows))


def unpacked_members(data: bytes) -> tuple[Member, ...]:
    """Return what was packed."""
    rows = _rows.decode(zlib.decompress(data))
    return tuple(Member(path, size, MemberKind(kind), target) for path, size, kind, target in rows)
