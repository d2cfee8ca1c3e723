"""Blobs in a bucket of an S3-compatible service (`STORAGES["blobs"]`, beside packages.storage).

A module of its own: where blobs are in a folder, no process reads in the client of S3, which takes
8 MiB.
"""

from __future__ import annotations

import io
from threading import Lock
from typing import IO, Any, cast

from boto3.exceptions import Boto3Error
from boto3.resources.base import ServiceResource
from boto3.s3.transfer import TransferConfig
from boto3.session import Session
from botocore.config import Config as BotoConfig
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from packages.storage import CHUNK, Readable, Slice

_PART = 16 * 1024 * 1024


class BucketStorage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """A bucket of an S3-compatible service, asked in the ways that the lesser ones know too.

    Each thread has a connection of its own, and all of them one session: what a session has read of
    the service's description takes 12 MiB. A session makes one connection at a time.
    """

    errors = (OSError, Boto3Error, BotoCoreError, ClientError, HTTPError)

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

    def open_range(self, key: str, start: int, length: int) -> Readable:
        """Return a stream of `length` bytes of the object from `start`."""
        client: Any = self.connection.meta.client
        name = f"{self.location.strip('/')}/{key}".lstrip("/")
        if length == 0:
            return io.BytesIO()
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            answer = client.get_object(Bucket=self.bucket_name, Key=name, Range=wanted)
        except client.exceptions.NoSuchKey:
            raise FileNotFoundError(key) from None
        body = cast("IO[bytes]", answer["Body"])
        # Some servers overlook Range and send the whole object: skip to the part that was asked
        # for.
        if answer["ContentLength"] != length:
            while start > 0 and (chunk := body.read(min(CHUNK, start))):
                start -= len(chunk)
        return Slice(body, length)

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
