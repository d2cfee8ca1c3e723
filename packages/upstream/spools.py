"""A file on this machine's disk that grows as upstream sends it, and those who read along.

How far it is stands in the mode of the file itself, so that whoever has it open in whichever
process sees it, also after its name is gone: `_GROWING`, then `_BROKEN`, or any other: whole. Who
writes holds a lock on it, which ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from packages.storage import Spooled
from packages.upstream.errors import UpstreamFailed

# Withheld until size and digest hold, so that no client takes a wrong file for a whole one.
WITHHELD = 64 * 1024
PREFIX = "fetch-"

_GROWING, _BROKEN, _WHOLE = 0o600, 0o200, 0o400
_READ_AT_MOST = 256 * 1024  # times the number of callers is what memory they take
_POLLED_EVERY = 0.02  # seconds
_WRITER_ASKED_EVERY = 0.5  # seconds
_ALWAYS = ("sha256", "sha1", "md5")


def spool_path(name: str) -> Path:
    """Return where the spool of this name is on this machine."""
    return Path(settings.SPOOL_FOLDER) / f"{PREFIX}{name}"


class WriterGone(UpstreamFailed):
    """The process that was writing a spool has died."""


class Spool:
    """What one transfer writes. `algorithms` are the digests that upstream named."""

    def __init__(self, path: Path, algorithms: Iterable[str]) -> None:
        self.path = path
        self.size = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _GROWING)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._tail = bytearray()
        self._hashes = {name: hashlib.new(name) for name in {*_ALWAYS, *algorithms}}
        self._blake2b_256 = hashlib.blake2b(digest_size=32)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes; all but the last `WITHHELD` can be read by others at once."""
        self.size += len(chunk)
        for each in self._hashes.values():
            each.update(chunk)
        self._blake2b_256.update(chunk)
        self._tail += chunk
        if len(self._tail) > WITHHELD:
            self._append(self._tail[:-WITHHELD])
            del self._tail[:-WITHHELD]

    def digest(self, algorithm: str) -> str:
        """Return a digest of what was written so far, in hex."""
        return self._hashes[algorithm].hexdigest()

    def finish(self) -> Spooled:
        """Give out the last bytes, and return the whole file."""
        self._append(self._tail)
        self._tail.clear()
        os.fchmod(self._fd, _WHOLE)
        return Spooled(
            path=self.path,
            size=self.size,
            sha256=self.digest("sha256"),
            sha1=self.digest("sha1"),
            md5=self.digest("md5"),
            blake2b_256=self._blake2b_256.hexdigest(),
        )

    def break_off(self) -> None:
        """Tell everybody who reads along that the rest will not come, if it has not.

        Storage on the same file system may have the whole file by a name of its own, mode and all.
        """
        if _mode(self._fd) == _GROWING:
            os.fchmod(self._fd, _BROKEN)

    def close(self) -> None:
        """Remove the file; who reads it has it open."""
        os.close(self._fd)
        self.path.unlink(missing_ok=True)

    def _append(self, data: bytes | bytearray) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            view = view[written:]
        view.release()


class SpoolStream:
    """Reads a spool from its start as it grows."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, once there are some.

        Raises UpstreamFailed when the rest will not come, and WriterGone when nobody sends it.
        """
        size = _READ_AT_MOST if size < 0 else min(size, _READ_AT_MOST)
        asked_at = time.monotonic()
        while True:
            # Asked before the bytes: what was whole then has no more behind what is read now.
            mode = self._mode()
            if chunk := self._file.read(size):
                return chunk
            if mode == _BROKEN:
                raise UpstreamFailed("Upstream did not send the rest of the file, or a wrong one.")
            if mode != _GROWING:
                return b""
            if time.monotonic() - asked_at > _WRITER_ASKED_EVERY:
                asked_at = time.monotonic()
                if self.writer_is_gone():
                    raise WriterGone("Whoever fetched the file from upstream is gone.")
            time.sleep(_POLLED_EVERY)

    def is_whole(self) -> bool:
        """Say whether all bytes are here, read or not."""
        return self._mode() not in {_GROWING, _BROKEN}

    def writer_is_gone(self) -> bool:
        """Say whether the process that was writing has died."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return self._mode() == _GROWING  # or it has just ended as it should

    def close(self) -> None:
        """Stop reading along; the transfer goes on."""
        self._file.close()

    def _mode(self) -> int:
        return _mode(self._file.fileno())


def _mode(descriptor: int) -> int:
    return stat.S_IMODE(os.fstat(descriptor).st_mode)
