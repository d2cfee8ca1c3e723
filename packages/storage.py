"""Bytes at rest: the spool that an upload fills, and the blobs behind distributions.

Blobs go through django-storages' interface (`STORAGES["blobs"]`): a folder or an S3-compatible
bucket. A key is the SHA-256 with a random tail and is never reused, so bytes under a key never
change and a late deletion can never hit a newer upload.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

import structlog
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages

from base.errors import LarderError

log = structlog.get_logger(__name__)

_NOT_KEPT = "Storage did not keep the file. Nothing was published; try again."

CHUNK = 1024 * 1024


class StorageFailed(LarderError):
    """Storage did not take bytes, or does not give back what a row says it has."""


class ObjectMissing(StorageFailed):
    """Storage answers, and has no such object."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A received file on this machine's disk, with its size and digests (hex).

    Not safe from a power cut: storage makes its bytes so when it takes them.
    """

    path: Path
    size: int
    sha256: str
    sha1: str
    md5: str
    blake2b_256: str


@contextmanager
def spooled(chunks: Iterable[bytes], *, prefix: str = "upload-") -> Iterator[Spooled]:
    """Write `chunks` to disk while hashing, and remove the file at the end of the block.

    Files of these prefixes are swept a day after a process was killed (packages.sweep).
    """
    folder = Path(settings.SPOOL_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=prefix)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            received = _receive(file, path, chunks)
        yield received
    finally:
        path.unlink(missing_ok=True)


def _receive(file: IO[bytes], path: Path, chunks: Iterable[bytes]) -> Spooled:
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    md5 = hashlib.md5(usedforsecurity=False)
    blake2b = hashlib.blake2b(digest_size=32)
    size = 0
    for chunk in chunks:
        size += len(chunk)
        for digest in (sha256, sha1, md5, blake2b):
            digest.update(chunk)
        file.write(chunk)
    file.flush()
    return Spooled(
        path=path,
        size=size,
        sha256=sha256.hexdigest(),
        sha1=sha1.hexdigest(),
        md5=md5.hexdigest(),
        blake2b_256=blake2b.hexdigest(),
    )


def read_in() -> None:
    """Make the storage of this process, and read in what it needs, before anybody waits for it."""
    _blobs()


def answers() -> bool:
    """Say whether storage can be asked at all."""
    try:
        _blobs().exists("ready")
    except Exception:  # noqa: BLE001 - each storage has its own; all of them mean "down" here
        return False
    return True


def has(key: str) -> bool:
    """Say whether storage has an object under `key`. Raises StorageFailed."""
    storage = _blobs()
    try:
        return storage.exists(key)
    except storage.errors as error:
        raise StorageFailed("Storage does not answer now. Try again.") from error


def new_key(tenant_id: int, sha256: str) -> str:
    """Return a storage key that was never used: the digest with a random tail."""
    return f"{tenant_id}/{sha256[:2]}/{sha256}-{secrets.token_hex(8)}"


def put(key: str, spool: Spooled) -> None:
    """Store the spooled bytes under `key`; they are durable when this returns."""
    storage = _blobs()
    try:
        with spool.path.open("rb") as file:
            stored = storage.save(key, File(file, name=str(spool.path)))
        kept = stored == key and storage.size(key) == spool.size
    except storage.errors as error:
        log.exception("storage did not take an object", storage_key=key)
        raise StorageFailed(_NOT_KEPT) from error
    if not kept:
        raise StorageFailed(_NOT_KEPT)


def remove(key: str) -> None:
    """Remove the object under `key`; one that is gone already is fine. Raises StorageFailed."""
    storage = _blobs()
    try:
        storage.delete(key)
    except storage.errors as error:
        raise StorageFailed("Storage does not let go of a file.") from error


class Readable(Protocol):
    """A stream of bytes to send: read it, or send its descriptor, and close it."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next at most `size` bytes."""

    def close(self) -> None:
        """Give back what the stream holds."""


def open_range(key: str, *, start: int, length: int) -> Readable:
    """Return a stream of `length` bytes of the object from `start`. Raises StorageFailed."""
    storage = _blobs()
    try:
        return storage.open_range(key, start, length)
    except FileNotFoundError:
        log.error("an object is missing", storage_key=key)  # noqa: TRY400 - there is no more to say
        raise ObjectMissing("Storage does not have this file; tell whoever runs Larder.") from None
    except storage.errors as error:
        log.exception("storage did not give an object", storage_key=key)
        raise StorageFailed("Storage does not answer now. Try again.") from error


def chunks(key: str, size: int, *, start: int = 0) -> Iterator[bytes]:
    """Yield `size` bytes of an object from `start`. Raises StorageFailed, also in the middle."""
    with closing(open_range(key, start=start, length=size)) as stream:
        try:
            while chunk := stream.read(CHUNK):
                yield chunk
        except _blobs().errors as error:
            raise StorageFailed("Storage stopped in the middle of a file.") from error


def part(key: str, *, start: int, length: int) -> bytes:
    """Return `length` bytes of an object from `start`. Raises StorageFailed, also where it ends."""
    found = b"".join(chunks(key, length, start=start))
    if len(found) != length:
        log.error("an object is too short", storage_key=key, wanted=start + length)
        raise StorageFailed("Storage does not have all of this file; tell whoever runs Larder.")
    return found


class Slice:
    """The next `length` bytes of an open file.

    Where the file has a descriptor, so has the slice, positioned at its first byte: with a
    Content-Length beside it gunicorn sends it by sendfile; anything else reads it.
    """

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        """Return the next at most `size` bytes of the slice."""
        size = self._left if size < 0 else min(size, self._left)
        chunk = self._file.read(size)
        self._left -= len(chunk)
        return chunk

    def fileno(self) -> int:
        """Return the descriptor of the file behind, for sendfile."""
        return self._file.fileno()

    def close(self) -> None:
        """Close the file behind."""
        self._file.close()


class DurableFileSystemStorage(FileSystemStorage):
    """A folder whose `save` returns when the bytes and their name would survive a power cut."""

    errors = (OSError,)  # what it raises when it is full, away or misconfigured

    def open_range(self, key: str, start: int, length: int) -> Readable:
        """Return a stream of `length` bytes of the file from `start`."""
        file = cast("IO[bytes]", self.open(key).file)
        file.seek(start)
        return Slice(file, length)

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        made = [parent for parent in target.parents if not parent.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # The spool is on this disk already: a second name for it costs nothing.
            os.link(content.name or "", target)
            target.chmod(self.file_permissions_mode or 0o644)  # the spool is ours alone
        except OSError:
            name = super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
        # The bytes only now, when they have their name: most file systems then write both at once.
        # The name of the file, and of each folder made for it, is an entry in the folder above.
        for path in (target, target.parent, *(new.parent for new in made)):
            _flush(path)
        return name


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Blobs(Protocol):
    """What is asked of either storage: what Django's all have, and two things more."""

    errors: tuple[type[Exception], ...]

    def open_range(self, key: str, start: int, length: int) -> Readable:
        """Return a stream of a part of an object. Raises FileNotFoundError."""

    def exists(self, name: str) -> bool:
        """Say whether there is an object."""

    def save(self, name: str, content: File[bytes]) -> str:
        """Store an object and return under which name."""

    def size(self, name: str) -> int:
        """Return how many bytes an object has."""

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""


def _blobs() -> _Blobs:
    return cast("_Blobs", storages["blobs"])
