"""An upstream that cannot be asked before an administrator acts: one refusal, one reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.roles import Role
from repos.models import Kind, Repository
from tests.cast import Cast, grant, make_repository
from tests.dists import make_wheel
from tests.uploads import published
from tests.upstreams import Reply, Server, make_remote, serving
from tests.virtuals import make_virtual

NOT_PUBLIC = "127.0.0.1, which is not public"
NO_UPSTREAM = "acme/remote has no upstream yet. Its administrator sets one."


@pytest.fixture
def server() -> Iterator[Server]:
    """An index at an address that remotes do not talk to, unless they are told to."""
    with serving() as running:
        running.add_files("frog", make_wheel("frog", "1.0"))
        yield running


@pytest.fixture(params=[NOT_PUBLIC, NO_UPSTREAM], ids=["refused address", "no upstream"])
def reason(request: pytest.FixtureRequest, cast: Cast, server: Server) -> str:
    """Why acme's remote asks nobody; a virtual stands over it and the local."""
    if request.param == NO_UPSTREAM:
        remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    else:
        remote = make_remote(cast.acme.tenant, server, private_allowed=False)
    grant(remote, Role.READER, cast.acme.reader)
    make_all(cast, remote)
    return str(request.param)


def make_all(cast: Cast, *remotes: Repository) -> None:
    """Make a virtual over remotes and acme's local, for its reader."""
    virtual = make_virtual(cast.acme, "all", [*remotes, cast.acme.repository])
    grant(virtual, Role.READER, cast.acme.reader)


@pytest.mark.parametrize("key", ["remote", "all"])
def test_the_remote_and_a_virtual_above_it_say_501_and_why(
    client: Client, cast: Cast, server: Server, reason: str, key: str
) -> None:
    for url in (f"/acme/{key}/simple/frog/", f"/acme/{key}/files/frog/frog-1.0-py3-none-any.whl"):
        answer = client.get(url, headers=cast.acme.reader.headers)
        assert answer.status_code == 501
        assert reason in answer.reason_phrase
        assert "Retry-After" not in answer.headers
    assert not server.asked


def test_a_virtual_still_serves_the_names_that_nobody_is_asked_for(
    client: Client, cast: Cast, reason: str
) -> None:
    published(client, "toad", "1.0", make_wheel("toad", "1.0"), by=cast.acme.admin)
    answer = client.get("/acme/all/simple/toad/", headers=cast.acme.reader.headers)
    assert answer.status_code == 200, reason


@pytest.mark.parametrize("key", ["remote", "all"])
def test_page_rest_and_command_explain_it(
    client: Client, cast: Cast, capsys: pytest.CaptureFixture[str], reason: str, key: str
) -> None:
    headers = cast.acme.reader.headers
    answer = client.get(
        f"/api/v1/repositories/acme/{key}/explain", {"project": "frog"}, headers=headers
    )
    page = client.get(f"/acme/{key}/-/explain/", {"project": "frog"}, headers=headers)
    call_command("explain", f"acme/{key}", "frog")
    line = answer.json()["lines"][0]
    for told in (line["why"], page.content.decode(), capsys.readouterr().out):
        assert "acme/remote cannot be asked now: " in told
        assert reason.removesuffix(".") in told


@pytest.mark.parametrize("key", ["remote", "all"])
def test_the_page_of_the_project_says_it_too(
    client: Client, cast: Cast, reason: str, key: str
) -> None:
    headers = cast.acme.reader.headers
    page = client.get(f"/acme/{key}/project/frog/", headers=headers)
    assert page.status_code == 501
    assert "Not set up" in page.content.decode()
    assert reason in page.content.decode()


def test_of_two_that_cannot_say_the_one_that_needs_an_administrator_is_named(
    client: Client, cast: Cast, server: Server
) -> None:
    away = make_remote(cast.acme.tenant, server, "away", names_are_kept=False)
    server.always = Reply(status=503)
    unset = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    for remote in (away, unset):
        grant(remote, Role.READER, cast.acme.reader)
    make_all(cast, away, unset)
    answer = client.get("/acme/all/simple/frog/", headers=cast.acme.reader.headers)
    assert answer.status_code == 501
    assert NO_UPSTREAM in answer.reason_phrase


def test_who_may_not_read_the_remote_hears_nothing_of_it(client: Client, cast: Cast) -> None:
    """A private remote keeps others from being asked, and says no more to them."""
    private = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    make_all(cast, private)
    answer = client.get("/acme/all/simple/frog/", headers=cast.acme.reader.headers)
    assert answer.status_code == 403
    assert "acme/remote" not in answer.reason_phrase
    headers = cast.acme.reader.headers
    page = client.get("/acme/all/-/explain/", {"project": "frog"}, headers=headers)
    assert "no upstream" not in page.content.decode()
