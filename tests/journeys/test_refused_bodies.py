"""A client that is refused while it sends gets the answer; one that stops sending is given up."""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from tests.journeys.larder import Larder
from tests.journeys.wire import BLOCK, request

_MEGABYTES = 40


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/acme/nothing/", HTTPStatus.NOT_FOUND, "There is no repository"),
        ("/acme/nothing/simple/", HTTPStatus.METHOD_NOT_ALLOWED, "only read"),
        ("/nothing/at/all/here/", HTTPStatus.METHOD_NOT_ALLOWED, "Upload to a repository"),
    ],
)
def test_the_reason_arrives_although_the_body_is_long(
    production: Larder, path: str, status: int, says: str
) -> None:
    body = (bytes(BLOCK) for _ in range(_MEGABYTES))
    headers = {
        "Content-Length": str(_MEGABYTES * BLOCK),
        "Content-Type": "multipart/form-data; boundary=x",
    }
    with request(
        "POST", production.url + path, production.writer, headers=headers, body=body
    ) as response:
        assert response.status == status
        assert says in response.reason


def test_callers_that_stop_in_the_middle_do_not_hold_the_portal(production: Larder) -> None:
    parts = urlsplit(production.url)
    begun = (
        f"POST /acme/nothing/ HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n--"
    ).encode()
    stalled = [
        socket.create_connection((parts.hostname or "", parts.port or 80)) for _ in range(80)
    ]
    try:
        for connection in stalled:
            connection.sendall(begun)
        asked = time.monotonic()
        with request("GET", f"{production.url}/-/health", production.writer) as response:
            assert response.status == HTTPStatus.OK
        assert time.monotonic() - asked < 20
        stalled[0].settimeout(20)
        assert stalled[0].recv(100).startswith(b"HTTP/1.1 401")
    finally:
        for connection in stalled:
            connection.close()
