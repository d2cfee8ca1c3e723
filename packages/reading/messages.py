"""What is said between the process that reads archives and the one that asks it to."""

from __future__ import annotations

from typing import Any

import msgspec

# The members, the metadata and the facts of the largest archive are some 30 MiB.
MAX_MESSAGE = 128 * 1024 * 1024


class ReadThis(msgspec.Struct, tag=True, frozen=True):
    """Read an archive, in so many seconds of the processor."""

    path: str
    filename: str
    seconds: float


class RenderThat(msgspec.Struct, tag=True, frozen=True):
    """Render the README of the archive that was read last, in so many seconds."""

    seconds: float


class WasRead(msgspec.Struct, tag=True, frozen=True):
    """What an archive says of itself."""

    metadata: bytes | None
    readme: str  # as it stands
    facts: dict[str, Any]
    members: bytes  # packed


class WasRendered(msgspec.Struct, tag=True, frozen=True):
    """A README as HTML, the format that it was read as, and why not as what it says."""

    html: str
    format: str
    reason: str
    resident: int  # bytes that the process holds


class Failure(msgspec.Struct, tag=True, frozen=True):
    """It cannot be read: why, and of a mistake of ours where it is."""

    sentence: str
    is_exhausted: bool = False  # the process has run out of memory, and is not to be used again
    traceback: str = ""


Request = ReadThis | RenderThat
Answer = WasRead | WasRendered | Failure

_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encoded(message: Request | Answer) -> bytes:
    """Return a message as it is sent."""
    return msgspec.msgpack.encode(message)


def request_in(data: bytes) -> Request:
    """Return a request that was sent."""
    return _requests.decode(data)


def answer_in(data: bytes) -> Answer:
    """Return an answer that was sent."""
    return _answers.decode(data)
