"""Opens an archive through the gate, sees every file of it once, and fetches those asked for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import IO, Any

from packages.archive import ArchiveRefused
from packages.archive.gate import open_contents
from packages.archive.judgement import Judgement
from packages.archive.records import Comparison, read_record
from packages.archive.tars import TarContents
from packages.archive.unpacking import beginning
from packages.archive.wheels import dist_info_folder
from packages.archive.zips import ZipContents
from packages.filenames import DistributionName, Kind, shown
from packages.reading.layout import Layout, layout_of
from packages.reading.limits import HEAD, LARGEST_FILE, MAX_ITEMS
from packages.reading.natives import native_in
from packages.reading.values import Member, MemberKind
from repos.rules import Rules


class _Enough(Exception):
    """All that was asked for is there; what follows need not be unpacked."""


class Archive:
    """An open archive whose structure is sound. Raises ArchiveRefused if it is not.

    What breaks a rule of wheels or of metadata, but stops no reader, is one of its `problems`.
    """

    def __init__(self, file: IO[bytes], filename: str) -> None:
        self._file = file
        self._filename = filename
        self._size = os.fstat(file.fileno()).st_size
        self._judgement = self._new_judgement()
        self._contents = open_contents(file, self._judgement)
        self._natives: list[dict[str, str]] = []
        self._further_natives = 0
        self.problems: list[str] = []
        self.record: Comparison | None = None
        self.layout = self._seen(self._contents)
        self.problems += self._judgement.findings

    @property
    def members(self) -> tuple[Member, ...]:
        """Return files and links, in the order of their paths."""
        tree = self._contents.tree
        files = (Member(path, size) for path, size in tree.files.items())
        links = (Member(path, 0, MemberKind.LINK, target) for path, target in tree.links.items())
        return tuple(sorted((*files, *links), key=lambda member: member.path))

    @property
    def files(self) -> Mapping[str, int]:
        """Return the size of each file, by path."""
        return self._contents.tree.files

    @property
    def natives(self) -> dict[str, Any]:
        """Return the native code among the files."""
        return {"items": self._natives, "left_off": self._further_natives}

    def fetch(self, wanted: Mapping[str, int]) -> dict[str, bytes]:
        """Return the beginnings of files: of each path no more than so many bytes.

        A path that is no file of the archive is left out.
        """
        left = {path: most for path, most in wanted.items() if path in self.files}
        if isinstance(self._contents, ZipContents):
            found = {path: self._contents.beginning(path, most) for path, most in left.items()}
            return {path: data for path, data in found.items() if data is not None}
        return self._passing(left) if left else {}

    def compare_folder(self, named: DistributionName) -> None:
        """Note a wheel's .dist-info folder that is another's, by its name."""
        if self.layout.kind is Kind.WHEEL:
            try:
                dist_info_folder(self._contents.tree, named, self._judgement)
            except ArchiveRefused as refused:
                self.problems.append(refused.sentence)

    def problem(self, says: str) -> None:
        """Note what is wrong; `says` is the end of a sentence that begins with the file's name."""
        self.problems.append(f"{shown(self._filename)} {says}.")

    def _new_judgement(self) -> Judgement:
        return Judgement(
            self._filename, Rules.COMPATIBLE, max(self._size, LARGEST_FILE), self._size
        )

    def _seen(self, contents: ZipContents | TarContents) -> Layout:
        """Look at every file, and return where things stand."""
        if isinstance(contents, TarContents):
            contents.check_every_byte(self._look)
            return layout_of(self._filename, self.files)
        layout = layout_of(self._filename, self.files)
        self._find_record(contents, layout)
        contents.check_every_byte(self._look)
        if self.record is not None and (says := self.record.conclusion()):
            self.problem(says)
        return layout

    def _find_record(self, contents: ZipContents, layout: Layout) -> None:
        if layout.kind is not Kind.WHEEL or layout.info is None:
            return
        if f"{layout.info}RECORD" not in self.files:
            return  # of which the layout tells
        try:
            folder = layout.info.removesuffix("/")
            self.record = read_record(contents, folder, self._judgement, hashes=True)
        except ArchiveRefused as refused:
            self.problems.append(refused.sentence)

    def _look(self, path: str, size: int, pieces: Iterator[bytes]) -> None:
        watched = self._watched(path, pieces)
        if self.record is not None:
            self.record.compare(path, size, watched)
        deque(watched, maxlen=0)

    def _watched(self, path: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pieces of a file, having looked at the first."""
        first = next(pieces, b"")
        if native := native_in(path, first[:HEAD]):
            if len(self._natives) < MAX_ITEMS:
                self._natives.append(native)
            else:
                self._further_natives += 1
        yield first
        yield from pieces

    def _passing(self, left: dict[str, int]) -> dict[str, bytes]:
        """Return what was asked for of a tar, which is read once more, as far as need be."""
        found: dict[str, bytes] = {}

        def take(path: str, _: int, pieces: Iterator[bytes]) -> None:
            if (most := left.pop(path, None)) is not None:
                found[path] = beginning(pieces, most)
            if not left:
                raise _Enough

        self._file.seek(0)
        with suppress(_Enough):
            again = open_contents(self._file, self._new_judgement())
            again.check_every_byte(take)
        return found
