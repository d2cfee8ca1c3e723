"""Helpers that do not do what they are for, each in its own way.

    python -m tests.odd_helpers <way> [...]

What starts helpers is given this module in place of theirs.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from base.frames import READY, framed
from base.helper_loop import answer_requests


def main(way: str) -> None:
    """Be odd in one way."""
    if way == "unable":
        sys.exit(1)
    if way in _SAYING:
        os.write(1, READY + _SAYING[way])
        os.close(1)
        time.sleep(600)
    if way == "deaf":  # it reads nothing, and so does not notice that nobody is there
        os.write(1, READY)
        os.kill(os.getpid(), signal.SIGSTOP)
    idle = 0.05 if way == "leaving" else None
    answer_requests(_ANSWERING[way], memory=2**30, idle_seconds=idle)


def _never(_request: bytes) -> bytes:
    time.sleep(600)
    return b""


def _no_more(_request: bytes) -> bytes:
    os._exit(3)


def _for_ever(_request: bytes) -> bytes:
    signal.setitimer(signal.ITIMER_PROF, 0.05)
    while True:
        pass


def _flooded(_request: bytes) -> bytes:
    return bytes(2**31)


def _written(path: bytes) -> bytes:
    try:
        Path(os.fsdecode(path)).write_bytes(b"x")
    except OSError as error:
        return type(error).__name__.encode()
    return b"written"


_SAYING = {
    "talking": b"Traceback (most recent call last):\n" * 1000,
    "mumbling": framed(b"\x00rubbish") * 1000,
    "short": b"\x00\x00\x01\x00only this",
}
_ANSWERING: dict[str, Callable[[bytes], bytes]] = {
    "breaking off": _no_more,
    "silent": _never,
    "busy": _for_ever,
    "flooded": _flooded,
    "leaving": bytes,
    "echoing": bytes,
    "writing": _written,
}

if __name__ == "__main__":
    main(sys.argv[1])
