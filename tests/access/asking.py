"""Sends requests straight to the WSGI application, as a server does, and reads whole answers.

Not Django's test client: that one switches the CSRF check off, copies every template's context,
and is several times slower; and what a client sees is what the application says, byte for byte.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from portal.serving import ReadableRequest

SAFE = ("GET", "HEAD")
METHODS = (*SAFE, "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value; empty when absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@contextmanager
def connection_kept() -> Iterator[None]:
    """Let requests use the connection of the test, whose transaction holds the world."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


def ask(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    body: bytes = b"",
    content_type: str = "",
    address: str = "127.0.0.1",
    to: WSGIApplication | None = None,
) -> Answer:
    """Send one request and return its answer. `url` is path and query.

    Django answers, or what stands in front of it: `to`.
    """
    path, _, query = url.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": content_type,
        "HTTP_HOST": "testserver",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    said: list[tuple[str, list[tuple[str, str]]]] = []
    application: Any = to or handler()
    response = application(environ, lambda status, sent, *_: said.append((status, sent)))
    try:
        content = b"".join(response)
    finally:
        if hasattr(response, "close"):
            response.close()
    ((status, sent),) = said
    code, _, reason = status.partition(" ")
    return Answer(int(code), reason, tuple(sent), content)


@cache
def handler() -> Any:
    """Return one handler for all tests: its middleware reads the settings of the tests."""
    handler = WSGIHandler()
    handler.request_class = ReadableRequest
    return handler
