"""Bytes at rest: the spool that an upload fills, and the blobs behind distributions.

Blobs go through django-storages' interface (`STORAGES["blobs"]`): a folder or an S3-compatible
bucket. A key is the SHA-256 with a random tail and is never reused, so bytes under a key never
change and a late deletion can never hit a newer upload.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Any, Protocol, cast

import structlog
from boto3.exceptions import Boto3Error
from boto3.resources.base import ServiceResource
from boto3.s3.transfer import TransferConfig
from boto3.session import Session
from botocore.config import Config as BotoConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from base.errors import LarderError

log = structlog.get_logger(__name__)

# What the two kinds of storage raise when they are full, away or misconfigured.
_STORAGE_ERRORS = (OSError, Boto3Error, BotoCoreError, ClientError)
_NOT_KEPT = "Storage did not keep the file. Nothing was published; try again."

CHUNK = 1024 * 1024
_PART = 16 * 1024 * 1024


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


def answers() -> bool:
    """Say whether storage can be asked at all."""
    try:
        _blobs().exists("ready")
    except Exception:  # noqa: BLE001 - each storage has its own; all of them mean "down" here
        return False
    return True


def has(key: str) -> bool:
    """Say whether storage has an object under `key`. Raises StorageFailed."""
    try:
        return _blobs().exists(key)
    except _STORAGE_ERRORS as error:
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
    except _STORAGE_ERRORS as error:
        log.exception("storage did not take an object", storage_key=key)
        raise StorageFailed(_NOT_KEPT) from error
    if not kept:
        raise StorageFailed(_NOT_KEPT)


def remove(key: str) -> None:
    """Remove the object under `key`; one that is gone already is fine. Raises StorageFailed."""
    try:
        _blobs().delete(key)
    except _STORAGE_ERRORS as error:
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
        if isinstance(storage, S3Storage):
            return _open_s3_range(storage, key, start, length)
        file = cast("IO[bytes]", storage.open(key).file)
    except FileNotFoundError:
        log.error("an object is missing", storage_key=key)  # noqa: TRY400 - there is no more to say
        raise ObjectMissing("Storage does not have this file; tell whoever runs Larder.") from None
    except _STORAGE_ERRORS as error:
        log.exception("storage did not give an object", storage_key=key)
        raise StorageFailed("Storage does not answer now. Try again.") from error
    file.seek(start)
    return Slice(file, length)


def chunks(key: str, size: int, *, start: int = 0) -> Iterator[bytes]:
    """Yield `size` bytes of an object from `start`. Raises StorageFailed, also in the middle."""
    with closing(open_range(key, start=start, length=size)) as stream:
        try:
            while chunk := stream.read(CHUNK):
                yield chunk
        except (*_STORAGE_ERRORS, HTTPError) as error:
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


def _open_s3_range(storage: S3Storage, key: str, start: int, length: int) -> Readable:
    client = storage.connection.meta.client
    name = f"{storage.location.strip('/')}/{key}".lstrip("/")
    if length == 0:
        return io.BytesIO()
    wanted = f"bytes={start}-{start + length - 1}"
    try:
        answer = client.get_object(Bucket=storage.bucket_name, Key=name, Range=wanted)
    except client.exceptions.NoSuchKey:
        raise FileNotFoundError(key) from None
    body = cast("IO[bytes]", answer["Body"])
    # Some servers overlook Range and send the whole object: skip to the part that was asked for.
    if answer["ContentLength"] != length:
        while start > 0 and (chunk := body.read(min(CHUNK, start))):
            start -= len(chunk)
    return Slice(body, length)


class DurableFileSystemStorage(FileSystemStorage):
    """A folder whose `save` returns when the bytes and their name would survive a power cut."""

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


class BucketStorage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """A bucket of an S3-compatible service, asked in the ways that the lesser ones know too.

    Each thread has a connection of its own, and all of them one session: what a session has read of
    the service's description takes 12 MiB. A session makes one connection at a time.
    """

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self._connecting = Lock()
        self._session: Session | None = None

    @property
    def connection(self) -> ServiceResource:
        """Return this thread's connection."""
        made: ServiceResource | None = getattr(self._connections, "connection", None)
        if made is None:
            with self._connecting:
                made = super().connection
        return made

    def _create_session(self) -> Session:
        if self._session is None:
            self._session = super()._create_session()
        return self._session

    def get_default_settings(self) -> dict[str, Any]:
        """Return django-storages' settings with ours in place of its defaults."""
        theirs: dict[str, Any] = super().get_default_settings()
        return theirs | {
            "file_overwrite": True,  # keys are never reused, so there is nothing to look for
            "default_acl": None,
            "querystring_auth": True,
            "addressing_style": "path",
            # One part in memory at a time, so that memory does not grow with the file.
            "transfer_config": TransferConfig(
                multipart_threshold=_PART, multipart_chunksize=_PART, use_threads=False
            ),
            "client_config": BotoConfig(
                connect_timeout=3,
                read_timeout=60,
                retries={"max_attempts": 3, "mode": "standard"},
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                # Newer checksums break servers that do not know them; the digest is ours anyway.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _blobs() -> Storage:
    return storages["blobs"]
