"""A WSGI application for gunicorn's worker that says which process answers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment


class WhoAnswers:
    """Answers with the number of its process, always in a thread."""

    def __call__(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]

    def at_once(self, _: WSGIEnvironment, __: StartResponse) -> None:
        """Hold nothing."""


application = WhoAnswers()
