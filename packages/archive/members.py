"""Reads members of an archive that was let in for somebody who waits: one of them, or all digests.

Of a zip the directory leads to a member, wherever it stands. A tar has none: its members pass by
until the one that is meant comes, within bounds of bytes and time.
"""

from __future__ import annotations

import hashlib
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
    judgement, shape = _judgement(filename, size), archive_format(filename)
    if shape != "zip":
        return _passing(tar_stream(file, shape, judgement), judgement, path, at_most)
    found = Directory(file, judgement).find(path)
    if found is None:
        return None
    return beginning(member_pieces(file, *found, judgement), at_most)


def digests_of_members(file: IO[bytes], filename: str, size: int) -> dict[str, bytes]:
    """Return the SHA-256 of each member of a tar, by path; of a zip none, whose RECORD lists them.

    Raises as `beginning_of_member`.
    """
    judgement, shape = _judgement(filename, size), archive_format(filename)
    digests: dict[str, bytes] = {}

    def take(path: str, _: int, pieces: Iterator[bytes]) -> None:
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        digests[path] = digest.digest()

    if shape != "zip":
        stream = _bounded(tar_stream(file, shape, judgement), judgement)
        TarContents(stream, judgement).check_every_byte(take)
    return digests


def _judgement(filename: str, size: int) -> Judgement:
    """Return what asks no more of a file than was asked of it when it came in."""
    return Judgement(filename, Rules.COMPATIBLE, max(size, limits.MIB), size)


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
