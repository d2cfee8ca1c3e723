"""Reads the members of a zip: paths first, then any of them, then every byte of all."""

from __future__ import annotations

import stat
import zlib
from collections import deque
from collections.abc import Iterator
from typing import IO

from packages.archive.judgement import Judgement
from packages.archive.paths import Each, Tree, safe_path
from packages.archive.unpacking import beginning, blocks, inflated
from packages.archive.zip_structure import STORED, Entry, Structure
from packages.filenames import shown


class ZipContents:
    """What a zip holds, of which the structure is sound."""

    def __init__(self, file: IO[bytes], judgement: Judgement) -> None:
        self._file = file
        self._judgement = judgement
        self._structure = Structure(file, judgement)
        self.tree = Tree(judgement)
        self.unpacked = 0
        self._numbers: dict[str, int] = {}
        described = 0
        for number, (entry, _) in enumerate(self._structure.members()):
            self._add(entry)
            self._numbers[entry.name] = number
            self.unpacked += entry.unpacked
            described += entry.is_described
        self.tree.settle()
        judgement.require_unpacked(self.unpacked)
        if described:
            judgement.only_compatible(
                f"has {described} members with their size behind them (data descriptors)"
            )

    def read(self, path: str, largest: int) -> bytes | None:
        """Return a member whole, or None where there is none."""
        if path not in self._numbers:
            return None
        entry, start = self._structure.member(self._numbers[path])
        self._judgement.require_small(path, entry.unpacked, largest)
        return b"".join(self._pieces(entry, start))

    def beginning(self, path: str, at_most: int) -> bytes | None:
        """Return so many bytes of a member, or None where there is none."""
        if path not in self._numbers:
            return None
        return beginning(self._pieces(*self._structure.member(self._numbers[path])), at_most)

    def check_every_byte(self, each: Each | None = None) -> None:
        """Unpack all members, each of which must be as long as it says and have its checksum.

        `each` is given path, size and pieces of every file.
        """
        for entry, start in self._structure.members():
            pieces = self._pieces(entry, start)
            if each is not None and not entry.is_folder:
                each(entry.name, entry.unpacked, pieces)
            deque(pieces, maxlen=0)

    def _add(self, entry: Entry) -> None:
        path = safe_path(entry.name, self._judgement)
        kind = stat.S_IFMT(entry.mode)
        if kind == stat.S_IFLNK:
            raise self._judgement.refusal(
                f"has {shown(path)} as a link in a zip: pip writes a file of it, unzip a link"
            )
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._judgement.refusal(f"has {shown(path)} as a device or another special file")
        if entry.is_folder:
            if entry.unpacked:
                raise self._judgement.refusal(f"has the folder {shown(path)} with bytes in it")
            self.tree.add_folder(path)
        elif kind == stat.S_IFDIR:
            raise self._judgement.refusal(
                f"has {shown(path)}, a folder by its mode and a file by its name"
            )
        else:
            self.tree.add_file(path, entry.unpacked)

    def _pieces(self, entry: Entry, start: int) -> Iterator[bytes]:
        return member_pieces(self._file, entry, start, self._judgement)


def member_pieces(
    file: IO[bytes], entry: Entry, start: int, judgement: Judgement
) -> Iterator[bytes]:
    """Yield what a member holds, which must be as long as it says and have its checksum."""
    file.seek(start)
    packed = blocks(file, entry.packed)
    name = shown(entry.name)
    pieces = packed if entry.method == STORED else inflated(packed, judgement, name)
    crc = size = 0
    for piece in pieces if entry.packed else ():
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        if size > entry.unpacked:
            break
        yield piece
    if size != entry.unpacked:
        raise judgement.refusal(
            f"has the member {name}, which does not unpack to the {entry.unpacked} bytes "
            "that it says"
        )
    if crc != entry.crc:
        raise judgement.damaged(f"the member {name}, whose checksum is another")
