"""gunicorn's threads, which look for the next request of a client before they let go of it."""

from __future__ import annotations

import select

from gunicorn.workers.gthread import TConn, ThreadWorker

# A client that reads page after page sends its next question within a fraction of this.
_LOOKS_FOR_MILLISECONDS = 1


class LookingThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own gives a connection back to its main thread after each answer.

    From there it comes to another thread with the next request. Handing it back and forth takes
    more than answering what is held in memory.
    """

    def handle(self, conn: TConn) -> object:
        """Answer a request, and those that follow it at once; return what becomes of the rest."""
        while True:
            goes_on = super().handle(conn)
            if goes_on is not True or not self.alive or not self._follows(conn):
                return goes_on

    def _follows(self, conn: TConn) -> bool:
        """Say whether another request is there; not while others wait for a thread."""
        if conn.is_http2 or self.tpool._work_queue.qsize():  # noqa: SLF001 - nothing public tells
            return False
        if conn.parser.unreader.buf.getvalue():
            return True
        ready = select.poll()
        ready.register(conn.sock, select.POLLIN)
        return bool(ready.poll(_LOOKS_FOR_MILLISECONDS))
