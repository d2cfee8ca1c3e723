"""Reads request bodies: to their end and no further, and never from a client that has stopped."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from django.http import HttpRequest

from base.errors import InvalidInput

_KEPT = "larder.body"
_CHUNK = 256 * 1024
# A longer Content-Length is no length; Python would not even read a number of thousands.
_DIGITS_AT_MOST = 19
# How long a client may say nothing in the middle of its body, in seconds. A thread waits with it.
_SILENCE = 30.0
# After a refusal the rest of the body is read, so that the client gets to read the answer instead
# of a broken connection; but not for ever.
_DRAIN_BYTES = 512 * 1024 * 1024
_DRAIN_SECONDS = 20.0
_DRAIN_SILENCE = 3.0
# A body of settings or of a query is small; whoever needs longer for one has stopped.
_WHOLE_SECONDS = 10.0


class BodyBroken(InvalidInput):
    """The body ended too early, cannot be read, or is longer than what was asked for can be."""


class Body:
    """The body of one request."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        """Take the body that the WSGI `environ` holds."""
        self._stream: IO[bytes] = environ.get("wsgi.input") or io.BytesIO()
        # gunicorn's own name for the connection; its threads read without any deadline.
        self._socket = environ.get("gunicorn.socket")
        length = str(environ.get("CONTENT_LENGTH") or "")
        is_chunked = "chunked" in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower()
        # None: chunked, and the server knows where it ends.
        is_length = length.isdecimal() and len(length) <= _DIGITS_AT_MOST
        self.left = None if is_chunked else int(length) if is_length else 0

    def read(self, silence: float = _SILENCE) -> bytes:
        """Return the next chunk; empty at the end, be it too early. Raises BodyBroken."""
        size = _CHUNK if self.left is None else min(_CHUNK, self.left)
        if not size:
            return b""
        try:
            chunk = self._read_within(silence, size)
        except TimeoutError:
            raise BodyBroken("The upload stopped in the middle and was given up.") from None
        except Exception as error:  # each server has its own for a body that is not as announced
            raise BodyBroken("The body of the request cannot be read.") from error
        if self.left is not None:
            self.left -= len(chunk)
        return chunk

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole body. Raises BodyBroken, also where it ends too early."""
        while chunk := self.read():
            yield chunk
        if self.left:
            raise BodyBroken("The upload was cut off before its end.")

    def whole(self, *, at_most: int) -> bytes:
        """Return all of a small body. Raises BodyBroken, also where it is too long or too slow."""
        received = bytearray()
        with self.ending_within(_WHOLE_SECONDS):
            while chunk := self.read():
                received += chunk
                if len(received) > at_most:
                    raise BodyBroken(f"The body is larger than {at_most} bytes.")
        if self.left:
            raise BodyBroken("The body did not arrive whole.")
        return bytes(received)

    def drain(self) -> None:
        """Read and forget what is left, within bounds."""
        until = time.monotonic() + _DRAIN_SECONDS
        budget = _DRAIN_BYTES
        # When it breaks, the client has gone: there is nobody left to answer.
        with suppress(BodyBroken), self.ending_within(_DRAIN_SECONDS):
            while budget > 0 and time.monotonic() < until:
                chunk = self.read(silence=_DRAIN_SILENCE)
                if not chunk:
                    return
                budget -= len(chunk)

    @contextmanager
    def ending_within(self, seconds: float) -> Iterator[None]:
        """Let the body end, too early, when reading it takes the block longer than `seconds`.

        A silence is measured from byte to byte: one byte now and then would hold a thread for ever.
        """
        if self._socket is None:
            yield
            return
        timer = threading.Timer(seconds, _stop_reading, [self._socket])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _read_within(self, silence: float, size: int) -> bytes:
        if self._socket is None:
            return self._stream.read(size)
        before = self._socket.gettimeout()
        self._socket.settimeout(silence)
        try:
            return self._stream.read(size)
        finally:
            self._socket.settimeout(before)


def _stop_reading(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RD)


def body_of(request: HttpRequest) -> Body:
    """Return the one body of `request`; what has been read of it is gone."""
    body = request.META.get(_KEPT)
    if not isinstance(body, Body):
        body = request.META[_KEPT] = Body(request.META)
    return body
