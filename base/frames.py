"""How a process and its helper speak: messages, each with its length in front."""

from __future__ import annotations

import struct
from typing import IO

LENGTH = struct.Struct(">L")
READY = b"!"  # what a helper says first, of its own accord


def framed(message: bytes) -> bytes:
    """Return a message with its length in front."""
    return LENGTH.pack(len(message)) + message


def next_message(stream: IO[bytes]) -> bytes | None:
    """Return the next message, or None once there will be none."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(head)[0])
