"""A helper, from outside: a process beside this one for work that may break it.

It is started, asked, and gone when it is of no use.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from base.frames import LENGTH, READY, framed

_ROOT = Path(__file__).resolve().parent.parent
# Nothing that is a secret of the one who asks.
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_SECONDS_TO_START = 120
_SECONDS_TO_END = 1
_PIECE = 1024 * 1024


class Gone(Exception):
    """The process ended without an answer, or had to be ended."""

    def __init__(self, signal_number: int, *, is_late: bool) -> None:
        super().__init__()
        self.signal_number = signal_number  # 0: it was none
        self.is_late = is_late


class HelperAway(Exception):
    """No such process can be had now: no matter of what it would have been asked."""


class HelperProcess:
    """One process that runs a module of ours, asked one thing at a time. Raises HelperAway.

    `does` says to people what it is for: "reads archives".
    """

    def __init__(self, module: str, *arguments: str, does: str, answer_at_most: int) -> None:
        self._does = does
        self._answer_at_most = answer_at_most
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-s", "-m", module, *arguments],
                cwd=_ROOT,
                env={
                    **{name: os.environ[name] for name in _KEPT if name in os.environ},
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONPATH": str(_ROOT),
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise HelperAway(f"This machine starts no process that {does}.") from error
        self._await_its_start()

    @property
    def is_alive(self) -> bool:
        """Say whether it is still there; somebody may have ended it meanwhile."""
        return self._popen.poll() is None

    @property
    def pid(self) -> int:
        """Return its number."""
        return self._popen.pid

    def answer_to(self, request: bytes, *, within: float) -> bytes:
        """Return the answer to a request; if there is none, the process is no more (Gone)."""
        deadline = time.monotonic() + within
        try:
            self._send(framed(request), deadline)
            (length,) = LENGTH.unpack(self._received(LENGTH.size, deadline))
            return self._received(length, deadline)
        except TimeoutError:
            self.end()
            raise Gone(0, is_late=True) from None
        except (EOFError, BrokenPipeError):
            number = self._ended_by()
            self.end()
            raise Gone(number, is_late=number == signal.SIGPROF) from None

    def end(self) -> None:
        """End it, whatever it is at; nothing of it is left."""
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()

    def _ended_by(self) -> int:
        """Return the signal that ended it; 0: none, or it lives on and only says no more."""
        with suppress(subprocess.TimeoutExpired):
            return -min(self._popen.wait(_SECONDS_TO_END), 0)
        return 0

    def _await_its_start(self) -> None:
        """Wait until it listens, so that no request pays for that; it says itself what stops it."""
        try:
            self._received(len(READY), time.monotonic() + _SECONDS_TO_START)
        except (TimeoutError, EOFError):
            self.end()
            raise HelperAway(f"The process that {self._does} does not start.") from None

    def _send(self, message: bytes, deadline: float) -> None:
        """Write a message, should it be listened to; raises TimeoutError or BrokenPipeError."""
        assert self._popen.stdin  # noqa: S101 - for the types: it was asked for
        descriptor = self._popen.stdin.fileno()
        waiting = select.poll()
        waiting.register(descriptor, select.POLLOUT)
        left = memoryview(message)
        while left:
            if not waiting.poll(_milliseconds_to(deadline)):
                raise TimeoutError
            # As much as can be written without waiting, once some can be.
            left = left[os.write(descriptor, left[: select.PIPE_BUF]) :]

    def _received(self, size: int, deadline: float) -> bytes:
        """Return so many bytes; raises TimeoutError, or EOFError where there are fewer.

        Only we write there, so that the length is ours; should the process have been taken over by
        what it read, it is still no more than an answer may have.
        """
        if size > self._answer_at_most:
            raise EOFError
        assert self._popen.stdout  # noqa: S101 - for the types: it was asked for
        descriptor = self._popen.stdout.fileno()
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        received = bytearray()
        while len(received) < size:
            if not waiting.poll(_milliseconds_to(deadline)):
                raise TimeoutError
            piece = os.read(descriptor, min(size - len(received), _PIECE))
            if not piece:
                raise EOFError
            received += piece
        return bytes(received)


def _milliseconds_to(deadline: float) -> float:
    return max(0, deadline - time.monotonic()) * 1000
