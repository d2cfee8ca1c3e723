"""Large pages as files: nginx sends one in half the time that it takes to pass it on from us.

A page that is held is laid down once, under a name that nobody can guess and that is given to no
other, in a folder of this process, and removed when it is held no more. Where nginx was told of it
just before, it finds nothing and asks gunicorn (deploy/nginx.conf).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

# What is smaller comes as fast from us as a file does.
_LARGE = 64 * 1024
# By nginx, whatever the umask says. It knows the names, and nobody else finds them out.
_ENTERED, _READ = 0o711, 0o644


class LargePage:
    """A page in a file, which is there for as long as this object is."""

    def __init__(self, path: Path, location: str, size: int) -> None:
        """Take over a file of `size` bytes that nginx knows as `location`."""
        self.location = location
        self.size = size
        weakref.finalize(self, path.unlink, missing_ok=True)


class LargePages:
    """Where a process lays its large pages down."""

    def __init__(self, folder: Path, prefix: str) -> None:
        """Make a folder of our own in `folder`, which nginx knows as `prefix`.

        Folders of processes that are no more are removed. Raises OSError.
        """
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_ENTERED)
        name = secrets.token_hex(16)
        self._folder = folder / name
        self._prefix = f"{prefix}/{name}"
        with _one_at_a_time(folder):
            for each in folder.iterdir():
                _remove_if_abandoned(each)
            self._folder.mkdir()
            self._folder.chmod(_ENTERED)
            # Locked as long as this process lives, however it ends.
            self._ours = _locked(self._folder)

    def lay_down(self, body: bytes) -> LargePage | None:
        """Return it as a file; None: it is not large, or cannot be written."""
        if len(body) < _LARGE:
            return None
        name = secrets.token_hex(16)
        path = self._folder / name
        page = LargePage(path, f"{self._prefix}/{name}", len(body))
        try:
            path.write_bytes(body)
            path.chmod(_READ)
        except OSError:
            log.warning("large_page_not_written", exc_info=True)
            return None
        return page


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(OSError):  # somebody lives there, or it is a file
        os.close(_locked(folder))
        shutil.rmtree(folder)


def _locked(folder: Path) -> int:
    """Return the folder as an open file with a lock on it. Raises OSError where another has it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        raise
    return opened


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let no other process clear up while this one moves in."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
