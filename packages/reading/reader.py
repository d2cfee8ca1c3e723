"""Reads archives in a process beside this one, which is replaced when an archive breaks it."""

from __future__ import annotations

import pathlib
from types import TracebackType
from typing import Self

import structlog

from base.helper_process import Gone
from packages.filenames import shown
from packages.reading.contents import unpacked_members
from packages.reading.limits import (
    MIB,
    PATIENCE,
    READINGS_PER_PROCESS,
    RESIDENT_AT_MOST,
    Limits,
    seconds_for,
)
from packages.reading.messages import Failure, ReadThis, RenderThat, WasRead, WasRendered
from packages.reading.plain_readme import plain_html
from packages.reading.process import Process
from packages.reading.values import ArchiveFacts, ReadingFailed

log = structlog.get_logger(__name__)


class Reader:
    """A process that reads archives; for one thread at a time. Close it, or use it by `with`."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._limits = limits
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Return the number of the present process, for whoever watches it."""
        return self._process.pid if self._process else None

    def read(self, path: pathlib.Path, filename: str) -> ArchiveFacts:
        """Return all that an archive says of itself; `filename` tells what kind it is.

        Raises ReadingFailed; the next archive may be read then as well. Raises ReaderAway.
        """
        seconds = seconds_for(path.stat().st_size, self._limits)
        process = self._fresh()
        read = self._read(process, ReadThis(str(path.resolve()), filename, seconds))
        rendered = self._rendered(process, read.readme)
        readme = {**read.facts["readme"], "format": rendered.format, "reason": rendered.reason}
        facts = {**read.facts, "readme": readme}
        return ArchiveFacts(read.metadata, rendered.html, facts, unpacked_members(read.members))

    def close(self) -> None:
        """End the process; reading would start another."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def _fresh(self) -> Process:
        """Return a process that lives, and has not read so much that it may have grown."""
        if self._process is not None:
            if self._process.is_alive and self._process.readings < READINGS_PER_PROCESS:
                return self._process
            self.close()
        self._process = Process(self._limits.memory)
        return self._process

    def _read(self, process: Process, request: ReadThis) -> WasRead:
        name = shown(request.filename)
        try:
            answer = process.ask(request, within=request.seconds * PATIENCE)
        except Gone as gone:
            self.close()
            if gone.is_late:
                raise ReadingFailed(
                    f"{name} takes longer than {request.seconds:.3g} s to read."
                ) from gone
            raise ReadingFailed(
                f"{name} broke the process that reads archives ({_cause(gone)})."
            ) from gone
        match answer:
            case WasRead():
                return answer
            case Failure(is_exhausted=True):
                self.close()
                memory = self._limits.memory // MIB
                raise ReadingFailed(f"{name} takes more than {memory} MiB of memory to read.")
            case Failure():
                if answer.traceback:
                    log.error("reading_mistaken", filename=name, traceback=answer.traceback)
                raise ReadingFailed(answer.sentence)
        raise AssertionError(answer)

    def _rendered(self, process: Process, text: str) -> WasRendered:
        """Return the README as HTML; what cannot be rendered is shown as the text that it is."""
        if not text.strip():
            return WasRendered("", "", "", 0)
        seconds = self._limits.readme_seconds
        try:
            answer = process.ask(RenderThat(seconds), within=seconds * PATIENCE)
        except Gone as gone:
            self.close()
            late = f"Rendering takes more than {seconds:g} s."
            reason = late if gone.is_late else f"Rendering breaks off ({_cause(gone)})."
            return WasRendered(plain_html(text), "plain", reason, 0)
        match answer:
            case WasRendered():
                if answer.resident > RESIDENT_AT_MOST:
                    self.close()
                return answer
            case Failure():
                if answer.traceback:
                    log.error("rendering_mistaken", traceback=answer.traceback)
                self.close()
                reason = answer.sentence or "Rendering takes too much memory."
                return WasRendered(plain_html(text), "plain", reason, 0)
        raise AssertionError(answer)


def _cause(gone: Gone) -> str:
    return f"signal {gone.signal_number}" if gone.signal_number else "it ended by itself"
