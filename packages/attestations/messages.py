"""What is said between the process that verifies attestations and the one that asks it to."""

from __future__ import annotations

import msgspec

from packages.attestations.values import Expected, Verified

# What was verified is some four times what was sent at the most, certificates spelled out.
MAX_MESSAGE = 8 * 1024 * 1024


class VerifyThis(msgspec.Struct, frozen=True):
    """Verify what was sent with a file, in so many seconds of the processor."""

    raw: bytes
    filename: str
    sha256: str
    expected: tuple[Expected, ...]
    seconds: float


class IsVerified(msgspec.Struct, tag=True, frozen=True):
    """All of it attests the file."""

    verified: Verified


class Refusal(msgspec.Struct, tag=True, frozen=True):
    """It does not attest the file: why, and what stands behind that for whoever runs Larder."""

    sentence: str
    traceback: str = ""


class Exhausted(msgspec.Struct, tag=True, frozen=True):
    """The process has run out of memory, and is not to be used again."""


Answer = IsVerified | Refusal | Exhausted

_requests: msgspec.msgpack.Decoder[VerifyThis] = msgspec.msgpack.Decoder(VerifyThis)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encoded(message: VerifyThis | Answer) -> bytes:
    """Return a message as it is sent."""
    return msgspec.msgpack.encode(message)


def request_in(data: bytes) -> VerifyThis:
    """Return a request that was sent."""
    return _requests.decode(data)


def answer_in(data: bytes) -> Answer:
    """Return an answer that was sent. Raises msgspec.DecodeError for what is none."""
    return _answers.decode(data)
