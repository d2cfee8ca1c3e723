"""A page of versions or files goes on where the last entry stood, though it has gone since."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from base import clock
from packages.models import Distribution
from packages.pages import browse
from packages.pages.project import lines, tabs
from tests.cast import Cast
from tests.dists import make_sdist, make_wheel
from tests.uploads import published
from tests.virtuals import put_file

FROG = "/acme/local/project/frog/"
TREE = "/acme/local/browse/frog/?part=tree"
VERSIONS = ("1.0", "1.1rc1", "1.1", "1.10", "2.0.dev1", "2.0")


@pytest.fixture
def frogs(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """A project of six versions, two on a page."""
    for module, name in (
        (tabs, "_RELEASES_AT_ONCE"),
        (lines, "_FILES_AT_ONCE"),
        (browse, "_BRANCHES_AT_ONCE"),
    ):
        monkeypatch.setattr(module, name, 2)
    for version in VERSIONS:
        put_file(cast.acme.repository, "frog", version)
    client.force_login(cast.acme.reader.user)
    return cast


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.reason_phrase
    return unescape(answer.content.decode())


def gone(**which: str) -> None:
    """Take files away, and with them what is only there as long as they are."""
    rows = Distribution.objects.filter(**which)
    assert rows.exists()
    rows.update(deleted_at=clock.now())


def releases(page: str) -> list[str]:
    return re.findall(rf'<a href="{FROG}([^/"]+)/"', page.partition('class="rows')[2])


def branches(page: str) -> list[str]:
    return [
        each
        for each in re.findall(r'<span class="label">([^<]+)</span>', page)
        if each != "More versions"
    ]


def test_older_versions_go_on_behind_one_that_is_gone(client: Client, frogs: Cast) -> None:
    page = text_of(client, f"{FROG}?tab=versions")
    (more,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert releases(page) == ["2.0", "2.0.dev1"]
    assert releases(text_of(client, FROG + more)) == ["1.10", "1.1"]
    gone(release__version="2.0.dev1")
    assert releases(text_of(client, FROG + more)) == ["1.10", "1.1"]
    for spelled in ("2.0.dev1", "v2.0.DEV1", "1.999"):
        url = f"{FROG}?tab=versions&after={spelled}"
        assert releases(text_of(client, url)) == ["1.10", "1.1"]
    for wrong in ("", "x", "%00", "9" * 5000):
        url = f"{FROG}?tab=versions&after={wrong}"
        assert releases(text_of(client, url)) == ["2.0", "1.10"]


def test_versions_in_the_tree_go_on_behind_one_that_is_gone(client: Client, frogs: Cast) -> None:
    page = text_of(client, TREE)
    (more,) = re.findall(r'href="([^"]+after=[^"]+)"', page)
    assert branches(page) == ["2.0", "2.0.dev1"]
    gone(release__version="2.0.dev1")
    assert branches(text_of(client, f"{more}&part=tree")) == ["1.10", "1.1"]
    seen: list[str] = []
    url = TREE
    while url:
        page = text_of(client, url)
        seen += branches(page)
        found = re.findall(r'href="([^"]+after=[^"]+)"', page)
        url = f"{found[0]}&part=tree" if found else ""
    assert seen == ["2.0", "1.10", "1.1", "1.1rc1", "1.0"]
    for wrong in ("x", "%00", "9" * 5000):
        text_of(client, f"{TREE}&after={wrong}")


def test_files_go_on_behind_one_that_is_gone(client: Client, cast: Cast, frogs: Cast) -> None:
    name = "newt"
    for tag in ("cp310", "cp311", "cp312"):
        wheel = make_wheel(name, "1.0", tag=f"{tag}-{tag}-win_amd64")
        published(client, name, "1.0", wheel, by=cast.acme.writer)
    published(client, name, "1.0", make_sdist(name, "1.0"), by=cast.acme.writer)
    url = f"/acme/local/project/{name}/"
    page = text_of(client, f"{url}?tab=files")
    (more,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert shown(page) == ["cp310", "cp311"]
    assert shown(text_of(client, url + more)) == ["cp312", "tar.gz"]
    gone(filename__contains="cp311")
    assert shown(text_of(client, url + more)) == ["cp312", "tar.gz"]
    gone(filename__contains="cp312")
    assert shown(text_of(client, url + more)) == ["tar.gz"]
    assert shown(text_of(client, f"{url}?tab=files&after=source/newt-1.0.tar.gz")) == []


def shown(page: str) -> list[str]:
    """Return the files that the list has, by what tells them apart."""
    rows = page.partition('id="panel"')[2] or page
    return list(dict.fromkeys(re.findall(r">newt-1\.0[-.](cp\d+|tar\.gz)", rows)))
