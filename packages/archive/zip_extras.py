"""Reads the extra fields of a zip's records: ZIP64 sizes, and Info-ZIP's second name."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.filenames import shown

_HEADER = struct.Struct("<2H")
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
# Stands for a number that does not fit, and is in the ZIP64 field instead.
FULL32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Record:
    """What one record says in 32 bits each, where all ones mean "see ZIP64", and its extras."""

    name: bytes
    numbers: tuple[int, ...]
    extras: bytes


@dataclass(frozen=True, slots=True)
class Numbers:
    """A record's numbers, with those from ZIP64 where they stand there."""

    values: tuple[int, ...]
    is_zip64: bool  # whether there is such a field at all


def numbers_of(record: Record, judgement: Judgement) -> Numbers:
    """Return what a record says, once its extra fields are sound."""
    zip64 = _checked(record, judgement) if record.extras else None
    wanting = record.numbers.count(FULL32)
    if zip64 is None:
        if wanting:
            raise _odd(record, judgement, "no ZIP64 numbers where it says there are some")
        return Numbers(record.numbers, is_zip64=False)
    if len(zip64) % 8:
        raise _odd(record, judgement, "ZIP64 numbers of a wrong length")
    large = struct.unpack(f"<{len(zip64) // 8}Q", zip64)
    if not wanting:
        # Some writers give them anyhow: harmless where they say the same.
        if large != record.numbers[: len(large)]:
            raise _odd(record, judgement, "ZIP64 numbers that disagree with the plain ones")
        return Numbers(record.numbers, is_zip64=True)
    if len(large) != wanting:
        raise _odd(record, judgement, "ZIP64 numbers of a wrong length")
    given = iter(large)
    values = tuple(next(given) if number == FULL32 else number for number in record.numbers)
    return Numbers(values, is_zip64=True)


def _checked(record: Record, judgement: Judgement) -> bytes | None:
    """Return the ZIP64 field; refuse fields that are cut off, or that matter and stand twice."""
    seen: dict[int, bytes] = {}
    position = count = 0
    while position < len(record.extras):
        count += 1
        if count > limits.MAX_EXTRA_FIELDS:
            raise _odd(record, judgement, f"more than {limits.MAX_EXTRA_FIELDS} extra fields")
        if len(record.extras) - position < _HEADER.size:
            raise _odd(record, judgement, "an extra field that is cut off")
        kind, length = _HEADER.unpack_from(record.extras, position)
        position += _HEADER.size
        data = record.extras[position : position + length]
        position += length
        if len(data) != length:
            raise _odd(record, judgement, "an extra field that is cut off")
        if kind in (_ZIP64, _UNICODE_PATH):
            if kind in seen:
                raise _odd(record, judgement, f"the extra field {kind:#06x} twice")
            seen[kind] = data
    if _UNICODE_PATH in seen:
        _require_same_name(record, seen[_UNICODE_PATH], judgement)
    return seen.get(_ZIP64)


def _require_same_name(record: Record, data: bytes, judgement: Judgement) -> None:
    """Refuse a second name that is another one: unzip takes it, Python's zipfile does not."""
    right = struct.pack("<BL", 1, zlib.crc32(record.name)) + record.name
    if data != right:
        raise _odd(record, judgement, "a second name in an extra field, which is another one")


def _odd(record: Record, judgement: Judgement, says: str) -> Exception:
    name = shown(record.name.decode(errors="replace"))
    return judgement.refusal(f"has the member {name} with {says}")
