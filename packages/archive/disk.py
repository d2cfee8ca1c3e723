"""The file that the archive parsers read from."""

from __future__ import annotations

import io
import os
from typing import IO

from packages.archive import limits
from packages.archive.refusals import ArchiveRefused, require_few_members
from packages.filenames import shown

_ZIP_ENTRY = b"PK\x01\x02"
_ZIP_ENTRY_SIZE = 46


class Disk(io.BufferedIOBase):
    """The file as the parsers see it: remembers the disk's errors, reads no giant directory.

    zipfile and tarfile turn an error of the disk into one of the archive; with the first one
    remembered, a failing disk is not blamed on whoever uploads. zipfile reads the whole central
    directory before it tells how many members there are, so that they are counted here.
    """

    def __init__(self, file: IO[bytes], filename: str) -> None:
        super().__init__()
        self._file = file
        self._filename = filename
        self.failure: OSError | None = None

    def seekable(self) -> bool:
        """Say that it is."""
        return True

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        """Move; a damaged directory may make this an EINVAL, which is not the disk's fault."""
        return self._file.seek(position, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return bytes, unless a zip's directory is larger than any real one."""
        if size is not None and size > limits.MAX_ZIP_DIRECTORY:
            raise ArchiveRefused(
                f"{shown(self._filename)} has a directory of {size} bytes; at most "
                f"{limits.MAX_ZIP_DIRECTORY} are read."
            )
        try:
            data = self._file.read(-1 if size is None else size)
        except OSError as error:
            self.failure = error
            raise
        if len(data) > limits.MAX_MEMBERS * _ZIP_ENTRY_SIZE:
            require_few_members(self._filename, data.count(_ZIP_ENTRY))
        return data
