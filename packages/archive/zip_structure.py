"""Reads the structure of a zip strictly: every byte of the file belongs to exactly one record.

A zip says everything twice: in the directory at its end, and in a header before each member's
data. Some readers believe the one, some the other, and what lies between records is hidden from
both. So the two must agree in everything that matters, and the members must fill the file from
its first byte to the directory, in any order but without gap or overlap (APPNOTE.TXT 4.3).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from packages.archive.judgement import Judgement
from packages.archive.paths import member_name
from packages.archive.zip_ends import directory_of
from packages.archive.zip_extras import FULL32, Record, numbers_of
from packages.filenames import shown

STORED, DEFLATED = 0, 8

_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_LOCAL = struct.Struct("<4s2B4H3L2H")
_DESCRIPTOR, _LARGE_DESCRIPTOR = struct.Struct("<4s3L"), struct.Struct("<4sL2Q")
_CENTRAL_SIGNATURE, _LOCAL_SIGNATURE = b"PK\x01\x02", b"PK\x03\x04"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

_ENCRYPTED, _DESCRIBED, _UTF8 = 0x0001, 0x0008, 0x0800
# Bits 1 and 2 say how hard deflate tried. Everything else changes what a member is.
_KNOWN_FLAGS = 0x0006 | _DESCRIBED | _UTF8
# 4.5 is ZIP64. What asks for more uses something that is refused anyhow, and unzip passes over it.
_NEWEST_VERSION = 45


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the directory has it."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    unpacked: int
    mode: int  # of Unix, 0 where it says nothing

    @property
    def is_folder(self) -> bool:
        """Say whether it is a folder: readers go by the name."""
        return self.name.endswith("/")

    @property
    def is_described(self) -> bool:
        """Say whether sizes and checksum stand behind the data (a data descriptor)."""
        return bool(self.flags & _DESCRIBED)


class Directory:
    """The directory of a zip, which stays packed in memory: a member is read when asked for."""

    def __init__(self, file: IO[bytes], judgement: Judgement) -> None:
        self._file = file
        self._judgement = judgement
        self._place = directory_of(file, judgement)
        if not self._place.count:
            raise judgement.refusal("holds no files")
        file.seek(self._place.start)
        self._directory = file.read(self._place.size)

    def find(self, path: str) -> tuple[Entry, int] | None:
        """Return one member and where its data starts, looking at no other; None for none.

        For files that were let in: what the others hide is `Structure`'s to find.
        """
        wanted = path.encode()
        for position in self._walked():
            start = position + _CENTRAL.size
            if self._directory[start : start + len(wanted)] != wanted:
                continue
            entry = self._entry_at(position)
            if entry.raw_name == wanted:
                return entry, self._local_at(self._offset_at(position), entry).end
        return None

    def _walked(self) -> Iterator[int]:
        """Yield where each record of the directory starts, to its very end."""
        position = 0
        for _ in range(self._place.count):
            if self._directory[position : position + 4] != _CENTRAL_SIGNATURE:
                raise self._miscounted()
            if len(self._directory) - position < _CENTRAL.size:
                raise self._miscounted()
            yield position
            name, extras, comment = struct.unpack_from("<3H", self._directory, position + 28)
            position += _CENTRAL.size + name + extras + comment
        if position != len(self._directory):
            raise self._miscounted()

    def _miscounted(self) -> Exception:
        return self._judgement.refusal(
            "has a directory that does not hold what its end says: other members, or other bytes"
        )

    def _entry_at(self, position: int, *, again: bool = False) -> Entry:
        """Return what the directory says of a member; `again`, its extra fields are sound."""
        fields = _CENTRAL.unpack_from(self._directory, position)
        needed, flags, method, crc = fields[3], fields[5], fields[6], fields[9]
        comment, disk, attributes = fields[14], fields[15], fields[17]
        record = self._record_of(fields, position)
        name = member_name(record.name, self._judgement)
        if comment:
            raise self._judgement.refusal(f"has a comment on the member {shown(name)}")
        if disk:
            raise self._judgement.refusal("is a part of a zip that is split over several files")
        is_said = again and FULL32 not in record.numbers
        numbers = record.numbers if is_said else numbers_of(record, self._judgement).values
        unpacked, packed, _ = numbers
        entry = Entry(record.name, name, flags, method, crc, packed, unpacked, attributes >> 16)
        self._require_readable(entry, needed)
        return entry

    def _offset_at(self, position: int) -> int:
        fields = _CENTRAL.unpack_from(self._directory, position)
        if fields[18] != FULL32:
            return int(fields[18])
        return numbers_of(self._record_of(fields, position), self._judgement).values[2]

    def _record_of(self, fields: tuple[Any, ...], position: int) -> Record:
        start = position + _CENTRAL.size
        middle = start + fields[12]
        return Record(
            name=self._directory[start:middle],
            numbers=(fields[11], fields[10], fields[18]),
            extras=self._directory[middle : middle + fields[13]],
        )

    def _require_readable(self, entry: Entry, needed: int) -> None:
        """Refuse what installers cannot read, or read differently."""
        if entry.flags & _ENCRYPTED:
            raise self._refused(entry, "encrypted; build it without")
        if entry.method not in (STORED, DEFLATED):
            # PyPA, binary distribution format: installers must support these two only.
            says = f"packed by compression method {entry.method}"
            raise self._refused(entry, f"{says}; only stored and deflated can be read")
        if entry.flags & ~_KNOWN_FLAGS:
            raise self._refused(entry, f"with flags that no installer reads ({entry.flags:#06x})")
        if needed > _NEWEST_VERSION:
            raise self._refused(
                entry,
                f"asking for version {needed / 10} of the format, which some readers pass over",
            )
        if not entry.raw_name.isascii() and not entry.flags & _UTF8:
            raise self._refused(entry, "without the mark that its name is UTF-8")
        if entry.method == STORED and entry.packed != entry.unpacked:
            says = f"stored in {entry.packed} bytes, of which it says that they are"
            raise self._refused(entry, f"{says} {entry.unpacked}")
        if entry.method == DEFLATED and not entry.packed and not entry.is_folder:
            raise self._refused(entry, "deflated into nothing, not even an end")

    def _local_at(self, at: int, entry: Entry) -> _Local:
        """Return a local header that says what the directory says."""
        self._file.seek(at)
        packed_header = self._file.read(_LOCAL.size)
        if len(packed_header) < _LOCAL.size or packed_header[:4] != _LOCAL_SIGNATURE:
            raise self._refused(entry, "and no header where the directory says it is")
        _, needed, _, flags, method, _, _, crc, *sizes, name, extras = _LOCAL.unpack(packed_header)
        tail = self._file.read(name + extras)
        if len(tail) != name + extras:
            raise self._judgement.damaged()
        record = Record(tail[:name], (sizes[1], sizes[0]), tail[name:])
        numbers = numbers_of(record, self._judgement)
        unpacked, packed = numbers.values
        said = {
            "name": (record.name, entry.raw_name),
            "flags": (flags, entry.flags),
            "compression method": (method, entry.method),
            "checksum": (crc, entry.crc),
            "packed size": (packed, entry.packed),
            "size": (unpacked, entry.unpacked),
        }
        for what, (here, there) in said.items():
            # Before a data descriptor the numbers may be left open.
            if here != there and not (entry.is_described and here == 0):
                raise self._refused(
                    entry, f"whose {what} in its own header is {shown(str(here))} instead"
                )
        if needed > _NEWEST_VERSION:
            raise self._refused(entry, f"asking for version {needed / 10} of the format")
        return _Local(at + _LOCAL.size + name + extras, numbers.is_zip64)

    def _refused(self, entry: Entry, says: str) -> Exception:
        return self._judgement.refusal(f"has the member {shown(entry.name)} {says}")


class Structure(Directory):
    """A directory of which every member was held against the rest of the file."""

    def __init__(self, file: IO[bytes], judgement: Judgement) -> None:
        super().__init__(file, judgement)
        # By the place of their data, and where the packed bytes of each start.
        places = sorted((self._offset_at(at), at) for at in self._walked())
        self._positions = array("Q", (at for _, at in places))
        offsets = [offset for offset, _ in places]
        self._starts = array("Q", self._checked(offsets, self._place.start))

    def members(self) -> Iterator[tuple[Entry, int]]:
        """Yield the members in the order of their data, and where that starts."""
        return (self.member(index) for index in range(len(self._positions)))

    def member(self, index: int) -> tuple[Entry, int]:
        """Return the member of this number in that order."""
        return self._entry_at(self._positions[index], again=True), self._starts[index]

    def _checked(self, offsets: list[int], end: int) -> Iterator[int]:
        """Yield where each member's data starts, holding the file to the directory on the way."""
        if offsets[0]:
            raise self._judgement.refusal(f"has {offsets[0]} bytes in front of its first member")
        places = zip(self._positions, offsets, [*offsets[1:], end], strict=True)
        for position, at, following in places:
            entry = self._entry_at(position)
            local = self._local_at(at, entry)
            yield local.end
            stop = local.end + entry.packed
            if entry.is_described and stop <= following:
                stop += self._described(entry, stop, local)
            if stop > following:
                raise self._refused(entry, "overlapping what follows it")
            if stop < following:
                raise self._refused(entry, f"and {following - stop} hidden bytes behind it")

    def _described(self, entry: Entry, at: int, local: _Local) -> int:
        """Return the length of the data descriptor behind a member, if it says the right thing."""
        if entry.method == STORED and entry.packed:
            # Whoever reads the file as a stream cannot know where the member ends.
            raise self._refused(entry, "stored, with its size behind it")
        form = _LARGE_DESCRIPTOR if local.is_zip64 else _DESCRIPTOR
        self._file.seek(at)
        right = form.pack(_DESCRIPTOR_SIGNATURE, entry.crc, entry.packed, entry.unpacked)
        if self._file.read(form.size) != right:
            raise self._refused(entry, "and a data descriptor that disagrees with the directory")
        return form.size


@dataclass(frozen=True, slots=True)
class _Local:
    """What a local header adds to the directory."""

    end: int  # where the data starts
    is_zip64: bool  # then a data descriptor has large numbers
