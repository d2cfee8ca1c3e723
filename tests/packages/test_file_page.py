"""The page of a file: its tabs, what is inside it, and the properties that people give it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from accounts.roles import Role
from packages import curate
from packages.file_history import history_of
from packages.models import Distribution, Project, Property
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.packages.opened import publish, read_all
from tests.virtuals import make_virtual

WHEEL = "frog-1.0-py3-none-any.whl"
PAGE = f"/acme/local/project/frog/1.0/{WHEEL}/"
EVIL = "user = 'admin\u202e'\n<script>alert(1)</script>\n".encode()
FILES = {
    "frog/evil.py": EVIL,
    "frog/picture.png": b"\x89PNG\r\n\x1a\n\0\0",
    "frog.pth": b"import frog\n",
}


@pytest.fixture
def frog(cast: Cast, time: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A wheel that was read, of which the client said something else."""
    wheel = make_wheel(
        "frog",
        "1.0",
        files=FILES,
        requires_dist=["toad>1"],
        extra_headers=["Summary: Frogs", "X-Pond: deep"],
    )
    publish("frog", "1.0", wheel, by=cast.acme.writer, summary="Toads")
    read_all(time, monkeypatch)
    return Distribution.objects.select_related("release__project", "repository__tenant").get()


@pytest.fixture
def reader(client: Client, cast: Cast, frog: Distribution) -> Client:
    """A reader's browser."""
    client.force_login(cast.acme.reader.user)
    return client


@pytest.fixture
def writer(client: Client, cast: Cast, frog: Distribution) -> Client:
    """A writer's browser."""
    client.force_login(cast.acme.writer.user)
    return client


def words(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def test_it_says_what_the_file_is_and_who_brought_it(reader: Client, frog: Distribution) -> None:
    page = words(reader, PAGE)
    assert frog.sha256 in page
    assert '<code>py3</code> <span class="note">Python 3</span>' in page
    assert '<span class="name">wes</span>' in page
    assert "frog==1.0" in page


def test_strangers_are_told_no_names_of_people(client: Client, frog: Distribution) -> None:
    grant(frog.repository, Role.READER)
    for tab in ("general", "activity"):
        page = words(client, f"{PAGE}?tab={tab}")
        assert "wes" not in page
        assert WHEEL in page


def test_claims_stand_beside_what_the_archive_says(reader: Client) -> None:
    page = BeautifulSoup(reader.get(f"{PAGE}?tab=info").content, "html.parser")
    rows = [
        [cell.get_text() for cell in row.select("th, del, ins")]
        for row in page.select(".claims tr")
    ]
    assert ["pypi.summary", "Toads", "Frogs"] in rows
    fields = {
        field.select("dt")[0].get_text(" ", strip=True): field.select("dd")[0].get_text(strip=True)
        for field in page.select(".fields div")
    }
    assert fields["Requires-Dist"] == "toad>1"
    assert fields["x-pond unknown"] == "deep"


def test_claims_are_compared_before_extraction_too(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    wheel = make_wheel("frog", "1.0", extra_headers=["Summary: Frogs"])
    publish("frog", "1.0", wheel, by=cast.acme.writer, summary="Toads")
    client.force_login(cast.acme.reader.user)
    assert "<del>Toads</del>" in words(client, f"{PAGE}?tab=info")
    assert "waits to be read" in words(client, f"{PAGE}?tab=contents")


def test_the_text_of_a_member_is_escaped_and_hides_nothing(reader: Client) -> None:
    raw = reader.get(f"{PAGE}?tab=contents&member=frog/evil.py").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in raw
    assert "\u202e" not in raw
    assert "⟨U+202E⟩" in raw


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("member=frog/picture.png", "It is no text in UTF-8"),
        ("member=../../etc/passwd", "has nothing at <code>../../etc/passwd</code>"),
        ("in=nowhere/", "has nothing at <code>nowhere/</code>"),
        ("in=frog/", "evil.py"),
        ("member=frog/evil.py&line=99999999999999999999", "alert(1)"),
    ],
)
def test_odd_questions_have_plain_answers(reader: Client, query: str, says: str) -> None:
    assert says in words(reader, f"{PAGE}?tab=contents&{query}")


def test_a_member_of_a_tar_is_read_as_it_passes_by(
    client: Client, cast: Cast, time: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdist = make_sdist("toad", "2.0", files={"setup.py": b"print('hop')\n"})
    publish("toad", "2.0", sdist, by=cast.acme.writer)
    read_all(time, monkeypatch)
    client.force_login(cast.acme.reader.user)
    page = "/acme/local/project/toad/2.0/toad-2.0.tar.gz/?tab=contents&member=toad-2.0/setup.py"
    assert "print('hop')" in words(client, page)


def test_security_tells_of_code_that_runs_by_itself(reader: Client, frog: Distribution) -> None:
    page = words(reader, f"{PAGE}?tab=security")
    assert frog.blob is not None
    assert frog.blob.blake2b_256 in page
    assert "runs code" in page
    assert "Every file in it has the digest and size" in page


def test_raw_metadata_stands_as_in_the_archive(reader: Client) -> None:
    assert "X-Pond: deep" in words(reader, f"{PAGE}?tab=raw")


def test_people_set_edit_and_remove_their_properties(writer: Client, frog: Distribution) -> None:
    writer.post(PAGE, {"do": "set", "name": "qa.approved", "values": "yes\n\nby ada\n"})
    people = Property.objects.filter(distribution=frog, origin=Property.Origin.PERSON)
    assert set(people.values_list("value", flat=True)) == {"yes", "by ada"}
    edit = BeautifulSoup(
        writer.get(f"{PAGE}?tab=properties&edit=qa.approved").content, "html.parser"
    )
    assert edit.select("textarea")[0].get_text().split("\n") == ["yes", "by ada"]
    assert "Changed its properties" in words(writer, f"{PAGE}?tab=activity")
    writer.post(PAGE, {"do": "remove", "name": "qa.approved"})
    assert not people.exists()


def test_a_refused_property_is_told_beside_the_form(writer: Client) -> None:
    answer = writer.post(PAGE, {"do": "set", "name": "pypi.summary", "values": "mine"})
    assert answer.status_code == 400
    page = BeautifulSoup(answer.content, "html.parser")
    assert "is what the archive says of itself" in page.select(".field-error")[0].get_text()
    assert page.select("#property-name")[0]["value"] == "pypi.summary"


def test_who_may_only_read_sees_no_form_and_is_refused(reader: Client, frog: Distribution) -> None:
    assert "property-form" not in words(reader, f"{PAGE}?tab=properties")
    answer = reader.post(PAGE, {"do": "set", "name": "qa.approved", "values": "yes"})
    assert answer.status_code == 403
    assert not Property.objects.filter(name="qa.approved").exists()


def test_a_failed_extraction_is_tried_again_by_who_may(writer: Client, frog: Distribution) -> None:
    failed = Distribution.Extraction.FAILED
    Distribution.objects.update(extraction=failed, extraction_reason="It is cut short.")
    page = words(writer, PAGE)
    assert "It is cut short." in page
    assert "Try again" in page
    writer.post(PAGE, {"do": "again"})
    frog.refresh_from_db()
    assert frog.extraction == Distribution.Extraction.PENDING


def test_a_virtual_shows_what_it_shows_the_reader(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    other = make_repository(cast.acme.tenant, "other")
    open_one = make_virtual(cast.acme, "all", [cast.acme.repository])
    closed = make_virtual(cast.acme, "more", [other])
    for each in (open_one, closed):
        grant(each, Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    page = words(client, PAGE.replace("/local/", "/all/"))
    assert 'from <a href="/acme/local/">acme/local</a>' in page
    said = words(client, PAGE.replace("/local/", "/more/"), status=403)
    assert "frog-1.0" not in said.replace(PAGE.replace("/local/", "/more/"), "")


def test_a_deleted_or_quarantined_file_has_no_page(
    reader: Client, cast: Cast, frog: Distribution
) -> None:
    by = cast.acme.admin.principal
    assert frog.release is not None
    project = frog.release.project
    curate.set_status(project, status=Project.Status.QUARANTINED, reason="worms", by=by)
    for tab in ("general", "contents&member=frog/evil.py"):
        page = words(reader, f"{PAGE}?tab={tab}", status=403)
        assert "quarantined: worms" in page
        assert "alert(1)" not in page
    curate.set_status(project, status=Project.Status.ACTIVE, reason="", by=by)
    curate.delete(frog, by=by)
    assert "was deleted" in words(reader, PAGE, status=404)


@pytest.mark.parametrize("url", [PAGE.replace("/1.0/", "/2.0/"), PAGE.replace("/frog/", "/..x/")])
def test_another_version_or_name_is_another_file(reader: Client, url: str) -> None:
    words(reader, url, status=404)


def test_a_file_without_a_name_has_a_page_and_gets_its_name_there(
    writer: Client, frog: Distribution
) -> None:
    unlisted = Distribution.Extraction.UNLISTED
    Property.objects.all().delete()
    Distribution.objects.update(release=None, extraction=unlisted, path="odd place/frog.zip")
    page = "/acme/local/-/unlisted/odd%20place/frog.zip/"
    assert "It has no name yet" in words(writer, page)
    answer = writer.post(page, {"do": "set", "name": "pypi.name", "values": "frog"})
    assert answer["Location"] == f"{page}?tab=properties"
    assert Property.objects.filter(name="pypi.name", origin="person", value="frog").exists()


def test_history_is_in_words_and_page_by_page(frog: Distribution, cast: Cast) -> None:
    by = cast.acme.writer.principal
    curate.yank(frog, reason="worms", by=by)
    assert frog.release is not None
    curate.yank(frog.release, reason="all of it", by=by)
    told = [(each.words, each.details) for each in history_of(frog)]
    assert told[:2] == [("yanked it", "all of it"), ("yanked it", "worms")]
    assert told[2][0] == "published it"
    assert history_of(frog, before=history_of(frog)[-1].pk) == []


TABS = (
    "general",
    "info",
    "properties",
    "contents",
    "contents&member=frog/evil.py",
    "raw",
    "security",
    "activity",
)


@pytest.mark.parametrize("where", ["local", "all"])
@pytest.mark.parametrize("tab", TABS)
def test_no_tab_asks_the_database_more_than_a_dozen_things(
    writer: Client,
    cast: Cast,
    where: str,
    tab: str,
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    grant(make_virtual(cast.acme, "all", [cast.acme.repository]), Role.READER, cast.acme.writer)
    url = f"{PAGE.replace('local', where)}?tab={tab}"
    words(writer, url)  # a virtual's decision is made once, and held
    with django_assert_max_num_queries(12):
        words(writer, url)
