"""gunicorn's worker with threads, whose main thread gives short answers that are held itself.

gunicorn hands each request from its main thread to another, and the connection back. That, and the
turns that threads take at running Python, is more work than an answer from memory. So the main
thread looks at what has come before it hands a connection on. It answers only where it need not
wait: the whole request is there, without a body, and the application has the answer
(`HotLane.at_once`). Everything else goes gunicorn's way, as it came.
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
import selectors
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from socket import MSG_PEEK, socket
from typing import NamedTuple

from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import Response, create
from gunicorn.workers.gthread import TConn, ThreadWorker

# Ten times what installers send.
_LOOKED_AT = 8 * 1024
_WITHOUT_BODY = (b"GET ", b"HEAD ")
_ACCEPTED_IN_A_TURN = 16
# So often, and so long each time, a connection is left to a process that has fewer.
_TIMES_LEFT_TO_OTHERS, _MOMENT_SECONDS = 5, 0.0002
_END = b"\r\n\r\n"
# The latest requests that were answered here, of that many bytes at most, and headers of answers.
_REMEMBERED, _LONG = 1024, 2000
_salt = secrets.token_bytes(32)
_LOGGED = ("PATH_INFO", "REMOTE_ADDR", "HTTP_USER_AGENT")
# Something is to follow, or to be said before.
_NOT_WHOLE = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT")
_KEPT_ALIVE = (1, 1)  # from this version on, unless somebody says otherwise
# What came, as a digest, and from which address.
_Key = tuple[bytes, str | bytes]


class _Shares:
    """How many connections each web process has, in memory that is shared with what is forked.

    Whichever process runs takes all that come at once, and one core would do the work of two.
    """

    _PLACES = 256

    def __init__(self) -> None:
        # One more than it has; 0 where nobody accepts.
        self._numbers = memoryview(mmap.mmap(-1, 4 * self._PLACES)).cast("I")

    def note(self, process: int, connections: int | None) -> None:
        """Write down how many connections a process has; None: it accepts no more."""
        self._numbers[process % self._PLACES] = 0 if connections is None else connections + 1

    def is_more_than_others(self, connections: int) -> bool:
        """Say whether another process that accepts has fewer."""
        return any(0 < number <= connections for number in self._numbers)


shares = _Shares()


class AnsweringThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See the module. `self.wsgi` is a `HotLane`.

    What is overridden are gunicorn's own steps in its main thread. A connection is in
    `pending_conns` until something comes by it, and between requests in `keepalived_conns`.
    """

    _times_left_to_others = 0

    def __init__(self, *args: object) -> None:
        """Begin with nothing read."""
        super().__init__(*args)
        # Clients say the same all day, byte for byte, and reading it takes longer than the answer.
        self._latest: dict[_Key, _Read] = {}

    def accept(self, listener: socket) -> None:
        """Accept several connections: a turn takes longer here than with gunicorn."""
        for _ in range(_ACCEPTED_IN_A_TURN):
            if self._leaves_it_to_others():
                return
            before = self.nr_conns
            super().accept(listener)
            shares.note(self.age, self.nr_conns)
            if self.nr_conns in (before, self.worker_connections):
                return

    def _leaves_it_to_others(self) -> bool:
        """Wait for a moment where others have fewer connections, and say so; not for ever."""
        leaves = self._times_left_to_others < _TIMES_LEFT_TO_OTHERS and shares.is_more_than_others(
            self.nr_conns
        )
        self._times_left_to_others = self._times_left_to_others + 1 if leaves else 0
        if leaves:
            time.sleep(_MOMENT_SECONDS)
        return leaves

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Let the other processes know what this one has, and do what comes."""
        shares.note(self.age, self.nr_conns if self._accepting else None)
        super().wait_for_and_dispatch_events(timeout)

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread; a new one not before something has come by it."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )

    def on_pending_socket_readable(self, conn: TConn, client: socket) -> None:
        """Answer the first request of a connection, or let a thread do so."""
        if self._answers(conn, client, among=self.pending_conns):
            conn.data_ready = True
        else:
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: TConn, client: socket) -> None:
        """Answer the next request of a connection, or let a thread do so."""
        if not self._answers(conn, client, among=self.keepalived_conns):
            super().on_client_socket_readable(conn, client)

    def _cap_keepalive(self, deadline: float) -> None:
        """Let silent connections not hold up the end."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    def _answers(self, conn: TConn, client: socket, *, among: deque[TConn]) -> bool:
        """Answer what has come, if it can be done at once, and say whether it was."""
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            return False  # gunicorn tells the client that it closes the connection
        unsent = self._answered(conn, client)
        if unsent is None:
            return False
        among.remove(conn)
        if unsent:
            self.poller.unregister(client)
            sending = self.tpool.submit(_send, conn, unsent)
            sending.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))
            return True
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if among is not self.keepalived_conns:
            self.poller.modify(
                client, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn)
            )
        return True

    def _answered(self, conn: TConn, client: socket) -> Sequence[bytes | memoryview] | None:
        """Send an answer and return what the connection does not take yet; None: nothing was."""
        try:
            head = client.recv(_LOOKED_AT, MSG_PEEK)
            if not head.startswith(_WITHOUT_BODY) or head.find(_END) != len(head) - len(_END):
                return None
            answer = self._answer(conn, head)
            if answer is None:
                return None
            client.recv(len(head))
        except Exception:  # noqa: BLE001 - what it is a thread finds out, and says
            return None
        self.nr += 1
        try:
            return _rest(answer, client.sendmsg(answer))
        except OSError:  # it takes nothing now; where the client has gone, a thread finds out
            return answer

    def _answer(self, conn: TConn, head: bytes) -> Sequence[bytes] | None:
        """Return the whole answer to a request that has come."""
        began = datetime.now(UTC)
        key = _key(conn, head)
        read = self._latest.pop(key, None) or self._read(conn, head)
        if read is None:
            return None
        answer = _Collected()
        response = _Response(read.request, answer, self.cfg)
        body = self.wsgi.at_once(read.asked, read.environ, response.start_response)
        if body is None:
            return None
        for part in body:
            response.write(part)
        response.close()
        self.log.access(response, read.request, read.environ, datetime.now(UTC) - began)
        if len(head) <= _LONG:
            self._latest[key] = read
        if len(self._latest) > _REMEMBERED:
            del self._latest[next(iter(self._latest))]
        return answer.parts

    def _read(self, conn: TConn, head: bytes) -> _Read | None:
        """Return what a request is; None: it is not one to be answered here."""
        request = next(RequestParser(self.cfg, [head], conn.client))
        _, environ = create(request, _Collected(), conn.client, conn.server, self.cfg)
        if request.version < _KEPT_ALIVE or request.should_close():
            return None
        if any(map(environ.get, _NOT_WHOLE)):
            return None
        asked = self.wsgi.asked_in(environ)
        if asked is None:
            return None
        needed = (*_LOGGED, *self.wsgi.needed_at_once)
        kept = {name: environ[name] for name in needed if name in environ}
        return _Read(_Known(request.method, request.version), kept, asked)


def _key(conn: TConn, head: bytes) -> _Key:
    """Return what a request that has come is known by: a proxy is believed by its address."""
    digest = hashlib.blake2b(head, key=_salt, digest_size=16).digest()
    return digest, conn.client[0] if isinstance(conn.client, tuple) else conn.client


class _Known(NamedTuple):
    """What gunicorn's answer, and the log, ask of a request."""

    method: str
    version: tuple[int, int]

    def should_close(self) -> bool:
        """Say that its connection is kept: all others are left to threads."""
        return False


class _Read(NamedTuple):
    """What a request is, as gunicorn reads it, without what whoever asks shows of themselves."""

    request: _Known
    environ: dict[str, str]
    asked: object  # by `HotLane.asked_in`


class _Response(Response):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's, but it looks at the headers of an answer once, and not each time it is given."""

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Take the headers of an answer; the last is the request's number, and new each time."""
        processed, self.response_length = _processed(tuple(headers[:-1]))
        self.headers = list(processed)
        super().process_headers(headers[-1:])


@lru_cache(maxsize=_REMEMBERED)
def _processed(
    headers: tuple[tuple[str, str], ...],
) -> tuple[Sequence[tuple[str, str]], int | None]:
    """Return headers as gunicorn would send them, and the length that they tell."""
    response = Response(None, None, None)
    response.process_headers(headers)
    return response.headers, response.response_length


class _Collected:
    """What gunicorn takes for a socket; it keeps what is sent."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Take a part of an answer."""
        self.parts.append(data)

    send = sendall


def _rest(parts: Sequence[bytes], sent: int) -> Sequence[bytes | memoryview]:
    """Return what is left of an answer of which so many bytes were sent."""
    for number, part in enumerate(parts):
        if sent < len(part):
            return [memoryview(part)[sent:], *parts[number + 1 :]]
        sent -= len(part)
    return ()


def _send(conn: TConn, parts: Sequence[bytes | memoryview]) -> bool:
    """Send the rest of an answer, in a thread; the connection is then kept."""
    conn.init()
    conn.sock.setblocking(True)
    for part in parts:
        conn.sock.sendall(part)
    return True
