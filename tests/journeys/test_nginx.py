"""Behind nginx, with the configuration that we give out: reasons and headers arrive unchanged."""

from __future__ import annotations

import hashlib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import dists
from tests.journeys import larder as larders
from tests.journeys.front import nginx
from tests.journeys.larder import Larder, Repository
from tests.journeys.wire import Content, request, upload

WHEEL, CONTENT = dists.make_wheel("frog", "1.0")
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
_REVOKE = """
import sys, django
django.setup()
from accounts import tokens
from accounts.models import Token
from base.audit import SYSTEM
tokens.revoke(Token.objects.get(identifier=tokens.identifier_in(sys.argv[1])), by=SYSTEM)
"""


@pytest.fixture(scope="module")
def app() -> Iterator[Larder]:
    """A Larder as nginx reaches it; its URL is gunicorn's."""
    with larders.behind_nginx() as running:
        yield running


@pytest.fixture(scope="module")
def behind(app: Larder) -> Iterator[Larder]:
    """The same with its edge, and nginx in front of both; its URL is nginx's."""
    blobs = Path(app.environment["LARDER_HOME"]) / "blobs"
    with larders.edge(app, processes=2) as edge, nginx(port_of(app), edge.port, blobs) as front:
        yield replace(app, url=f"http://127.0.0.1:{front.port}")


def port_of(larder: Larder) -> int:
    """Return where it listens."""
    return urlsplit(larder.url).port or 0


@pytest.fixture(scope="module")
def shelf(behind: Larder) -> Repository:
    """A repository with one file."""
    repository = behind.repository()
    content = Content(WHEEL, len(CONTENT), [CONTENT])
    sent = upload(repository.url, behind.writer, content, name="frog", version="1.0")
    assert sent == (200, "OK")
    return repository


def assert_once(response: HTTPResponse, expected: dict[str, str]) -> None:
    """Require each header with its value, and not twice."""
    for name, value in expected.items():
        assert response.headers.get_all(name) == [value], name


def test_a_refusal_keeps_its_reason(behind: Larder, shelf: Repository) -> None:
    content = Content(WHEEL, len(CONTENT), [CONTENT])
    status, reason = upload(shelf.url, behind.reader, content, name="frog", version="1.0")
    assert status == 403
    assert reason.startswith("You may read acme/")
    with request("GET", shelf.simple, "lrd_wrong") as response:
        assert (response.status, response.reason) == (
            401,
            "This token is not valid: it is wrong, expired or revoked.",
        )


def test_nginx_sends_the_file_as_safely_as_we_do(behind: Larder, shelf: Repository) -> None:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    url = f"{shelf.url}files/frog/{sha256}/{WHEEL}"
    with request("GET", url, behind.reader) as response:
        assert response.status == 200
        assert response.read() == CONTENT
        assert_once(response, SAFE | {"Content-Security-Policy": SANDBOX})
        assert_once(response, {"Content-Type": "application/zip"})
        assert_once(response, {"Content-Disposition": f'attachment; filename="{WHEEL}"'})
        assert response.headers["Cache-Control"].startswith("private, ")
        assert "Server" not in response.headers or response.headers["Server"] == "nginx"
    with request("GET", url, behind.reader, headers={"Range": "bytes=2-9"}) as response:
        assert (response.status, response.read()) == (206, CONTENT[2:10])
        assert_once(response, {"Content-Security-Policy": SANDBOX})


@pytest.mark.parametrize("path", ["simple/frog/", f"files/frog/{WHEEL}.metadata", "nothing/x/y"])
def test_what_larder_says_passes_once(behind: Larder, shelf: Repository, path: str) -> None:
    with request("GET", shelf.url + path, behind.reader) as response:
        assert_once(response, SAFE)
        assert len(response.headers.get_all("Content-Security-Policy", [])) == 1


def test_blobs_are_nobodys_to_ask_for(behind: Larder, shelf: Repository) -> None:
    blobs = Path(behind.environment["LARDER_HOME"]) / "blobs"
    stored = [path for path in blobs.rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        url = f"{behind.url}/blobs/{path.relative_to(blobs)}"
        with request("GET", url, behind.reader) as response:
            assert response.status == 404
            assert response.read() != CONTENT


def test_while_larder_restarts_nginx_says_so(behind: Larder) -> None:
    with (
        nginx(9, 9, Path("/nowhere")) as front,
        request(
            "GET", f"http://127.0.0.1:{front.port}/acme/any/simple/", behind.reader
        ) as response,
    ):
        assert response.status == 503
        assert response.headers["Retry-After"] == "5"
        assert response.read().decode().startswith("Larder cannot be reached at the moment.")
        assert_once(response, {"X-Content-Type-Options": "nosniff"})
        assert_once(response, {"Content-Security-Policy": SANDBOX})


def test_a_change_reaches_a_larder_that_dies_of_it_once(behind: Larder) -> None:
    """It may have been made before: sent again, a token would be made twice."""
    with _dying() as (port, heard), nginx(port, 9, Path("/nowhere")) as front:
        for method, path in (("POST", "/api/v1/tokens"), ("DELETE", "/api/v1/tokens/1")):
            url = f"http://127.0.0.1:{front.port}{path}"
            with request(method, url, behind.reader) as response:
                assert response.status == 503
        assert [line.partition(b" ")[0] for line in heard] == [b"POST", b"DELETE"]


@contextmanager
def _dying() -> Iterator[tuple[int, list[bytes]]]:
    """Listen where a Larder would, and hang up on whoever has asked; yield the port, and what."""
    heard: list[bytes] = []

    class HangingUp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            heard.append(self.rfile.readline())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangingUp) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield listening.server_address[1], heard
        finally:
            listening.shutdown()
            thread.join()


def test_what_is_read_again_comes_from_the_edge_and_ends_with_the_right_to_it(
    behind: Larder, shelf: Repository
) -> None:
    """What it holds is Larder's own answer, and is nobody else's."""
    secret = behind.manage(
        ["create_token", "ray", "--tenant", "acme", "--name", "edge", "--role", "reader"]
    )[0]
    url = f"{shelf.simple}frog/"
    first, *more = (headers_of(url, secret) for _ in range(3))
    assert all(each == first for each in more)
    assert headers_of(url, "")[0] == 401
    assert headers_of(url, behind.stranger)[0] == 403
    behind.python(_REVOKE, secret)
    assert headers_of(url, secret)[:2] == (
        401,
        "This token is not valid: it is wrong, expired or revoked.",
    )


def headers_of(url: str, token: str) -> tuple[int, str, dict[str, str], bytes]:
    """Return all of an answer but what is another one each time."""
    with request("GET", url, token) as response:
        own = {"date", "x-request-id"}
        headers = {name.lower(): value for name, value in response.headers.items()}
        kept = {name: value for name, value in headers.items() if name not in own}
        return response.status, response.reason, kept, response.read()


def test_a_type_that_cannot_be_read_is_none_at_the_edge_too(
    behind: Larder, shelf: Repository
) -> None:
    odd = {"Content-Type": "text/html; charset*=utf-8''a%00b"}
    with request("GET", f"{shelf.simple}frog/", behind.writer, headers=odd) as response:
        assert response.status == 200


def test_a_new_file_is_there_with_the_answer_to_its_upload(
    behind: Larder, shelf: Repository
) -> None:
    for number in range(1, 20):
        filename, content = dists.make_wheel("toad", f"1.{number}")
        sent = Content(filename, len(content), [content])
        assert upload(shelf.url, behind.writer, sent, name="toad", version=f"1.{number}")[0] == 200
        assert filename.encode() in headers_of(f"{shelf.simple}toad/", behind.reader)[3]


def test_a_wrong_token_is_one_guess_and_not_two(behind: Larder, shelf: Repository) -> None:
    behind.forgive()
    wrong = "lrd_" + "0" * 57
    for _ in range(9):
        assert headers_of(f"{shelf.simple}frog/", wrong)[0] == 401
    behind.forgive()


def test_without_the_edge_nginx_asks_the_app(
    app: Larder, behind: Larder, shelf: Repository
) -> None:
    with nginx(port_of(app), 9, Path("/nowhere")) as front:
        moved = shelf.simple.replace(behind.url, f"http://127.0.0.1:{front.port}")
        assert headers_of(f"{moved}frog/", behind.reader)[0] == 200
