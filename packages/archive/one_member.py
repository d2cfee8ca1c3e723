"""Reads the beginning of one member of an archive that was let in, and no more than that takes.

Of a zip the directory leads to it, wherever it stands. A tar has none: its members pass by until
the one that is meant comes, within bounds of bytes and time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import IO

from packages.archive import limits
from packages.archive.judgement import ArchiveRefused, Judgement
from packages.archive.tars import TarContents
from packages.archive.unpacking import beginning, tar_stream
from packages.archive.zip_structure import Directory
from packages.archive.zips import member_pieces
from packages.filenames import archive_format, shown
from repos.rules import Rules


class TooFarInside(ArchiveRefused):
    """A member of a tar stands behind more bytes than are unpacked for somebody who waits."""


class _Found(Exception):
    """What was asked for has passed by; what follows need not be unpacked."""


def beginning_of_member(
    file: IO[bytes], filename: str, size: int, path: str, *, at_most: int
) -> bytes | None:
    """Return so many bytes of a member, or None where there is none of this path.

    `file` can be sought and has `size` bytes. Raises ArchiveRefused, of which TooFarInside is one.
    """
    # The repository's own limits were asked when the file came in.
    judgement = Judgement(filename, Rules.COMPATIBLE, max(size, limits.MIB), size)
    shape = archive_format(filename)
    if shape != "zip":
        return _passing(tar_stream(file, shape, judgement), judgement, path, at_most)
    found = Directory(file, judgement).find(path)
    if found is None:
        return None
    return beginning(member_pieces(file, *found, judgement), at_most)


def _passing(
    stream: Iterator[bytes], judgement: Judgement, path: str, at_most: int
) -> bytes | None:
    found: list[bytes] = []

    def take(passing: str, _: int, pieces: Iterator[bytes]) -> None:
        if passing == path:
            found.append(beginning(pieces, at_most))
            raise _Found

    try:
        TarContents(_bounded(stream, judgement), judgement).check_every_byte(take)
    except _Found:
        return found[0]
    return None


def _bounded(stream: Iterator[bytes], judgement: Judgement) -> Iterator[bytes]:
    """Yield a stream's pieces as long as nobody waits too long for what they lead to."""
    deadline = time.monotonic() + limits.PASSED_SECONDS
    passed = 0
    for piece in stream:
        passed += len(piece)
        if passed > limits.PASSED_BYTES or time.monotonic() > deadline:
            raise TooFarInside(
                f"{shown(judgement.filename)} is a tar, which has no directory, and this member "
                "stands too far inside to be shown here."
            )
        yield piece
