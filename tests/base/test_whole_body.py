"""Small bodies are read whole, within bytes and seconds, at every door that reads one."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from artifactory.bodies import object_of, text_of
from base import bodies
from base.bodies import Body, BodyBroken
from pypi.answer import Ask


@contextmanager
def trickle(announced: str) -> Iterator[Body]:
    """Yield the body of a client that sends a byte now and then and never comes to an end."""
    client, server = socket.socketpair()
    is_over = threading.Event()

    def send() -> None:
        with suppress(BrokenPipeError):  # nobody reads it any more
            while not is_over.wait(0.01):
                client.send(b" ")

    sending = threading.Thread(target=send)
    with client, server, server.makefile("rb") as stream:
        sending.start()
        try:
            yield Body(
                {"wsgi.input": stream, "gunicorn.socket": server, "CONTENT_LENGTH": announced}
            )
        finally:
            is_over.set()
            sending.join()


READERS: list[Callable[[Body], object]] = [
    lambda body: body.whole(at_most=1000),
    lambda body: text_of(Ask("POST", "acme", "", body=body), at_most=1000),
    lambda body: object_of(Ask("POST", "acme", "", body=body)),
]


@pytest.mark.parametrize("reader", READERS)
def test_a_client_that_trickles_is_given_up(
    monkeypatch: pytest.MonkeyPatch, reader: Callable[[Body], object]
) -> None:
    monkeypatch.setattr(bodies, "_WHOLE_SECONDS", 0.1)
    with trickle("500") as body, pytest.raises(BodyBroken) as refused:
        reader(body)
    assert refused.value.sentence == "The body did not arrive whole."


def whole(text: bytes, announced: int) -> bytes:
    return Body({"wsgi.input": io.BytesIO(text), "CONTENT_LENGTH": str(announced)}).whole(at_most=9)


def test_a_small_body_is_read_whole_or_not_at_all() -> None:
    assert whole(b"123456789", 9) == b"123456789"
    assert whole(b"", 0) == b""
    with pytest.raises(BodyBroken, match="larger than 9 bytes"):
        whole(b"1234567890", 10)
    with pytest.raises(BodyBroken, match="did not arrive whole"):
        whole(b"1234567", 8)
