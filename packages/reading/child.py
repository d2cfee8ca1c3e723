"""The process that reads archives: apart, so that one can cost it its life and nobody else's.

    python -m packages.reading.child <bytes of memory>

It imports no Django; `base.helper_loop` says what holds for it besides.
"""

from __future__ import annotations

import resource
import signal
import sys
import traceback
from pathlib import Path

from base.errors import LarderError
from base.helper_loop import answer_requests
from packages.filenames import shown
from packages.reading.contents import packed_members
from packages.reading.facts import read_archive
from packages.reading.messages import (
    Failure,
    ReadThis,
    RenderThat,
    WasRead,
    WasRendered,
    encoded,
    request_in,
)
from packages.reading.readme import render
from packages.reading.readme_text import Readme

_TRACEBACK = 4000  # characters of its end


def main() -> None:
    """Read archives until there will be none."""
    answer_requests(_Reader().answer, memory=int(sys.argv[1]))


class _Reader:
    """Answers one request after another; a README waits between being read and being rendered."""

    def __init__(self) -> None:
        self._readme = Readme()

    def answer(self, sent: bytes) -> bytes:
        """Return what a request asks for, or why that cannot be, as it is sent."""
        request = request_in(sent)
        signal.setitimer(signal.ITIMER_PROF, request.seconds)
        try:
            match request:
                case ReadThis():
                    return encoded(self._read(request))
                case RenderThat():
                    return encoded(self._rendered())
        except LarderError as error:
            return encoded(Failure(error.sentence))
        except MemoryError:
            return encoded(Failure("", is_exhausted=True))
        except Exception as error:  # noqa: BLE001 - a mistake of ours must cost one archive alone
            said = f"There is a mistake in its reading ({type(error).__name__})."
            return encoded(Failure(said, traceback=traceback.format_exc()[-_TRACEBACK:]))

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
        return WasRendered(rendered.html, rendered.format, rendered.reason, _resident())


def _resident() -> int:
    """Return the bytes that this process holds.

    Linux counts what the one that started it held then into the most that it ever held, so that
    only other systems are asked for that.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
