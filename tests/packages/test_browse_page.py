"""The tree of a repository: what is below each node, deep links, parts, and who sees what."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from packages import curate
from packages.models import Project, Release, UpstreamPage
from packages.pages import browse
from repos import configure
from repos.models import Kind, Upstream
from tests.cast import Cast, grant, make_repository
from tests.dists import make_sdist, make_wheel
from tests.uploads import published

TREE = "/acme/local/browse/"


@pytest.fixture
def frogs(client: Client, cast: Cast) -> Cast:
    """Two versions of a project and another project, seen by a reader."""
    wes = cast.acme.writer
    for version in ("1.0", "2.0"):
        published(client, "frog", version, make_wheel("frog", version), by=wes)
    published(client, "frog", "1.0", make_sdist("frog", "1.0"), by=wes)
    published(client, "toad", "1.0", make_wheel("toad", "1.0"), by=wes)
    client.force_login(cast.acme.reader.user)
    return cast


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == HTTPStatus.OK, url
    return re.sub(r"\s+", " ", response.content.decode())


def nodes(page: str) -> list[str]:
    return re.findall(r'<span class="label">([^<]+)</span>', page)


def test_each_node_has_a_url_that_shows_it_among_the_others(client: Client, frogs: Cast) -> None:
    assert nodes(text_of(client, TREE)) == ["frog", "toad"]
    assert nodes(text_of(client, f"{TREE}frog/")) == ["frog", "2.0", "1.0", "toad"]
    wheel = "frog-1.0-py3-none-any.whl"
    page = text_of(client, f"{TREE}frog/1.0/?file={wheel}")
    assert nodes(page) == ["frog", "2.0", "1.0", wheel, "frog-1.0.tar.gz", "toad"]
    selected = re.findall(r'href="([^"]+)" aria-selected="true"', page)
    assert selected == [f"{TREE}frog/1.0/?file={wheel}"]
    assert "/acme/local/files/frog/" in page
    assert "SHA-256" in page


def test_parts_are_what_is_below_a_node_and_what_is_said_of_it(client: Client, frogs: Cast) -> None:
    branches = text_of(client, f"{TREE}frog/?part=tree")
    assert nodes(branches) == ["2.0", "1.0"]
    assert "<html" not in branches
    assert nodes(text_of(client, f"{TREE}?part=tree&filter=OA")) == ["toad"]
    shown = text_of(client, f"{TREE}frog/?part=node")
    assert "2 versions, 3 files" in shown
    assert "<html" not in shown
    assert nodes(shown) == []


def test_a_long_list_goes_on_in_parts(client: Client, frogs: Cast, monkeypatch) -> None:
    monkeypatch.setattr(browse, "_PROJECTS_AT_ONCE", 1)
    monkeypatch.setattr(browse, "_BRANCHES_AT_ONCE", 1)
    page = text_of(client, TREE)
    assert nodes(page) == ["frog", "More projects"]
    (more,) = re.findall(r'href="([^"]+after=[^"]+)"', page)
    assert nodes(text_of(client, f"{more}&part=tree")) == ["toad"]
    assert nodes(text_of(client, f"{TREE}toad/")) == ["All projects", "toad", "1.0"]
    assert nodes(text_of(client, f"{TREE}frog/?part=tree")) == ["2.0", "More versions"]
    assert nodes(text_of(client, f"{TREE}frog/?part=tree&after=2.0")) == ["1.0"]
    assert "1.0" in nodes(text_of(client, f"{TREE}frog/1.0/"))


@pytest.mark.parametrize(
    "path", ["none/", "frog/3.0/", "frog/1.0/?file=x", "-/", "%00/", "frog/x y/"]
)
def test_what_is_not_there_is_said_in_a_sentence(client: Client, frogs: Cast, path: str) -> None:
    answer = client.get(TREE + path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "There is no" in answer.content.decode()


def test_states_are_told_beside_the_nodes(client: Client, frogs: Cast) -> None:
    curate.yank(Release.objects.get(version="2.0"), reason="croaks", by=frogs.acme.writer.principal)
    curate.set_status(
        Project.objects.get(normalized="toad"),
        status=Project.Status.QUARANTINED,
        reason="bites",
        by=frogs.acme.admin.principal,
    )
    page = text_of(client, f"{TREE}frog/")
    assert 'node-note">yanked' in page
    assert 'node-note">quarantined' in page
    toad = text_of(client, f"{TREE}toad/")
    assert "toad is quarantined: bites." in toad


def test_a_virtual_shows_what_it_gives_out_and_names_the_member(
    client: Client, frogs: Cast
) -> None:
    virtual = make_repository(frogs.acme.tenant, "all", Kind.VIRTUAL)
    secret = make_repository(frogs.acme.tenant, "secret")
    configure.set_members(virtual, [secret, frogs.acme.repository], by=SYSTEM)
    grant(virtual, Role.READER, frogs.acme.reader)
    assert nodes(text_of(client, "/acme/all/browse/")) == ["frog", "toad"]
    page = text_of(client, "/acme/all/browse/frog/1.0/?file=frog-1.0.tar.gz")
    assert ">acme/local</a>" in page
    assert "secret" not in page
    assert client.get("/acme/all/browse/none/").status_code == HTTPStatus.NOT_FOUND


def test_a_remote_keeps_what_it_holds_apart_from_what_it_knows(client: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    configure.save_upstream(
        Upstream(repository=remote, index_url="https://mirror.example.org/"), by=SYSTEM
    )
    grant(remote, Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    for name in ("", "numpy"):
        UpstreamPage.objects.create(
            repository=remote, normalized=name, is_served=True, answered_at=clock.now()
        )
    assert nodes(text_of(client, "/acme/remote/browse/")) == []
    known = text_of(client, "/acme/remote/browse/?known=1")
    assert nodes(known) == ["numpy"]
    assert "/acme/remote/browse/numpy/?known=1" in known


def test_a_project_called_browse_is_still_found_by_installers(client: Client, cast: Cast) -> None:
    published(client, "browse", "1.0", make_wheel("browse", "1.0"), by=cast.acme.writer)
    client.force_login(cast.acme.reader.user)
    assert nodes(text_of(client, TREE)) == ["browse"]
    assert client.get("/acme/local/simple/browse/").status_code == HTTPStatus.OK
    assert "Open the project" in text_of(client, f"{TREE}browse/")
