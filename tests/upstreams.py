"""Indexes on loopback that a remote may point at: honest, old, odd and lying ones."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from base.audit import SYSTEM
from packages.upstream import connection, presence
from repos import configure
from repos.models import Kind, Repository, Upstream
from tests.cast import make_repository

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"


@dataclass
class Reply:
    """What the server answers under one path."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    kind: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    # Sent instead of the body's; None: the body ends where the connection does.
    length: int | None = -1


@dataclass
class Asked:
    """One request that the server received."""

    method: str
    path: str
    headers: Mapping[str, str]


class Server:
    """An index on loopback. `replies` is by path; what is not there is 404."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.replies: dict[str, Reply | Callable[[Asked], Reply]] = {}
        self.asked: list[Asked] = []
        self.always: Reply | None = None  # in place of everything
        self._server = _Quiet(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering; what is asked from now on is not connected to."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def count(self, path: str, method: str = "GET") -> int:
        """Return how often `path` was asked for."""
        return sum(1 for each in self.asked if each.path == path and each.method == method)

    def add_files(self, project: str, *files: tuple[str, bytes], **more: Any) -> None:
        """Serve `files` and a page in JSON that lists them; `more` goes into each line."""
        for filename, content in files:
            self.replies[f"/files/{filename}"] = Reply(content)
        self.add_page(project, [json_line(*file) | more for file in files])

    def add_page(self, project: str, lines: list[dict[str, Any]], **more: Any) -> None:
        """Serve a page in JSON with these lines."""
        page = {"meta": {"api-version": "1.1"}, "name": project, "files": lines} | more
        self.replies[f"/simple/{project}/"] = Reply(json.dumps(page).encode(), kind=JSON)
        names = sorted(
            path.split("/")[2] for path in self.replies if path.startswith("/simple/") and path[8:]
        )
        root = {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]}
        self.replies["/simple/"] = Reply(json.dumps(root).encode(), kind=JSON)

    def add_html(self, path: str, body: str, kind: str = HTML) -> None:
        """Serve a page in HTML."""
        self.replies[path] = Reply(body.encode(), kind=kind)


def json_line(filename: str, content: bytes) -> dict[str, Any]:
    """Return the line of a file as PEP 691 and 700 want it."""
    return {
        "filename": filename,
        "url": f"../../files/{filename}",
        "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
        "size": len(content),
        "upload-time": "2026-01-02T03:04:05.000006Z",
        "yanked": False,
    }


def make_remote(
    tenant: Any, server: Server | None, key: str = "remote", **settings: Any
) -> Repository:
    """Make a remote that points at `server`, as its administrator would."""
    repository = make_repository(tenant, key, Kind.REMOTE)
    password = settings.pop("password", None)
    given = {"private_allowed": True} | settings
    if server is not None:
        given.setdefault("index_url", server.url)
    configure.save_upstream(Upstream(repository=repository, **given), by=SYSTEM, password=password)
    return repository


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run an index within the block, and forget it afterwards."""
    server = Server(tls)
    try:
        yield server
    finally:
        server.close()
        connection.close_connections()
        presence.forget()


class _Quiet(ThreadingHTTPServer):
    """Says nothing of callers who hang up."""

    request_queue_size = 100

    def handle_error(self, *_: Any) -> None:
        """Keep quiet."""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, dict(self.headers.items()))
            server.asked.append(asked)
            found = server.always or server.replies.get(self.path, Reply(status=404))
            reply = found if isinstance(found, Reply) else found(asked)
            self._answer(reply)

        do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

        def _answer(self, reply: Reply) -> None:
            whole = reply.body if isinstance(reply.body, bytes) else None
            length = len(whole) if reply.length == -1 and whole is not None else reply.length
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if length is None or length < 0:
                self.close_connection = True
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", str(length))
                if whole is None or len(whole) != length:
                    self.close_connection = True
            self.end_headers()
            if self.command == "HEAD":
                return
            try:
                for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                    self.wfile.write(piece)
            except OSError:  # whoever asked has heard enough
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    return Handler
