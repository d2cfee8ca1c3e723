"""The test of a connection says exactly what is wrong."""

from __future__ import annotations

import socket

import pytest

from packages.filenames import parse_name
from packages.index.remote import RemoteIndex
from packages.upstream.trial import check_upstream
from repos.models import Upstream
from tests.dists import make_wheel
from tests.upstreams import HTML, Reply, Server, json_line, make_remote, serving

WHEEL = make_wheel("frog", "1.0")
NOBODYS = "/simple/larder-asks-for-what-nobody-has/"


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def remote(cast, server: Server):
    return make_remote(cast.acme.tenant, server)


@pytest.fixture
def check(remote, monkeypatch):
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)

    def tried(**settings) -> str:
        Upstream.objects.update(**settings)
        trials = check_upstream(remote, Upstream.objects.get())
        return "\n".join(f"{trial.works}: {trial.says}" for trial in trials)

    return tried


def test_an_index_of_which_nothing_is_kept_answers_404_for_what_nobody_has(check, server) -> None:
    """Its root may be a page for people: installers do not ask for it."""
    server.add_html("/simple/", "<title>Welcome</title><a href='about/'>About us</a>")
    assert check() == (
        "True: 127.0.0.1 answers as an index, with 404 for a project that nobody has.\n"
        "True: No file was asked for: no page is kept that names one. Install one, and test again."
    )


def test_an_index_that_has_everything_is_known_by_its_list(check, server) -> None:
    server.add_files("frog", WHEEL)
    server.replies[NOBODYS] = Reply(status=403)
    assert "True: 127.0.0.1 is an index (Simple API 1.1) with 1 projects." in check()
    server.add_html("/simple/", "<title>Simple index</title><a href='frog/'>frog</a>")
    assert "True: 127.0.0.1 is an index (Simple API 1.0) with 1 projects." in check()


def test_a_page_that_is_kept_and_one_of_its_files_are_asked_for(check, server, remote) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(parse_name("frog"))
    page = "True: 127.0.0.1 has a page of frog, with 1 files."
    assert check() == f"{page}\nTrue: '127.0.0.1' sends {WHEEL[0]}."
    assert server.asked[-1].headers["Range"] == "bytes=0-0"
    server.replies[f"/files/{WHEEL[0]}"] = Reply(status=403)
    assert check() == f"{page}\nFalse: '127.0.0.1' answered 403 for {WHEEL[0]}."
    server.add_page("frog", [])
    assert check().endswith("True: No file was asked for: the page lists none.")
    del server.replies["/simple/frog/"]
    assert "404 for a project that nobody has" in check()


def test_files_on_another_host_are_refused_with_the_setting_that_helps(
    check, server, remote
) -> None:
    with serving() as files:
        files.replies["/f"] = Reply(WHEEL[1])
        server.add_page("frog", [json_line(*WHEEL) | {"url": f"{files.url}f"}])
        RemoteIndex(remote).page(parse_name("frog"))
        refused = check().splitlines()[1]
        assert refused.startswith("False: ")
        assert f"In acme/remote, URL of files is to be {files.url} for that" in refused
        assert not files.asked
        assert check(files_url=files.url).endswith(f"True: '127.0.0.1' sends {WHEEL[0]}.")


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
    server.replies[NOBODYS] = Reply(status=403)
    assert "True: 127.0.0.1 is an index (Simple API 1.0) with 250000 projects." in check()
