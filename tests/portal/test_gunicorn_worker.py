"""gunicorn's worker: what its main thread answers itself, and what it leaves to others."""

from __future__ import annotations

import gc
import re
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from portal import gunicorn_worker
from portal.gunicorn_worker import AnsweringThreadWorker, shares

HELD = b"GET /held HTTP/1.1\r\nHost: larder.example\r\n\r\n"
OTHER = HELD.replace(b"/held", b"/other")
SECONDS = 10


class Worker(AnsweringThreadWorker):
    """Has two threads and an application, and does nothing else of what a worker does."""

    def __init__(self) -> None:
        config = Config()
        config.set("keepalive", 30)
        config.set("threads", 2)
        log = SimpleNamespace(access=self._log, debug=ignored, exception=ignored)
        super().__init__(0, 0, [], SimpleNamespace(), 1, config, log)
        self.tpool = self.get_thread_pool()
        self.poller = selectors.DefaultSelector()
        self.method_queue.init()
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        self.held = b"ok"
        self.read = 0  # requests that were not known
        self.logged: list[tuple[str, str, str]] = []  # address, method, path
        self.answered: list[tuple[str, bytes, bool]] = []  # path, body, and whether at once
        self.wsgi = Application(self)

    def _log(self, _response: Any, request: Any, environ: Any, _time: Any) -> None:
        self.logged.append((environ["REMOTE_ADDR"], request.method, environ["PATH_INFO"]))

    def stop(self) -> None:
        """Give back what it has."""
        self.tpool.shutdown()
        self.poller.close()
        self.method_queue.close()
        self.tmp.close()

    def turn_until(self, is_done: Callable[[], bool]) -> None:
        """Do what the main thread does, again and again."""
        until = time.monotonic() + SECONDS
        while not is_done():
            assert time.monotonic() < until
            self.wait_for_and_dispatch_events(0.05)
            self.murder_keepalived()
            self.murder_pending()


@dataclass
class Application:
    """Holds one answer, as a hot lane may."""

    worker: Worker
    needed_at_once = ("REQUEST_METHOD", "HTTP_IF_NONE_MATCH")

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        """Answer."""
        return self._answer(environ, start_response, at_once=False)

    def asked_in(self, environ: Any) -> str | None:
        """Return what is asked for, where it may be held."""
        self.worker.read += 1
        return environ["PATH_INFO"] if environ["PATH_INFO"] != "/never" else None

    def at_once(self, asked: str, environ: Any, start_response: Any) -> list[bytes] | None:
        """Answer what is held."""
        if asked == "/broken":
            raise RuntimeError(asked)
        return self._answer(environ, start_response, at_once=True) if asked == "/held" else None

    def _answer(self, environ: Any, start_response: Any, *, at_once: bool) -> list[bytes]:
        is_main = threading.current_thread() is threading.main_thread()
        assert is_main is at_once
        worker = self.worker
        body = b"" if at_once else environ["wsgi.input"].read()
        worker.answered.append((environ["PATH_INFO"], body, at_once))
        number = ("X-Request-Id", str(len(worker.answered)))
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 Not Modified", [("ETag", '"a"'), number])
            return []
        length = str(len(worker.held))
        start_response("200 OK", [("Content-Length", length), ("Vary", "Accept"), number])
        return [worker.held] if environ["REQUEST_METHOD"] != "HEAD" else []


def ignored(*_: object, **__: object) -> None:
    """Be a log that nobody reads."""


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


@pytest.fixture
def another() -> Iterator[int]:
    """Another process that accepts and has no connection."""
    process = 2
    shares.note(process, 0)
    yield process
    shares.note(process, None)


@pytest.fixture
def client(worker: Worker) -> Iterator[socket.socket]:
    with connected(worker) as ours:
        yield ours


@contextmanager
def connected(worker: Worker, address: str = "127.0.0.1") -> Iterator[socket.socket]:
    """Connect a client to the worker, from some address."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        ours.setblocking(False)
        worker.nr_conns += 1
        worker.enqueue_req(TConn(worker.cfg, theirs, (address, 1), ("127.0.0.1", 2)))
        yield ours


def told(
    worker: Worker, client: socket.socket, answers: int = 1, *, end: bytes | None = None
) -> bytes:
    """Return what the client is told while the worker goes on, up to so many times the end."""
    said = b""

    def is_done() -> bool:
        nonlocal said
        try:
            said += client.recv(1_000_000)
        except BlockingIOError:
            return False
        return said.count(worker.held if end is None else end) == answers

    worker.turn_until(is_done)
    return said


def is_kept(worker: Worker) -> bool:
    return len(worker.keepalived_conns) == 1


def test_what_is_held_is_answered_by_the_main_thread(worker: Worker, client: socket.socket) -> None:
    for request in (HELD, OTHER, HELD, HELD):
        client.sendall(request)
        assert told(worker, client).startswith(b"HTTP/1.1 200 OK\r\n")
        worker.turn_until(lambda: is_kept(worker))
    assert [(path, at_once) for path, _, at_once in worker.answered] == [
        ("/held", True),
        ("/other", False),
        ("/held", True),
        ("/held", True),
    ]


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        (HELD.replace(b"GET", b"POST"), 1),
        (HELD.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n") + b"body", 1),
        (HELD.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + b"0\r\n\r\n", 1),
        (HELD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), 1),
        (HELD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), 1),
        (HELD.replace(b"/held", b"/broken"), 1),
        (HELD + HELD, 2),
        (HELD.replace(b"/held", b"/held?" + b"x" * 3_000) + OTHER, 2),
        (HELD.replace(b"\r\n\r\n", b"\r\nX-Much: " + b"x" * 8_150 + b"\r\n\r\n"), 1),
    ],
)
def test_what_is_not_a_whole_request_alone_goes_gunicorns_way(
    worker: Worker, client: socket.socket, request_: bytes, answers: int
) -> None:
    client.sendall(request_)
    told(worker, client, answers)
    assert [at_once for _, _, at_once in worker.answered] == [False] * answers
    assert worker.answered[0][1] == (b"body" if b"body" in request_ else b"")


def test_a_request_that_comes_in_parts_is_answered_by_a_thread(
    worker: Worker, client: socket.socket
) -> None:
    client.sendall(HELD[:20])
    worker.turn_until(lambda: not worker.pending_conns)
    client.sendall(HELD[20:])
    told(worker, client)
    assert worker.answered == [("/held", b"", False)]


def test_a_body_that_follows_late_belongs_to_its_request(
    worker: Worker, client: socket.socket
) -> None:
    client.sendall(HELD.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n"))
    worker.turn_until(lambda: not worker.pending_conns)
    client.sendall(b"GET ")
    told(worker, client)
    assert worker.answered == [("/held", b"GET ", False)]


def test_what_a_slow_client_does_not_take_at_once_a_thread_sends(
    worker: Worker, client: socket.socket
) -> None:
    worker.held = b"x" * 3_000_000 + b"end"
    for _ in range(2):
        client.sendall(HELD)
        assert told(worker, client).endswith(b"end")
        worker.turn_until(lambda: is_kept(worker))
    assert [at_once for _, _, at_once in worker.answered] == [True, True]


@pytest.mark.parametrize("asked", [b"", HELD, OTHER])
def test_a_client_that_has_gone_is_let_go(
    worker: Worker, client: socket.socket, asked: bytes
) -> None:
    client.sendall(asked)
    client.close()
    worker.turn_until(lambda: worker.nr_conns == 0)
    assert not worker.pending_conns
    assert not worker.keepalived_conns


def test_one_that_says_nothing_has_no_thread_and_does_not_hold_up_the_end(
    worker: Worker, client: socket.socket
) -> None:
    worker.wait_for_and_dispatch_events(0.05)
    assert len(worker.pending_conns) == 1
    assert not worker.tpool._threads
    worker._cap_keepalive(time.monotonic())
    worker.turn_until(lambda: worker.nr_conns == 0)
    assert client.recv(1) == b""


def test_a_worker_that_stops_says_so(worker: Worker, client: socket.socket) -> None:
    worker.alive = False
    client.sendall(HELD)
    assert b"Connection: close" in told(worker, client)
    assert worker.answered == [("/held", b"", False)]


def test_what_came_before_is_read_once(worker: Worker, client: socket.socket) -> None:
    never = HELD.replace(b"/held", b"/never")
    for request, read in ((HELD, 1), (HELD, 1), (OTHER, 2), (HELD, 2), (never, 3), (never, 4)):
        client.sendall(request)
        said = told(worker, client)
        assert f"X-Request-Id: {len(worker.answered)}\r\n".encode() in said
        assert said.count(b"X-Request-Id") == said.count(b"Content-Length: 2\r\n") == 1
        assert worker.read == read
        worker.turn_until(lambda: is_kept(worker))


@pytest.mark.parametrize(
    "shown",
    [
        HELD.replace(b"\r\n\r\n", b"\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"),
        HELD.replace(b"/held", b"http://ann:c2VjcmV0@larder.example/held"),
        HELD.replace(b"/held", b"/held#c2VjcmV0"),
    ],
)
def test_what_whoever_asks_shows_is_not_kept(
    worker: Worker, client: socket.socket, shown: bytes
) -> None:
    client.sendall(shown)
    told(worker, client)
    assert [read.asked for read in worker._latest.values()] == ["/held"]
    found, left = set(), [*worker._latest.items()]
    while left:
        each = left.pop()
        if id(each) in found or isinstance(each, type | ModuleType | FunctionType | Config):
            continue
        found.add(id(each))
        assert not isinstance(each, bytes | str) or "c2VjcmV0" not in str(each)
        left += gc.get_referents(each)


def test_only_so_much_is_remembered(
    worker: Worker, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gunicorn_worker, "_REMEMBERED", 2)
    for number, read in ((1, 1), (2, 2), (1, 2), (3, 3), (1, 3), (2, 4)):
        client.sendall(HELD.replace(b"\r\n\r\n", b"\r\nX-Number: %d\r\n\r\n" % number))
        told(worker, client)
        worker.turn_until(lambda: is_kept(worker))
        assert len(worker._latest) <= 2
        assert worker.read == read
    long = HELD.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"x" * 3_000 + b"\r\n\r\n")
    for request in (long, OTHER):
        before = [*worker._latest]
        client.sendall(request)
        told(worker, client)
        worker.turn_until(lambda: is_kept(worker))
        assert [*worker._latest] == before


def test_a_proxy_and_a_stranger_who_say_the_same_are_two(
    worker: Worker, client: socket.socket
) -> None:
    with connected(worker, "192.0.2.1") as stranger:
        for each, read in ((client, 1), (stranger, 2), (client, 2), (stranger, 2)):
            each.sendall(HELD)
            told(worker, each)
            assert worker.read == read
    assert worker.logged == [("127.0.0.1", "GET", "/held"), ("192.0.2.1", "GET", "/held")] * 2


@pytest.mark.parametrize(
    ("asked", "end"),
    [
        (HELD, b"ok"),
        (HELD.replace(b"GET", b"HEAD"), b"\r\n\r\n"),
        (HELD.replace(b"\r\n\r\n", b'\r\nIf-None-Match: "a"\r\n\r\n'), b"\r\n\r\n"),
        (
            HELD.replace(b"HTTP/1.1", b"HTTP/1.0").replace(
                b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"
            ),
            b"ok",
        ),
    ],
)
def test_what_the_main_thread_says_is_what_a_thread_says(
    worker: Worker, client: socket.socket, asked: bytes, end: bytes
) -> None:
    said = []
    for request in (asked, asked.replace(b"/held", b"/other"), asked):
        client.sendall(request)
        said.append(told(worker, client, end=end))
        worker.turn_until(lambda: is_kept(worker))
    assert {at_once for _, _, at_once in worker.answered} == {b"1.1" in asked, False}
    assert b"Vary: Accept\r\n" in said[0] or b"304 Not Modified" in said[0]
    assert len({re.sub(rb"(Date|X-Request-Id): .*\r\n", b"", each) for each in said}) == 1


def test_a_connection_is_left_to_a_process_that_has_fewer_for_a_moment(
    worker: Worker, client: socket.socket, another: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker.sockets = [listener]
        worker.set_accept_enabled(True)
        with socket.create_connection(listener.getsockname()):
            worker.wait_for_and_dispatch_events(0.05)
            assert worker.nr_conns == 1
            shares.note(another, None)
            worker.wait_for_and_dispatch_events(0.05)
            assert worker.nr_conns == 2
        shares.note(another, 0)
        with socket.create_connection(listener.getsockname()):
            worker.turn_until(lambda: len(worker.pending_conns) == 2)  # the other does not take it
        worker.set_accept_enabled(False)
    client.close()
    worker.turn_until(lambda: worker.nr_conns == 0)
    shares.note(another, None)
    assert not shares.is_more_than_others(1_000)
