"""An object in storage as a file that can be sought, of which only what is read is asked for."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from functools import cached_property
from typing import IO, cast

from packages.storage import chunks

# An answer from a bucket costs more than these bytes of it.
_READ_AHEAD = 256 * 1024


def opened(key: str, size: int) -> IO[bytes]:
    """Return an object of `size` bytes as a file. Reading it raises StorageFailed."""
    return cast("IO[bytes]", io.BufferedReader(_Sought(key, size), buffer_size=_READ_AHEAD))


class _Sought(io.RawIOBase):
    def __init__(self, key: str, size: int) -> None:
        super().__init__()
        self._key = key
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    @cached_property
    def _end(self) -> bytes:
        """Return the last bytes: where a ZIP archive has its directory, which is read piecewise."""
        length = min(self._size, _READ_AHEAD)
        return b"".join(chunks(self._key, length, start=self._size - length))

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # it is given one
        filled = 0
        length = max(0, min(len(buffer), self._size - self._at))
        before_end = max(0, self._size - _READ_AHEAD)
        found: Iterable[bytes] = ()
        if length and self._at >= before_end:
            start = self._at - before_end
            found = (self._end[start : start + length],)
        elif length:
            found = chunks(self._key, length, start=self._at)
        for chunk in found:
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        self._at += filled
        return filled
