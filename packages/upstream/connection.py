"""Asks upstreams by HTTP: pooled, guarded, bounded in time and size, redirected by hand."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urljoin

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import HTTPResponse

from packages.upstream.addresses import Guard, root_of, split_url
from packages.upstream.errors import (
    AddressRefused,
    NotAsked,
    NotConfigured,
    UpstreamAway,
    UpstreamFailed,
    UpstreamUnreadable,
)
from packages.upstream.identity import USER_AGENT, via
from packages.upstream.source import Source

CHUNK = 64 * 1024

_POOLS_AT_MOST = 64
_CONNECTIONS_AT_MOST = 32  # kept per host; more are opened when needed
_REDIRECTS_AT_MOST = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRIES = 3
_TRY_AGAIN = frozenset({502, 503, 504})
_MEMBERS_AT_MOST = 10_000  # of one packed page; empty ones would cost time and count for no bytes
# The whole head of an answer comes within so many seconds, redirects apart.
_HEAD_SECONDS = 60.0
# What is slower than this holds a thread, or a place among the transfers, for nothing.
_SLOWEST, _COUNTED_FOR = 1024, 60.0  # bytes a second, looked at after so many seconds
_PAUSE = 0.2  # seconds before the second try, doubled before the third

_kept: dict[tuple[Guard, str, str], urllib3.PoolManager] = {}
_kept_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reply:
    """What upstream answered, read in full and decoded."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    url: str  # where it was in the end


@dataclass(slots=True)
class Answering:
    """What upstream is answering: status and headers are here, the body is read in pieces."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    url: str
    _response: urllib3.BaseHTTPResponse
    _host: str
    _counted_since: float = field(default_factory=time.monotonic)
    _came: int = 0  # bytes, since then

    def read(self) -> bytes:
        """Return the next bytes as they come, at most CHUNK, as they are on the wire.

        Empty at the end. Raises UpstreamFailed when they stop coming, or all but stop.
        """
        with _explained(self._host):
            piece = self._response.read1(CHUNK, decode_content=False)
        self._came += len(piece)
        seconds = time.monotonic() - self._counted_since
        if piece and seconds > _COUNTED_FOR:
            if self._came < _SLOWEST * seconds:
                raise UpstreamAway(f"{self._host} sends less than {_SLOWEST} bytes a second.")
            self._counted_since, self._came = time.monotonic(), 0
        return piece


def ask(  # noqa: PLR0913 - a request has this many parts
    source: Source,
    url: str,
    headers: Mapping[str, str],
    *,
    limit: int,
    seconds: float,
    method: str = "GET",
    body: bytes | None = None,
) -> Reply:
    """Return what `url` answers within `seconds`, whatever the status.

    What is only read is tried again when it fails.

    Raises UpstreamFailed, and UpstreamUnreadable for a body of more than `limit` bytes decoded.
    """
    deadline = time.monotonic() + seconds
    tries = 1 if method == "POST" else _TRIES  # a search in a hurry has no time for a second
    for attempt in range(1, tries + 1):
        is_last = attempt == tries or time.monotonic() > deadline
        try:
            reply = _asked_once(
                source, url, headers, limit=limit, deadline=deadline, method=method, body=body
            )
        except (NotAsked, UpstreamUnreadable):
            raise
        except UpstreamFailed:
            if is_last:
                raise
        else:
            if reply.status not in _TRY_AGAIN or is_last:
                return reply
        pause_after(attempt)
    raise AssertionError  # the last try returns or raises


def pause_after(attempt: int) -> None:
    """Wait before the next try: longer each time, and not all at once."""
    _pause(_PAUSE * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - it only spreads load


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def _asked_once(  # noqa: PLR0913 - as `ask`, once
    source: Source,
    url: str,
    headers: Mapping[str, str],
    *,
    limit: int,
    deadline: float,
    method: str,
    body: bytes | None,
) -> Reply:
    wanted = {"Accept-Encoding": "gzip, deflate", **headers}
    with opened(source, url, wanted, method=method, body=body) as answering:
        try:
            said = b"" if method == "HEAD" else _body(source, answering, limit, deadline)
        except UpstreamUnreadable:
            if answering.status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # whatever it says to that
                raise UpstreamFailed(
                    f"{source.host} is in trouble: it answered {answering.status}."
                ) from None
            raise
        return Reply(answering.status, answering.headers, said, answering.url)


def _body(source: Source, answering: Answering, limit: int, deadline: float) -> bytes:
    pieces: list[bytes] = []
    room = limit
    for piece in decoded(answering, limit):
        room -= len(piece)
        if room < 0:
            raise UpstreamUnreadable(
                f"{source.host} sent a page of more than {limit} bytes; it was not read on."
            )
        if time.monotonic() > deadline:
            raise UpstreamFailed(f"{source.host} took too long to send a page.")
        pieces.append(piece)
    return b"".join(pieces)


@contextmanager
def opened(
    source: Source,
    url: str,
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    body: bytes | None = None,
) -> Iterator[Answering]:
    """Open `url`, follow where it leads, and hold what it answers, whatever the status.

    What is sent with a `body` goes where it was meant to go: then a redirect is the answer.
    """
    if body is None:
        response, final = _followed(source, url, headers, method)
    else:
        response, final = _sent(source, url, headers, method, body), url
    whole = False
    try:
        lower = {name.lower(): value for name, value in response.headers.items()}
        yield Answering(response.status, lower, final, response, source.host)
        whole = True
    finally:
        # What was not read to its end cannot be used for the next request.
        if not whole or method == "HEAD" or response.length_remaining not in {0, None}:
            response.close()
        response.release_conn()


def _followed(
    source: Source, url: str, headers: Mapping[str, str], method: str
) -> tuple[urllib3.BaseHTTPResponse, str]:
    for _ in range(_REDIRECTS_AT_MOST + 1):
        try:
            response = _sent(source, url, headers, method)
        except NotConfigured as refused:
            refused.url = root_of(url)
            raise
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or not location:
            return response, url
        response.close()
        response.release_conn()
        before, url = url, _led_to(source, url, location)
        if split_url(before).scheme == "https" and split_url(url).scheme != "https":
            raise AddressRefused(f"{source.host} leads from https:// to http://, which is refused.")
    raise UpstreamFailed(
        f"{source.host} leads on and on: more than {_REDIRECTS_AT_MOST} redirects."
    )


def _led_to(source: Source, url: str, location: str) -> str:
    try:
        led_to = urljoin(url, location)
        split_url(led_to)
    except (ValueError, AddressRefused):  # not repeated to the caller: it may hold a secret
        raise AddressRefused(f"{source.host} leads to what is no URL of the web.") from None
    return led_to


def _sent(
    source: Source,
    url: str,
    headers: Mapping[str, str],
    method: str,
    body: bytes | None = None,
) -> urllib3.BaseHTTPResponse:
    parts = split_url(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    source.guard.judge_target(host, port)
    if source.upstream.proxy and _is_literal(host):  # the proxy connects; a name is its to judge
        try:
            source.guard.judge_address(host, port, host)
        except ValueError:  # a number in a form that only some take for an address
            raise AddressRefused(f"{source.host} leads to what is no address.") from None
    sent = {
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Via": via(),
        **headers,
        **source.credentials_for(url),
    }
    timeout = urllib3.Timeout(
        connect=source.upstream.connect_seconds, read=source.upstream.read_seconds
    )
    with _explained(source.host):
        return _pools(source.guard, source.upstream.ca, source.upstream.proxy).urlopen(
            method,
            parts._replace(fragment="").geturl(),
            headers=sent,
            body=body,
            timeout=timeout,
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


@contextmanager
def _explained(host: str) -> Iterator[None]:
    """Say in a sentence what went wrong between us and `host`."""
    try:
        yield
    except NameResolutionError as error:
        raise UpstreamAway(f"The name {host} cannot be looked up.") from error
    except (ConnectTimeoutError, NewConnectionError) as error:
        raise UpstreamAway(f"{host} cannot be connected to.") from error
    except ReadTimeoutError as error:
        raise UpstreamAway(f"{host} was silent for too long.") from error
    except (SSLError, ssl.SSLError) as error:
        why = getattr(error.args[0] if error.args else error, "verify_message", "") or "TLS failed"
        raise UpstreamFailed(f"{host} cannot be trusted: {why}.") from error
    except ProxyError as error:
        raise UpstreamAway(f"The proxy that leads to {host} does not answer.") from error
    except ProtocolError as error:
        raise UpstreamFailed(f"{host} broke off in the middle of its answer.") from error
    except (HTTPError, OSError, ValueError) as error:
        raise UpstreamFailed(f"{host} did not answer as a web server does.") from error


def decoded(answering: Answering, limit: int) -> Iterator[bytes]:
    """Yield the body without its Content-Encoding, never more than a little above `limit`."""
    encoding = answering.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"", "identity"}:
        while piece := answering.read():
            yield piece
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise UpstreamUnreadable(f"The page is packed as {encoding[:40]!a}, unasked.")
    try:
        yield from _unpacked(answering, limit)
    except zlib.error:
        raise UpstreamUnreadable("The page is damaged: it cannot be unpacked.") from None


def _unpacked(answering: Answering, limit: int) -> Iterator[bytes]:
    unpacker = _unpacker()
    room, members = limit + 1, 1
    while room > 0 and (piece := answering.read()):
        while piece and room > 0:
            if unpacker.eof:  # RFC 1952: several members follow each other, perhaps padded
                if not (piece := piece.lstrip(b"\0")):
                    break
                unpacker, members = _unpacker(), members + 1
                if members > _MEMBERS_AT_MOST:
                    raise UpstreamUnreadable("The page is packed in too many pieces.")
            plain = unpacker.decompress(piece, min(room, 1024 * 1024))
            room -= len(plain)
            yield plain
            piece = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if room > 0 and not unpacker.eof:
        raise UpstreamUnreadable("The page is damaged: its packed end is missing.")


def _unpacker() -> zlib._Decompress:
    # 32: zlib's and gzip's headers are told apart by zlib itself.
    return zlib.decompressobj(32 + zlib.MAX_WBITS)


def _pools(guard: Guard, ca: str, proxy: str) -> urllib3.PoolManager:
    """Return the connections kept for upstreams with these settings: reused, never shared."""
    settings = (guard, ca, proxy)
    with _kept_lock:
        if (kept := _kept.get(settings)) is not None:
            return kept
        if len(_kept) >= _POOLS_AT_MOST:
            _kept.pop(next(iter(_kept))).clear()
        _kept[settings] = manager = _manager(ca, proxy)
        manager.pool_classes_by_scheme = _guarded_pools(guard)
        return manager


def close_connections() -> None:
    """Close every connection that is kept and not in use."""
    with _kept_lock:
        for manager in _kept.values():
            manager.clear()
        _kept.clear()


def _manager(ca: str, proxy: str) -> urllib3.PoolManager:
    try:
        context = ssl.create_default_context(cadata=ca or None)
        context.sslsocket_class = _SecureSocket
    except (ssl.SSLError, ValueError):
        raise UpstreamFailed("The certificate authority that is configured is no PEM.") from None
    if proxy:
        return urllib3.ProxyManager(
            proxy, num_pools=8, maxsize=_CONNECTIONS_AT_MOST, ssl_context=context
        )
    return urllib3.PoolManager(num_pools=8, maxsize=_CONNECTIONS_AT_MOST, ssl_context=context)


class _InTime:
    """A socket that is read from only until a moment, where there is one.

    A time-out is of each byte: one now and then would hold a thread for ever.
    """

    until: float | None = None

    def recv_into(self, *arguments: Any) -> int:  # noqa: ANN401 - a socket's
        """Read as sockets do. Raises TimeoutError."""
        if self.until is not None and time.monotonic() > self.until:
            raise TimeoutError
        return int(super().recv_into(*arguments))  # type: ignore[misc]  # a socket's


class _PlainSocket(_InTime, socket.socket):
    pass


class _SecureSocket(_InTime, ssl.SSLSocket):
    pass


@contextmanager
def _in_time(connection: HTTPConnection) -> Iterator[None]:
    """Let the head of an answer come within the block, or raise TimeoutError."""
    inner = cast("_InTime", connection.sock)
    inner.until = time.monotonic() + _HEAD_SECONDS
    try:
        yield
    finally:
        inner.until = None


def _guarded_pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools whose connections ask `guard` once the name has become an address."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, guard)

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
            with _in_time(self):
                return super().getresponse()

    class Secure(Plain, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _connected(connection: HTTPConnection, guard: Guard) -> socket.socket:
    """Connect to the first address of the host that the guard lets through and that answers."""
    host, port = connection.host.strip("[]"), connection.port or 80
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameResolutionError(host, connection, socket.gaierror(str(error))) from error
    failed: Exception | None = None
    for family, kind, protocol, _, address in found:
        try:
            guard.judge_address(host, port, str(address[0]))
            return _socket(connection, (family, kind, protocol), address)
        except (AddressRefused, OSError) as error:
            failed = failed if isinstance(failed, AddressRefused) else error
    if isinstance(failed, AddressRefused):
        raise failed
    if isinstance(failed, TimeoutError):
        raise ConnectTimeoutError(connection, f"{host} timed out") from failed
    raise NewConnectionError(connection, f"{host}: {failed}") from failed


def _socket(
    connection: HTTPConnection,
    made_of: tuple[socket.AddressFamily, socket.SocketKind, int],
    address: tuple[object, ...],
) -> socket.socket:
    made = _PlainSocket(*made_of)
    made.until = time.monotonic() + _HEAD_SECONDS  # for a proxy that opens a tunnel
    try:
        for option in connection.socket_options or ():
            made.setsockopt(*option)
        if isinstance(connection.timeout, int | float):
            made.settimeout(connection.timeout)
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made
