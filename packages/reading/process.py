"""The process that reads archives, from outside: what it is asked, and what it answers."""

from __future__ import annotations

from base.helper_process import HelperAway, HelperProcess
from packages.reading.messages import MAX_MESSAGE, Answer, ReadThis, Request, answer_in, encoded


class ReaderAway(Exception):
    """No process to read archives can be had now: no matter of any archive."""


class Process(HelperProcess):
    """One process that reads archives. Raises ReaderAway."""

    def __init__(self, memory: int) -> None:
        try:
            super().__init__(
                "packages.reading.child",
                str(memory),
                does="reads archives",
                answer_at_most=MAX_MESSAGE,
            )
        except HelperAway as away:
            raise ReaderAway(str(away)) from away
        self.readings = 0

    def ask(self, request: Request, *, within: float) -> Answer:
        """Return the answer to a request; if there is none, the process is no more (Gone)."""
        self.readings += isinstance(request, ReadThis)
        return answer_in(self.answer_to(encoded(request), within=within))
