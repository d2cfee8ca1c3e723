"""The legacy JSON API, as scripts read it."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from django.test import Client

from accounts.roles import Role
from packages import curate
from packages.models import Release
from tests.cast import Cast, grant
from tests.dists import make_sdist, make_wheel
from tests.uploads import published
from tests.upstreams import Reply, make_remote, serving

_TWICE = b"Metadata-Version: 2.1\nName: frog\nVersion: 1.0\nVersion: 2.0\nSummary: Frogs\n"


@pytest.fixture
def frogs(client: Client, cast: Cast) -> Cast:
    """Three releases, the newest one a pre-release."""
    wes = cast.acme.writer
    wheel = make_wheel(
        "frog", "1.0", requires_python=">=3.9", requires_dist=["toad>=1"],
        extra_headers=["Summary: Frogs", "Project-URL: Docs, https://example.org/docs"],
    )  # fmt: skip
    published(client, "frog", "1.0", wheel, by=wes)
    published(client, "frog", "1.0", make_sdist("frog", "1.0"), by=wes)
    published(client, "frog", "0.9", make_wheel("frog", "0.9"), by=wes)
    published(client, "frog", "2.0rc1", make_wheel("frog", "2.0rc1"), by=wes)
    return cast


def get(client: Client, url: str, cast: Cast):
    return client.get(url, headers=cast.acme.reader.headers)


def test_a_project_shows_its_newest_final_release(client: Client, frogs: Cast) -> None:
    answer = get(client, "/acme/local/pypi/Frog/json", frogs)
    assert answer.headers["Content-Type"] == "application/json"
    page = answer.json()
    assert (page["info"]["name"], page["info"]["version"]) == ("frog", "1.0")
    assert page["info"]["summary"] == "Frogs"
    assert page["info"]["requires_python"] == ">=3.9"
    assert page["info"]["requires_dist"] == ["toad>=1"]
    assert page["info"]["project_urls"] == {"Docs": "https://example.org/docs"}
    assert set(page["releases"]) == {"0.9", "1.0", "2.0rc1"}
    assert [file["packagetype"] for file in page["urls"]] == ["bdist_wheel", "sdist"]
    assert page["vulnerabilities"] == []


@pytest.mark.parametrize("version", ["0.9", "0.9.0", "v0.9"])
def test_a_release_is_found_in_any_spelling(client: Client, frogs: Cast, version: str) -> None:
    page = get(client, f"/acme/local/pypi/frog/{version}/json", frogs).json()
    assert page["info"]["version"] == "0.9"
    assert "releases" not in page
    assert [file["filename"] for file in page["urls"]] == ["frog-0.9-py3-none-any.whl"]


@pytest.mark.parametrize("url", ["/acme/local/pypi/frog/json", "/acme/local/pypi/frog/1.0/json"])
def test_urls_are_absolute_and_lead_to_the_file(client: Client, frogs: Cast, url: str) -> None:
    for file in get(client, url, frogs).json()["urls"]:
        assert file["url"].startswith("http://testserver/acme/local/files/frog/")
        response = get(client, urlsplit(file["url"]).path, frogs)
        assert len(response.getvalue()) == file["size"]


def test_what_cannot_be_read_upstream_is_left_out(client: Client, cast: Cast) -> None:
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        wheel = make_wheel("frog", "1.0")
        server.add_files("frog", wheel, **{"core-metadata": {"sha256": sha256(_TWICE).hexdigest()}})
        server.replies[f"/files/{wheel[0]}.metadata"] = Reply(_TWICE)
        page = get(client, "/acme/remote/pypi/frog/json", cast).json()
    assert (page["info"]["version"], "summary" in page["info"]) == ("1.0", False)


def test_a_yanked_release_is_the_last_choice(client: Client, frogs: Cast) -> None:
    release = Release.objects.get(version="1.0")
    curate.yank(release, reason="croaks", by=frogs.acme.writer.principal)
    page = get(client, "/acme/local/pypi/frog/json", frogs).json()
    assert page["info"]["version"] == "0.9"
    yanked = get(client, "/acme/local/pypi/frog/1.0/json", frogs).json()
    assert (yanked["info"]["yanked"], yanked["info"]["yanked_reason"]) == (True, "croaks")


@pytest.mark.parametrize("rest", ["none/json", "frog/3.0/json", "frog/nonsense/json"])
def test_what_is_not_there_is_404(client: Client, frogs: Cast, rest: str) -> None:
    assert get(client, f"/acme/local/pypi/{rest}", frogs).status_code == HTTPStatus.NOT_FOUND
