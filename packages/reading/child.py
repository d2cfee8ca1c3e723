"""The process that reads archives: apart, so that one can cost it its life and nobody else's.

    python -m packages.reading.child <bytes of memory>

It imports no Django, holds no secret and no connection, may write no file, and ends with whoever
started it: requests come by standard input, which a thread waits at, and its end is everybody's.
The kernel stops it when an archive takes too long, even inside a library that never returns.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import traceback
from pathlib import Path
from queue import SimpleQueue

from base.errors import LarderError
from packages.filenames import shown
from packages.reading.contents import packed_members
from packages.reading.facts import read_archive
from packages.reading.messages import (
    READY,
    Failure,
    ReadThis,
    RenderThat,
    Request,
    WasRead,
    WasRendered,
    framed,
    next_request,
)
from packages.reading.readme import render
from packages.reading.readme_text import Readme

_TRACEBACK = 4000  # characters of its end


def main() -> None:
    """Answer requests until there will be none."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _limit(int(sys.argv[1]))
    requests: SimpleQueue[Request] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    reader = _Reader()
    answer = READY
    while True:
        answers.write(answer)
        answers.flush()
        answer = reader.answer(requests.get())
        signal.setitimer(signal.ITIMER_PROF, 0)


def _listen(requests: SimpleQueue[Request]) -> None:
    stdin = os.fdopen(0, "rb")
    while (request := next_request(stdin)) is not None:
        requests.put(request)
    os._exit(0)


def _limit(memory: int) -> None:
    """Take no more than it needs. macOS knows some of these limits and keeps to fewer."""
    for name, most in (
        ("RLIMIT_DATA", memory),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (most, most))


class _Reader:
    """Answers one request after another; a README waits between being read and being rendered."""

    def __init__(self) -> None:
        self._readme = Readme()

    def answer(self, request: Request) -> bytes:
        """Return what a request asks for, or why that cannot be, as it is sent."""
        signal.setitimer(signal.ITIMER_PROF, request.seconds)
        try:
            match request:
                case ReadThis():
                    return framed(self._read(request))
                case RenderThat():
                    return framed(self._rendered())
        except LarderError as error:
            return framed(Failure(error.sentence))
        except MemoryError:
            return framed(Failure("", is_exhausted=True))
        except Exception as error:  # noqa: BLE001 - a mistake of ours must cost one archive alone
            said = f"There is a mistake in its reading ({type(error).__name__})."
            return framed(Failure(said, traceback=traceback.format_exc()[-_TRACEBACK:]))

    def _read(self, request: ReadThis) -> WasRead | Failure:
        try:
            with Path(request.path).open("rb") as file:
                read = read_archive(file, request.filename)
        except OSError as error:
            return Failure(
                f"The bytes of {shown(request.filename)} cannot be read ({error.strerror})."
            )
        self._readme = read.readme
        members = packed_members(read.members)
        return WasRead(read.metadata, read.readme.text, read.facts, members)

    def _rendered(self) -> WasRendered:
        rendered = render(self._readme.text, self._readme.content_type)
        self._readme = Readme()
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        resident = most * (1 if sys.platform == "darwin" else 1024)
        return WasRendered(rendered.html, rendered.format, rendered.reason, resident)


if __name__ == "__main__":
    main()
