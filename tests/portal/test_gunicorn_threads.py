"""gunicorn's threads: how long each keeps a connection, and when it gives it back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn, ThreadWorker

from portal.gunicorn_threads import LookingThreadWorker

REQUEST = b"GET /%d HTTP/1.1\r\nHost: larder.example\r\n\r\n"


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        yield ours, theirs


class Threads(LookingThreadWorker):
    """Answers each request with its path, and does nothing else of what a worker does."""

    def __init__(self, config: Config) -> None:
        self.cfg, self.alive, self.nr, self.max_requests = config, True, 0, 10**9
        self.keepalived_conns, self.max_keepalived = (), 100
        self.log = SimpleNamespace(access=ignored, debug=ignored, exception=ignored)
        self.tpool: Any = SimpleNamespace(_work_queue=SimpleNamespace(qsize=lambda: 0))
        self.answered: list[str] = []

    def wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        """Be the application."""
        self.answered.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


def ignored(*_: object, **__: object) -> None:
    """Be a log that nobody reads."""


@pytest.fixture
def threads() -> Threads:
    config = Config()
    config.set("keepalive", 30)
    return Threads(config)


def connection(threads: Threads, ours: socket.socket) -> TConn:
    return TConn(threads.cfg, ours, ("127.0.0.1", 1), ("127.0.0.1", 2))


def test_requests_that_follow_at_once_are_answered_by_one_thread(
    threads: Threads, sockets: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = sockets
    theirs.sendall(b"".join(REQUEST % number for number in range(3)))
    assert threads.handle(connection(threads, ours)) is True
    assert threads.answered == ["/0", "/1", "/2"]
    assert theirs.recv(10_000).count(b"200 OK") == 3


def test_what_comes_later_is_for_another_thread(
    threads: Threads, sockets: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = sockets
    theirs.sendall(REQUEST % 0)
    kept = connection(threads, ours)
    assert threads.handle(kept) is True  # after a millisecond of silence
    theirs.sendall(REQUEST % 1)
    assert threads.handle(kept) is True
    assert threads.answered == ["/0", "/1"]


@pytest.mark.parametrize("why", ["others wait", "it stops", "gunicorn's own"])
def test_a_thread_is_given_back_after_one_answer(
    threads: Threads, sockets: tuple[socket.socket, socket.socket], why: str
) -> None:
    ours, theirs = sockets
    theirs.sendall(b"".join(REQUEST % number for number in range(2)))
    if why == "others wait":
        threads.tpool._work_queue.qsize = lambda: 1
    if why == "it stops":
        stopping = threads.wsgi

        def stop(environ: Any, start_response: Any) -> list[bytes]:
            threads.alive = False
            return stopping(environ, start_response)

        threads.wsgi = stop  # type: ignore[method-assign]
    handle = ThreadWorker.handle if why == "gunicorn's own" else LookingThreadWorker.handle
    assert handle(threads, connection(threads, ours)) is True
    assert threads.answered == ["/0"]


def test_a_client_that_has_gone_ends_it(
    threads: Threads, sockets: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = sockets
    theirs.sendall(REQUEST % 0)
    theirs.shutdown(socket.SHUT_WR)
    assert threads.handle(connection(threads, ours)) is False
    assert threads.answered == ["/0"]
