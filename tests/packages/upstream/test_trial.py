"""The test of a connection says exactly what is wrong."""

from __future__ import annotations

import socket

import pytest

from packages.upstream.trial import check_upstream
from repos.models import Upstream
from tests.dists import make_wheel
from tests.upstreams import HTML, Reply, Server, make_remote, serving

WHEEL = make_wheel("frog", "1.0")


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def check(cast, server: Server, monkeypatch):
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    remote = make_remote(cast.acme.tenant, server)

    def tried(**settings) -> str:
        Upstream.objects.update(**settings)
        trial = check_upstream(remote, Upstream.objects.get())
        return f"{trial.works}: {trial.says}"

    return tried


def test_an_index_is_found(check, server) -> None:
    server.add_files("frog", WHEEL)
    assert check() == "True: 127.0.0.1 is an index (Simple API 1.1) with 1 projects."
    server.add_html("/simple/", "<title>Simple index</title><a href='frog/'>frog</a>")
    assert check() == "True: 127.0.0.1 is an index (Simple API 1.0) with 1 projects."


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(status=401), "wants other credentials"),
        (Reply(status=403), "does not allow this"),
        (Reply(status=404), "there is no index. Look at the index URL"),
        (Reply(status=503), "is in trouble: it answered 503"),
        (Reply(b"<title>Welcome</title>", kind=HTML), "not one of an index"),
        (Reply(b'{"a": 1}', kind="application/json"), "no list of the Simple API"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:9/"}), "nobody configured it"),
        (Reply(status=302, headers={"Location": "/simple/"}), "leads on and on"),
    ],
)
def test_what_answers_is_named(check, server, reply, says) -> None:
    server.always = reply
    answer = check()
    assert answer.startswith("False: ")
    assert says in answer


def test_an_address_that_is_not_public_is_named(check, server) -> None:
    assert "127.0.0.1, which is not public" in check(private_allowed=False)


def test_nobody_there_is_named(check, server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "cannot be connected to" in check(index_url=f"http://127.0.0.1:{port}/")


def test_an_unknown_name_is_named(check, monkeypatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr("packages.upstream.connection.socket.getaddrinfo", unknown)
    assert "The name nowhere.example cannot be looked up" in check(
        index_url="http://nowhere.example/"
    )


def test_tls_that_is_none_is_named(check, server) -> None:
    says = check(index_url=server.url.replace("http:", "https:"))
    assert says.startswith("False: 127.0.0.1 cannot be trusted")


def test_a_certificate_authority_that_is_none_is_named(check, server) -> None:
    assert "is no PEM" in check(ca="not a certificate")


def test_a_list_longer_than_any_page_is_an_index_too(check, server) -> None:
    anchors = '<a href="frog/">frog</a>\n' * 250_000
    server.add_html("/simple/", f"<title>Simple index</title>{anchors}")
    assert check() == "True: 127.0.0.1 is an index (Simple API 1.0) with 250000 projects."
