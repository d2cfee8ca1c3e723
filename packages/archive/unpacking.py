"""Unpacks bytes piece by piece: the stream of a tar, and one member of a zip.

Python's own file objects for this go on behind the end of a packed stream and join what follows,
where other readers stop. Here the end is the end, and bytes behind it are refused.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from packages.archive import limits
from packages.archive.judgement import Judgement

# A raw deflate stream, and one with gzip's header and checksum around it.
_RAW, _GZIP = -zlib.MAX_WBITS, 16 + zlib.MAX_WBITS

# What unpacks one piece of a packed stream.
_Pieces = Callable[[bytes], Iterator[bytes]]


class _Damaged(Exception):
    """A packed stream makes no sense."""


def blocks(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the next `size` bytes of a file, fewer where it ends."""
    while size and (block := file.read(min(size, limits.CHUNK))):
        size -= len(block)
        yield block


def beginning(pieces: Iterator[bytes], at_most: int) -> bytes:
    """Return so many bytes of a file's pieces, fewer where it ends, and read no further."""
    kept = bytearray()
    for piece in pieces:
        kept += piece[: at_most - len(kept)]
        if len(kept) == at_most:
            break
    return bytes(kept)


def inflated(packed: Iterator[bytes], judgement: Judgement, where: str) -> Iterator[bytes]:
    """Yield what a raw deflate stream holds, as the members of a zip are packed."""
    inner = zlib.decompressobj(_RAW)
    return _unpacked(packed, inner, _inflating(inner), judgement, where)


def tar_stream(file: IO[bytes], shape: str, judgement: Judgement) -> Iterator[bytes]:
    """Yield the bytes of a tar, whichever way it is packed."""
    packed = blocks(file, judgement.packed_size)
    match shape:
        case "tar.gz":
            gzip = zlib.decompressobj(_GZIP)
            return _unpacked(packed, gzip, _inflating(gzip), judgement, "its gzip stream")
        case "tar.bz2":
            bzip2 = bz2.BZ2Decompressor()
            return _unpacked(packed, bzip2, _bunzipping(bzip2), judgement, "its bzip2 stream")
        case _:
            return packed


def _inflating(inner: zlib._Decompress) -> _Pieces:
    def pieces(packed: bytes) -> Iterator[bytes]:
        while True:
            try:
                data = inner.decompress(packed, limits.CHUNK)
            except zlib.error:
                raise _Damaged from None
            yield data
            packed = inner.unconsumed_tail
            # A full piece may leave more within zlib, without any input left.
            if not packed and len(data) < limits.CHUNK:
                return

    return pieces


def _bunzipping(inner: bz2.BZ2Decompressor) -> _Pieces:
    def pieces(packed: bytes) -> Iterator[bytes]:
        while True:
            try:
                yield inner.decompress(packed, limits.CHUNK)
            except OSError:  # bz2's word for damage
                raise _Damaged from None
            packed = b""
            if inner.eof or inner.needs_input:
                return

    return pieces


def _unpacked(
    packed: Iterator[bytes],
    inner: zlib._Decompress | bz2.BZ2Decompressor,
    pieces: _Pieces,
    judgement: Judgement,
    where: str,
) -> Iterator[bytes]:
    """Yield what a packed stream holds; refuse damage, a missing end, and bytes behind the end."""
    for block in packed:
        if inner.eof:
            raise _followed(judgement, where)
        try:
            yield from pieces(block)
        except _Damaged:
            raise judgement.damaged(where) from None
        if inner.unused_data:
            raise _followed(judgement, where)
    if not inner.eof:
        raise judgement.damaged(where)


def _followed(judgement: Judgement, where: str) -> Exception:
    return judgement.refusal(
        f"has bytes behind the end of {where}: some readers take them for a second part, others "
        "pass over them"
    )
