"""Requests that no client sends, byte by byte, to a running server: refused, and nothing breaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import dists
from tests.canaries import canaries
from tests.cast import basic
from tests.journeys.larder import Larder, Repository
from tests.journeys.wire import Content, upload

_SECONDS = 20
ELSEWHERE = "elsewhere.example"
CANARY = "This stands in a file that nobody may read."


@dataclass(frozen=True)
class Reply:
    """What came back over the connection."""

    status: int
    head: str
    body: str

    @property
    def all(self) -> str:
        """Everything that came back."""
        return f"{self.head}\n{self.body}"


@contextmanager
def connected(larder: Larder) -> Iterator[socket.socket]:
    """Yield a connection to the server."""
    parts = urlsplit(larder.url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=_SECONDS) as peer:
        yield peer


def send(larder: Larder, raw: bytes) -> Reply:
    """Send bytes over a connection of their own and return all that comes back."""
    received = b""
    with connected(larder) as peer:
        try:
            peer.sendall(raw)
            while chunk := peer.recv(65536):
                received += chunk
        except ConnectionError:
            pass  # it was told, and then not listened to
    head, _, body = received.decode("latin-1").partition("\r\n\r\n")
    assert head.startswith("HTTP/1."), received[:200]
    return Reply(status=int(head.split(" ")[1]), head=head, body=body)


def get(larder: Larder, target: str, *, token: str = "", host: str = "") -> Reply:
    """Send a GET for exactly this target."""
    lines = [f"GET {target} HTTP/1.1", f"Host: {host or urlsplit(larder.url).netloc}"]
    lines += [f"{name}: {value}" for name, value in basic("__token__", token).items() if token]
    return send(larder, "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))


BODY = b"5\r\nhello\r\n0\r\n\r\n"
HOST = b"Host: %(host)s\r\n"
CLOSE = b"Connection: close\r\n"
BOUNDED = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
POST = b"POST /acme/any/ HTTP/1.1\r\n" + HOST + CLOSE
GET = b"GET / HTTP/1.1\r\n" + CLOSE
DOOR = b"GET /acme/any/simple/ HTTP/1.1\r\n" + CLOSE + HOST
END = HOST + CLOSE + b"\r\n"
MALFORMED = {
    "both lengths": (POST + BOUNDED + CHUNKED + b"\r\n" + BODY, {400}),
    "both lengths, the other way round": (POST + CHUNKED + BOUNDED + b"\r\n" + BODY, {400}),
    "two lengths": (POST + BOUNDED + b"Content-Length: 6\r\n\r\nhello!", {400}),
    "two lengths in one": (POST + b"Content-Length: 5, 6\r\n\r\nhello!", {400}),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\nhello", {400}),
    "a length with a sign": (POST + b"Content-Length: +5\r\n\r\nhello", {400}),
    "a length in hexadecimal": (POST + b"Content-Length: 0x5\r\n\r\nhello", {400}),
    "an unknown transfer coding": (POST + b"Transfer-Encoding: frog\r\n\r\n" + BODY, {400, 501}),
    "chunked in disguise": (POST + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY, {400, 501}),
    "chunked not last": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + BODY, {400, 501}),
    "chunked twice": (POST + CHUNKED + CHUNKED + b"\r\n" + BODY, {400}),
    "chunked with a space": (POST + b"Transfer-Encoding : chunked\r\n\r\n" + BODY, {400}),
    "a chunk of no size": (POST + CHUNKED + b"\r\nfrog\r\nhello\r\n0\r\n\r\n", {400, 401}),
    "a great header": (GET + HOST + b"X-Frog: " + b"a" * 200_000 + b"\r\n\r\n", {400, 431}),
    "many headers": (GET + HOST + b"X-Frog: a\r\n" * 1000 + b"\r\n", {400, 431}),
    "a long address": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {400, 414}),
    "a folded header": (GET + HOST + b"X-Frog: a\r\n b\r\n\r\n", {400}),
    "a header without a name": (GET + HOST + b": a\r\n\r\n", {400}),
    "a header that is no line": (GET + HOST + b"frog\r\n\r\n", {400}),
    "a NUL in a header": (GET + HOST + b"X-Frog: a\x00b\r\n\r\n", {400}),
    "a line feed in a header": (GET + HOST + b"X-Frog: a\nX-Toad: b\r\n\r\n", {400}),
    "a return in a header": (GET + HOST + b"X-Frog: a\rX-Toad: b\r\n\r\n", {400}),
    "an unknown host": (GET + b"Host: elsewhere.example\r\n\r\n", {400}),
    "two hosts": (GET + HOST + b"Host: elsewhere.example\r\n\r\n", {400}),
    "two hosts, the other first": (GET + b"Host: elsewhere.example\r\n" + HOST + b"\r\n", {400}),
    "one host twice": (GET + HOST + HOST + b"\r\n", {400}),
    "two hosts in one": (GET + b"Host: 127.0.0.1, elsewhere.example\r\n\r\n", {400}),
    "a host with a name": (GET + b"Host: ann@127.0.0.1\r\n\r\n", {400}),
    "a host with a path": (GET + b"Host: 127.0.0.1/elsewhere.example\r\n\r\n", {400}),
    "a port that is none": (GET + b"Host: 127.0.0.1:frog\r\n\r\n", {400}),
    "a port too high": (GET + b"Host: 127.0.0.1:99999\r\n\r\n", {400}),
    "an open bracket": (GET + b"Host: [::1\r\n\r\n", {400}),
    "a host of other bytes": (GET + b"Host: \xff\xfe\r\n\r\n", {400}),
    "an unknown method": (b"FROG / HTTP/1.1\r\n" + END, {405}),
    "a method in small letters": (b"get / HTTP/1.1\r\n" + END, {400, 405}),
    "no method": (b" / HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a version of the future": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", {400, 505}),
    "no version": (b"GET /\r\n" + HOST + b"\r\n", {400}),
    "an authority": (b"CONNECT elsewhere.example:443 HTTP/1.1\r\n" + END, {400, 405}),
    "a star": (b"OPTIONS * HTTP/1.1\r\n" + END, {400, 405}),
    "a space in the address": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "other bytes in the address": (b"GET /\xff\xfe/ HTTP/1.1\r\n" + END, {400, 404}),
    "a NUL in the address": (b"GET /a\x00b HTTP/1.1\r\n" + END, {400, 404}),
    "a strange expectation": (POST + BOUNDED + b"Expect: frogs\r\n\r\nhello", {400, 401, 417}),
    "a credential that is none": (DOOR + b"Authorization: Basic \xff\xff\r\n\r\n", {401}),
    "a long credential": (DOOR + b"Authorization: Basic " + b"QQ" * 3000 + b"\r\n\r\n", {401}),
    "a proxy line": (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + GET + HOST + b"\r\n", {400}),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused(production: Larder, name: str) -> None:
    raw, statuses = MALFORMED[name]
    marks = production.log_marks()
    host = urlsplit(production.url).netloc.encode()
    reply = send(production, raw.replace(b"%(host)s", host))
    assert reply.status in statuses, reply.all[:500]
    assert "Traceback" not in production.log_since(marks)
    assert "\r\nX-Toad" not in reply.head
    assert get(production, "/-/health").status == 200


STRANGE = {
    "no host in HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "an absolute address of another site": b"GET http://elsewhere.example/ HTTP/1.1\r\n" + HOST,
    "an absolute address with a name": b"GET http://ann:b@127.0.0.1/ HTTP/1.1\r\n" + HOST,
    "another site by forwarding": GET + HOST + b"X-Forwarded-Host: elsewhere.example\r\n"
    b"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nForwarded: host=elsewhere.example\r\n",
    "another site by underscores": GET + HOST + b"X_Forwarded_Host: elsewhere.example\r\n",
    "another place by headers": GET + HOST + b"X-Original-URL: /admin/\r\n"
    b"X-Rewrite-URL: /admin/\r\n"
    b"SCRIPT_NAME: /elsewhere.example\r\nSCRIPT-NAME: /elsewhere.example\r\n",
    "a session that is none": GET + HOST + b"Cookie: sessionid=\xff\x80; csrftoken=%00; a\r\n",
    "a redirect to another site": b"GET //elsewhere.example/acme/any/simple HTTP/1.1\r\n" + HOST,
    "a redirect by backslash": b"GET /\\elsewhere.example/simple HTTP/1.1\r\n" + HOST,
    "a header by the address": b"GET /acme/any/simple/%0d%0aX-Toad:%20b HTTP/1.1\r\n" + HOST,
    "a header by the query": b"GET /acme/?next=%0d%0aX-Toad:%20b HTTP/1.1\r\n" + HOST,
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_strange_leads_nowhere_else(production: Larder, name: str) -> None:
    raw = STRANGE[name]
    marks = production.log_marks()
    host = urlsplit(production.url).netloc.encode()
    ending = b"" if raw.endswith(b"\r\n\r\n") else CLOSE + b"\r\n"
    reply = send(production, raw.replace(b"%(host)s", host) + ending)
    assert reply.status < 500, reply.all[:500]
    location = [line for line in reply.head.splitlines() if line.lower().startswith("location:")]
    assert not [line for line in location if f"//{ELSEWHERE}" in line.split("?")[0]], location
    assert "\r\nX-Toad" not in reply.head
    assert f'href="//{ELSEWHERE}' not in reply.body
    assert f"https://{ELSEWHERE}" not in reply.all
    assert "Traceback" not in production.log_since(marks)


FORM = (
    b"POST /accounts/sign-in/ HTTP/1.1\r\n"
    + HOST
    + CLOSE
    + b"Cookie: csrftoken="
    + b"a" * 32
    + b"\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
PARTS = FORM.replace(b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=frog")


@pytest.mark.parametrize("pause", [None, 0.5])
def test_a_form_that_does_not_arrive_is_given_up(production: Larder, pause: float | None) -> None:
    """Whoever sends nothing more, or a byte now and then, does not keep a thread waiting."""
    host = urlsplit(production.url).netloc.encode()
    with connected(production) as peer:
        peer.sendall((FORM + b"Content-Length: 1000\r\n\r\na=").replace(b"%(host)s", host))
        peer.settimeout(pause or _SECONDS)
        received = b""
        for _ in range(100):
            try:
                received = peer.recv(65536)
                break
            except TimeoutError:
                peer.sendall(b"b")
        peer.settimeout(_SECONDS)
        while more := peer.recv(65536):  # head and body need not come together
            received += more
    assert received.startswith(b"HTTP/1.1 400 "), received[:200]
    assert b"The form did not arrive whole." in received


def test_a_form_larger_than_a_form_is_refused_unread(production: Larder) -> None:
    host = urlsplit(production.url).netloc.encode()
    head = PARTS + b"Content-Length: 30000000\r\n\r\n--frog\r\n"
    reply = send(production, head.replace(b"%(host)s", host) + b"a" * 30_000_000)
    assert reply.status == 400


def test_an_address_writes_no_log_line_of_its_own(production: Larder) -> None:
    marks = production.log_marks()
    get(production, "/%0aforged%20line%0d")
    lines = production.log_since(marks).splitlines()
    assert [line for line in lines if "forged" in line]
    assert not [line for line in lines if line.startswith("forged")]


@pytest.fixture(scope="module")
def shelf(embedded: Larder) -> Repository:
    """A repository with a file, and a file beside the blobs that is nobody's business."""
    repository = embedded.repository()
    filename, content = dists.make_wheel("frog", "1.0")
    sent = upload(
        repository.url,
        embedded.writer,
        Content(filename, len(content), [content]),
        name="frog",
        version="1.0",
    )
    assert sent == (200, "OK")
    home = Path(embedded.environment["LARDER_HOME"])
    for folder in (home, home / "blobs", home / "static"):
        (folder / "canary.txt").write_text(CANARY)
    return repository


UP = (
    *("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "%2e%2e%5c", "..\\", "..%c0%af"),
    *("..%e0%80%af", "%c0%ae%c0%ae/", "..%252f", "..%25%32%66", "....//", "..;/", "..%00/"),
    *("..%0d%0a/", "%2f%2f..%2f", "/..//", "..%ff/", "%u002e%u002e%u2215"),
)
AIMS = ("canary.txt", "larder.sqlite3", "secret_key", "etc/passwd")


@pytest.mark.parametrize("up", UP)
def test_no_spelling_of_a_path_reads_a_file_beside_the_blobs(
    embedded: Larder, shelf: Repository, up: str
) -> None:
    marks = embedded.log_marks()
    base = urlsplit(shelf.url).path
    sha256 = "0" * 64
    for below, depth, aim in product(
        ("files/frog/", f"files/frog/{sha256}/", "files/"), (1, 3, 8), AIMS
    ):
        for ending in ("", "%00.whl", ".metadata"):
            target = f"{base}{below}{up * depth}{aim}{ending}"
            reply = get(embedded, target, token=embedded.reader)
            assert 400 <= reply.status < 500, f"{target}: {reply.all[:300]}"
            assert CANARY not in reply.body, target
            assert "root:" not in reply.body, target
            assert "SQLite format" not in reply.body, target
    for depth, aim in product((1, 3, 8), AIMS):
        reply = get(embedded, f"/static/{up * depth}{aim}")
        assert reply.status < 500
        assert CANARY not in reply.body
        assert "root:" not in reply.body
    assert "Traceback" not in embedded.log_since(marks)


def test_no_process_shows_a_secret_in_its_arguments(production: Larder) -> None:
    seen = 0
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command = (each / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if b"portal.wsgi" in command or b"portal.celery" in command:
            seen += 1
            assert not canaries.is_in(command)
            assert b"postgres" not in command
    assert seen >= 3
