"""How extraction looks to people, and the page where they upload a file by hand."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from packages.extraction import extract
from packages.extraction.extract import extract_due
from packages.models import Distribution
from repos import configure
from repos.models import Kind, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_dumb, make_wheel
from tests.forms import fields_of
from tests.packages.extraction.extracting import FakeReader, broken, facts, put

STATE = "/acme/local/-/extraction/"
FILES = "/acme/local/project/frog/?tab=files"
UPLOAD = "/acme/local/-/upload/"


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, time: MovableClock) -> FakeReader:
    """What reads archives in this test."""
    fake = FakeReader()
    monkeypatch.setattr(extract, "Reader", lambda: fake)
    return fake


@pytest.fixture
def writer(client: Client, cast: Cast, reader: FakeReader) -> Client:
    """A writer's browser."""
    client.force_login(cast.acme.writer.user)
    return client


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == HTTPStatus.OK
    return re.sub(r"\s+", " ", response.content.decode())


def send(client: Client, file: tuple[str, bytes], **fields: str) -> Any:
    name, content = file
    return client.post(UPLOAD, {**fields, "content": SimpleUploadedFile(name, content)})


def test_a_repository_says_how_many_files_wait_and_for_how_long(
    writer: Client, cast: Cast, time: MovableClock
) -> None:
    assert "wait" not in text_of(writer, "/acme/local/")
    for number in range(3):
        put(cast.acme.repository, cast.acme.writer.limited, f"1.{number}")
    time.move(seconds=19)
    sentence = "3 files wait; extraction starts in 41 s unless something else is uploaded."
    assert sentence in text_of(writer, "/acme/local/")
    assert sentence in text_of(writer, STATE)
    assert "badge frost" in text_of(writer, FILES)
    time.move(seconds=41)
    assert "3 files wait; extraction starts at any moment." in text_of(writer, "/acme/local/")
    extract_due()
    assert "wait" not in text_of(writer, "/acme/local/")
    assert "0 files wait." in text_of(writer, STATE)
    assert "badge frost" not in text_of(writer, FILES)


def test_a_project_shows_its_readme_and_the_differences(
    writer: Client, cast: Cast, time: MovableClock
) -> None:
    put(cast.acme.repository, cast.acme.writer.limited, summary=["<b>Toads</b>"])
    assert 'title="Its archive is read a minute' in text_of(writer, FILES)
    time.move(seconds=60)
    extract_due()
    page = text_of(writer, "/acme/local/project/frog/")
    assert "<p>Frogs for <em>functional</em> units.</p>" in page
    assert "What the uploading client claimed and what the archive says differ in 1 point." in page
    info = text_of(writer, "/acme/local/project/frog/?tab=info")
    assert "“&lt;b&gt;Toads&lt;/b&gt;” was sent" in info


def test_what_failed_is_listed_with_its_reason_and_can_be_tried_again(
    writer: Client, cast: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = put(cast.acme.repository, cast.acme.writer.limited)
    reader.says[row.filename] = broken("It is <cut> short.")
    for _ in range(3):
        time.move(seconds=60)
        extract_due()
    assert "1 file could not be read, or has no name" in text_of(writer, "/acme/local/")
    for url in (STATE, FILES):
        assert "It is &lt;cut&gt; short." in text_of(writer, url)
    answer = writer.post(STATE, {"do": "again", "file": row.pk}, follow=True)
    assert "is read again after the quiet period" in answer.content.decode()
    row.refresh_from_db()
    assert row.extraction == Distribution.Extraction.PENDING
    again = writer.post(STATE, {"do": "again", "file": row.pk}, follow=True)
    assert "There is nothing to do about this file" in again.content.decode()


def test_only_administrators_are_offered_to_extract_now(
    writer: Client, cast: Cast, time: MovableClock
) -> None:
    put(cast.acme.repository, cast.acme.writer.limited)
    assert "Extract now" not in text_of(writer, STATE)
    assert writer.post(STATE, {"do": "now"}).status_code == HTTPStatus.FORBIDDEN
    assert extract_due() == 0
    writer.force_login(cast.acme.admin.user)
    assert "Extract now" in text_of(writer, STATE)
    assert writer.post(STATE, {"do": "now"}).status_code == HTTPStatus.FOUND
    assert extract_due() == 1


def test_a_reader_sees_what_waits_and_no_list_of_failures(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    put(cast.acme.repository, cast.acme.writer.limited)
    client.force_login(cast.acme.reader.user)
    page = text_of(client, "/acme/local/")
    assert "1 file waits" in page
    assert "/-/extraction/" not in page
    assert "/-/upload/" not in page
    assert client.get(STATE).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("sent", [{}, {"do": "x"}, {"do": "again", "file": "x"}, {"do": "name"},
                                  {"do": "again", "file": "9" * 40}])  # fmt: skip
def test_what_no_button_sends_changes_nothing(writer: Client, sent: dict[str, str]) -> None:
    assert writer.post(STATE, sent).status_code == HTTPStatus.FOUND
    assert "notice spoiled" in text_of(writer, STATE)


def test_a_file_uploaded_by_hand_says_what_happens_next_and_is_listed_then(
    writer: Client, time: MovableClock
) -> None:
    assert set(fields_of(text_of(writer, UPLOAD))) >= {"csrfmiddlewaretoken", "name", "version"}
    answer = send(writer, make_wheel("frog", "1.0"))
    assert answer.status_code == HTTPStatus.OK
    assert "extraction starts in 60 s" in re.sub(r"\s+", " ", answer.content.decode())
    time.move(seconds=60)
    extract_due()
    assert "frog-1.0-py3-none-any.whl" in text_of(writer, "/acme/local/project/frog/")
    again = send(writer, make_wheel("frog", "1.0"))
    assert "It was here already" in again.content.decode()
    assert ">frog 1.0</a>" in again.content.decode()


def test_what_carries_no_metadata_gets_its_name_with_the_file_or_later(
    writer: Client, time: MovableClock, reader: FakeReader
) -> None:
    files = [make_dumb("frog", version) for version in ("1.0", "2.0")]
    for filename, _ in files:
        reader.says[filename] = facts(None)
    send(writer, files[0], name="Frog", version="1.0")
    send(writer, files[1])
    time.move(seconds=60)
    extract_due()
    first, second = Distribution.objects.order_by("pk")
    assert (first.path, second.path) == (f"frog/1.0/{first.filename}", second.filename)
    assert first.extraction == Distribution.Extraction.EXTRACTED
    page = text_of(writer, STATE)
    assert "carries no metadata" in page
    named = {"do": "name", "file": str(second.pk), "name": "frog", "version": "2.0"}
    assert writer.post(STATE, named | {"version": "not one"}).status_code == HTTPStatus.FOUND
    assert "is not a version" in text_of(writer, STATE)
    writer.post(STATE, named)
    time.move(seconds=60)
    extract_due()
    second.refresh_from_db()
    assert second.extraction == Distribution.Extraction.EXTRACTED


def test_a_refused_file_is_refused_with_the_sentence_of_the_terminal(writer: Client) -> None:
    for file, says in (
        (("frog.exe", b"MZ"), "is no archive that Python installs"),
        (("frog 1.0.whl", b"PK"), "holds"),
    ):
        answer = send(writer, file)
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert says in answer.content.decode()
    assert writer.post(UPLOAD, {"name": "frog"}).status_code == HTTPStatus.BAD_REQUEST
    assert not Distribution.objects.exists()


def test_a_form_of_another_site_is_refused_before_its_file_is_read(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.acme.writer.user)
    assert send(strict, make_wheel("frog", "1.0")).status_code == HTTPStatus.FORBIDDEN
    token = fields_of(strict.get(UPLOAD).content.decode())["csrfmiddlewaretoken"][0]
    for wrong in ("", "x" * 64):
        answer = send(strict, make_wheel("frog", "1.0"), csrfmiddlewaretoken=wrong)
        assert answer.status_code == HTTPStatus.FORBIDDEN
    assert not Distribution.objects.exists()
    answer = send(strict, make_wheel("frog", "1.0"), csrfmiddlewaretoken=token)
    assert answer.status_code == HTTPStatus.OK
    foreign = strict.post(
        UPLOAD,
        {"csrfmiddlewaretoken": token, "content": SimpleUploadedFile("a.whl", b"x")},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert foreign.status_code == HTTPStatus.FORBIDDEN


def test_a_token_does_not_post_a_form(cast: Cast) -> None:
    answer = Client(enforce_csrf_checks=True).post(
        UPLOAD, {"content": SimpleUploadedFile("a.whl", b"x")}, headers=cast.acme.writer.headers
    )
    assert answer.status_code == HTTPStatus.FORBIDDEN


def test_uploads_through_a_virtual_go_to_its_local(writer: Client, cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    settings = VirtualSettings(repository=virtual, deployment=cast.acme.repository)
    configure.save_virtual(settings, by=SYSTEM)
    grant(virtual, Role.READER, cast.acme.writer)
    name, content = make_wheel("frog", "1.0")
    url = "/acme/virtual/-/upload/"
    assert writer.get(url).status_code == HTTPStatus.OK
    answer = writer.post(url, {"content": SimpleUploadedFile(name, content)})
    assert answer.status_code == HTTPStatus.OK
    assert Distribution.objects.get().repository == cast.acme.repository
