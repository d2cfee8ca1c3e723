"""Behind nginx, with the configuration that we give out: reasons and headers arrive unchanged."""

from __future__ import annotations

import hashlib
import random
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import dists
from tests.journeys import larder as larders
from tests.journeys.distributions import wheels
from tests.journeys.front import nginx
from tests.journeys.indexes import static_index
from tests.journeys.larder import Larder, Repository
from tests.journeys.remotes import make_remote
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
    home = Path(app.environment["LARDER_HOME"])
    with larders.edge(app, processes=2) as edge, nginx(port_of(app), edge.port, home) as front:
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


@pytest.fixture(scope="module")
def long_shelf(behind: Larder) -> Repository:
    """A repository with so many files that their page is large, packed too."""
    repository = behind.repository()
    chance = random.Random(7)  # noqa: S311 - the same each time

    def publish(number: int) -> tuple[int, str]:
        version = f"1.{number}+{chance.randbytes(75).hex()}"
        filename, wheel = dists.make_wheel("newt", version)
        content = Content(filename, len(wheel), [wheel])
        return upload(repository.url, behind.writer, content, name="newt", version=version)

    with ThreadPoolExecutor(8) as callers:
        assert set(callers.map(publish, range(400))) == {(200, "OK")}
    return repository


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("accept", ["text/html", "application/vnd.pypi.simple.v1+json"])
def test_a_large_page_that_nginx_sends_is_the_one_that_gunicorn_gives(
    app: Larder, behind: Larder, long_shelf: Repository, accept: str, encoding: str
) -> None:
    """Byte for byte and header for header, and to nobody else."""
    url, sent = f"{long_shelf.simple}newt/", {"Accept": accept, "Accept-Encoding": encoding}
    own = {"connection", "server", "transfer-encoding", "date"}

    def told(of: Larder, method: str = "GET", **more: str) -> tuple[int, dict[str, str], bytes]:
        where = url.replace(behind.url, of.url)
        with request(method, where, behind.reader, headers=sent | more) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            assert len(headers) == len(response.headers)
            assert headers.pop("x-request-id")
            kept = {name: value for name, value in headers.items() if name not in own}
            return response.status, kept, response.read()

    expected = told(app)
    assert len(expected[2]) > 64 * 1024
    assert expected[1].get("content-encoding", "identity") == encoding
    for _ in range(6):  # the processes of the edge come to hold it
        assert told(behind) == expected
    assert told(behind, "HEAD") == told(app, "HEAD")
    assert told(behind, Range="bytes=5-9") == told(app, Range="bytes=5-9")
    again = {"If-None-Match": expected[1]["etag"]}
    assert told(behind, **again) == told(app, **again)
    assert headers_of(url, "")[0] == 401
    assert headers_of(url, behind.stranger)[0] == 403
    given = set()
    for _ in range(3):  # each process of the edge has a file of its own
        for page in large_pages(behind):
            if page.read_bytes() == expected[2]:
                where = page.relative_to(behind.environment["LARDER_HOME"])
                assert headers_of(f"{behind.url}/-/{where}", behind.reader)[0] == 404
                page.write_bytes(b"nginx")
        given |= {told(behind)[2] for _ in range(4)}
    assert given == {expected[2], b"nginx"} or given == {b"nginx"}
    for page in large_pages(behind):
        if page.read_bytes() == b"nginx":
            page.unlink()
    # What nginx does not find, it has from gunicorn.
    for _ in range(4):
        assert told(behind) == expected


def large_pages(larder: Larder) -> list[Path]:
    """Return what its edge has laid down for nginx."""
    folder = Path(larder.environment["LARDER_HOME"]) / "pages"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_large_page_is_new_with_the_answer_to_an_upload(
    behind: Larder, long_shelf: Repository
) -> None:
    for number in range(5):
        for _ in range(4):
            headers_of(f"{long_shelf.simple}newt/", behind.reader)
        filename, wheel = dists.make_wheel("newt", f"2.{number}")
        content = Content(filename, len(wheel), [wheel])
        sent = upload(long_shelf.url, behind.writer, content, name="newt", version=f"2.{number}")
        assert sent == (200, "OK")
        assert filename.encode() in headers_of(f"{long_shelf.simple}newt/", behind.reader)[3]


def test_blobs_are_nobodys_to_ask_for(behind: Larder, shelf: Repository) -> None:
    blobs = Path(behind.environment["LARDER_HOME"]) / "blobs"
    stored = [path for path in blobs.rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        url = f"{behind.url}/-/blobs/{path.relative_to(blobs)}"
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


def test_what_upstream_may_have_to_be_asked_for_gunicorn_answers_the_first_time(
    app: Larder,
) -> None:
    newt, toad = wheels("idna", "six")
    with static_index([newt, toad]) as index, larders.edge(app) as edge:
        remote = make_remote(app, "elsewhere", index)
        at_edge = replace(app, url=f"http://127.0.0.1:{edge.port}")

        def asked(of: Larder, name: str) -> tuple[int, str, bytes]:
            url = f"{remote.simple.replace(app.url, of.url)}{name}/"
            with request("GET", url, app.reader) as response:
                return response.status, response.headers["X-Accel-Redirect"] or "", response.read()

        known = asked(app, newt.name)
        assert newt.path.name.encode() in known[2]
        assert asked(at_edge, toad.name)[1] == "@app"  # Django finds out who comes
        assert asked(at_edge, newt.name)[1] == "@app"
        assert [asked(at_edge, newt.name) for _ in range(2)] == [known] * 2
        # The first one upstream has not been asked for: gunicorn was only told of it.
        assert asked(at_edge, toad.name)[1] == "@app"
        assert toad.path.name.encode() in asked(app, toad.name)[2]
        assert asked(at_edge, toad.name)[0:2] == (200, "")


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
