"""Attestations as clients find them: named on pages, and served beside the file (PEP 740)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from packages import curate
from packages.models import Distribution, Project
from tests.attested import PROVENANCE, upload_attested, verifying
from tests.cast import Cast, grant
from tests.dists import make_wheel
from tests.publishers import make_issuer, trust
from tests.virtuals import make_remote, make_virtual

WHEEL = make_wheel("frog", "1.0")
BESIDE = f"files/frog/{hashlib.sha256(WHEEL[1]).hexdigest()}/{WHEEL[0]}.provenance"
JSON = {"accept": "application/vnd.pypi.simple.v1+json"}


@pytest.fixture
def frog(client: Client, cast: Cast) -> Cast:
    """One attested wheel."""
    trust(cast.acme.repository, make_issuer())
    with verifying():
        upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    return cast


def make_shelf(cast: Cast) -> None:
    """Make a virtual over the local, for its reader."""
    virtual = make_virtual(cast.acme, "shelf", [cast.acme.repository])
    grant(virtual, Role.READER, cast.acme.reader)


def get(client: Client, path: str, cast: Cast, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers=cast.acme.reader.headers | sent)


def provenances(client: Client, path: str, cast: Cast) -> list[str]:
    """Return the addresses on a project's page, the same in JSON and HTML."""
    files = get(client, path, cast, **JSON).json()["files"]
    named = [file["provenance"] for file in files if "provenance" in file]
    html = get(client, path, cast).content.decode()
    assert re.findall(r'data-provenance="([^"]*)"', html) == named
    return named


@pytest.mark.parametrize("root", ["/acme/local/", "/artifactory/api/pypi/local/"])
def test_pages_name_an_absolute_address_and_there_they_are(
    client: Client, frog: Cast, root: str, settings: Any
) -> None:
    settings.DEFAULT_TENANT = "acme"
    (url,) = provenances(client, f"{root}simple/frog/", frog)
    assert url == f"http://testserver{root}{BESIDE}"
    answer = get(client, url, frog)
    assert (answer.status_code, answer.content) == (200, PROVENANCE)
    assert answer["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
    assert get(client, url, frog, if_none_match=answer["ETag"]).status_code == 304
    head = client.head(url, headers=frog.acme.reader.headers)
    assert (head["Content-Length"], head.content) == (str(len(PROVENANCE)), b"")
    packed = get(client, url, frog, accept_encoding="gzip")
    assert packed["Content-Encoding"] == "gzip"


def test_a_page_that_is_kept_names_them_as_soon_as_they_are_there(
    client: Client, frog: Cast
) -> None:
    make_shelf(frog)
    for page in ("/acme/local/simple/frog/", "/acme/shelf/simple/frog/"):
        assert len(provenances(client, page, frog)) == 1
    with verifying():
        upload_attested(client, "2.0", make_wheel("frog", "2.0"), by=frog.acme.writer)
    for page in ("/acme/local/simple/frog/", "/acme/shelf/simple/frog/"):
        one, two = provenances(client, page, frog)
        assert get(client, two, frog).content == get(client, one, frog).content == PROVENANCE


def test_a_file_without_them_names_none_and_has_none(client: Client, frog: Cast) -> None:
    file = make_wheel("frog", "2.0")
    upload_attested(client, "2.0", file, by=frog.acme.writer, sent="")
    assert len(provenances(client, "/acme/local/simple/frog/", frog)) == 1
    answer = get(client, f"/acme/local/files/frog/{file[0]}.provenance", frog)
    assert answer.status_code == 404
    assert "has no attestations" in answer.reason_phrase


def test_upstream_s_are_where_its_page_says(client: Client, frog: Cast) -> None:
    grant(make_remote(frog.acme, "remote"), Role.READER, frog.acme.reader)
    answer = get(client, f"/acme/remote/files/frog/{WHEEL[0]}.provenance", frog)
    assert answer.status_code == 404
    assert "its page names the address" in answer.reason_phrase


def test_they_are_given_out_as_the_file_itself_is(client: Client, frog: Cast) -> None:
    make_shelf(frog)
    admin, row = frog.acme.admin.principal, Distribution.objects.get()
    paths = [f"/acme/local/{BESIDE}", f"/acme/shelf/{BESIDE}"]

    def statuses() -> set[int]:
        return {get(client, path, frog).status_code for path in paths}

    assert statuses() == {200}
    assert {client.get(path).status_code for path in paths} == {401}
    project = Project.objects.get()
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="", by=admin)
    assert statuses() == {403}
    curate.set_status(project, status=Project.Status.ACTIVE, reason="", by=admin)
    assert statuses() == {200}
    curate.delete(row, by=admin)
    assert statuses() == {404}
    curate.restore(row, by=admin)
    assert statuses() == {200}


def test_what_anyone_may_read_stands_in_shared_caches(client: Client, frog: Cast) -> None:
    grant(frog.acme.repository, Role.READER)
    answer = client.get(f"/acme/local/{BESIDE}")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "public, no-cache")
