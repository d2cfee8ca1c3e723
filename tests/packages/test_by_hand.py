"""Files of people: checked without a trace, then published as a client would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.principal import Principal
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.by_hand import (
    ByHand,
    PropertiesUnreadable,
    check,
    properties_in_lines,
    publish_by_hand,
)
from packages.describe import PropertyRefused
from packages.models import Blob, Distribution, LooseObject, Project, Property
from packages.uploads import FileExists
from repos import configure
from repos.models import Kind, Repository, VirtualSettings
from repos.rules import Rules
from repos.targets import Target
from tests.cast import Cast, grant, make_repository
from tests.dists import make_dumb, make_sdist, make_wheel

CHECK, PUBLISH = "/acme/local/-/upload/check/", "/acme/local/-/upload/publish/"
WHEEL = make_wheel("frog", "1.0")


@pytest.fixture
def shelf(cast: Cast) -> Repository:
    """A local repository with the strict rules."""
    row = cast.acme.repository
    row.rules = Rules.STRICT
    configure.change_repository(row, by=SYSTEM)
    return row


@pytest.fixture
def wes(cast: Cast) -> Principal:
    """A writer."""
    return cast.acme.writer.limited


@pytest.fixture
def writer(client: Client, cast: Cast, shelf: Repository) -> Client:
    """A writer's browser."""
    client.force_login(cast.acme.writer.user)
    return client


def send(client: Client, to: str, file: tuple[str, bytes], **fields: str) -> Any:
    return client.post(to, {**fields, "content": SimpleUploadedFile(*file)})


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()
    return re.sub(r"\s+", " ", answer.content.decode())


def spooled() -> list[Path]:
    folder = Path(settings.SPOOL_FOLDER)
    return list(folder.iterdir()) if folder.exists() else []


def test_a_check_says_what_publishing_would_come_to_and_leaves_nothing_behind(
    writer: Client,
) -> None:
    before = AuditEvent.objects.count()
    said = text(send(writer, CHECK, WHEEL, properties="qa.approved=yes"))
    assert 'data-answer="ready"' in said
    assert "frog 1.0" in said
    assert "wheel" in said
    assert "qa.approved" in said
    for model in (Distribution, Project, Property, Blob, LooseObject):
        assert not model._default_manager.exists()
    assert AuditEvent.objects.count() == before
    assert spooled() == []


def test_what_was_checked_is_published_with_its_properties_and_listed_at_once(
    writer: Client,
) -> None:
    (sha256,) = re.findall(r"[0-9a-f]{64}(?=\")", text(send(writer, CHECK, WHEEL)))
    said = text(send(writer, PUBLISH, WHEEL, sha256=sha256, properties="qa.approved=yes\n"))
    assert 'data-answer="published"' in said
    row = Distribution.objects.get()
    assert (row.sha256, str(row.release)) == (sha256, "frog 1.0")
    assert row.properties.filter(name="qa.approved", value="yes", origin="person").exists()
    assert 'data-answer="there"' in text(send(writer, CHECK, WHEEL))
    assert 'data-answer="there"' in text(send(writer, PUBLISH, WHEEL))
    assert Distribution.objects.count() == 1


def test_what_went_through_a_virtual_is_shown_there(writer: Client, cast: Cast) -> None:
    house = cast.acme
    virtual = make_repository(house.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [house.repository], by=SYSTEM)
    configure.save_virtual(
        VirtualSettings(repository=virtual, deployment=house.repository), by=SYSTEM
    )
    grant(virtual, Role.READER, house.writer)
    said = text(send(writer, "/acme/virtual/-/upload/publish/", WHEEL))
    assert 'href="/acme/virtual/project/frog/"' in said
    assert 'href="/acme/virtual/project/frog/1.0/frog-1.0-py3-none-any.whl' in said
    assert "/acme/local/" not in said


def test_a_name_that_the_archive_spells_otherwise_is_no_false_claim(writer: Client) -> None:
    wheel = make_wheel("frog-fu", "1.0")
    said = text(send(writer, CHECK, wheel))
    assert '<input type="hidden" name="name" value="frog-fu">' in said
    send(writer, PUBLISH, wheel, name="frog-fu")
    assert Property.objects.get(name="pypi.name").value == "frog-fu"


def test_a_file_that_changed_since_its_check_is_refused(writer: Client) -> None:
    answer = send(writer, PUBLISH, WHEEL, sha256="0" * 64)
    assert answer.status_code == 400
    assert "arrived damaged" in answer.content.decode()
    assert not Distribution.objects.exists()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (("frog-2.0-py3-none-any.whl", WHEEL[1]), "which is not the one of version"),
        (("frog-1.0-py3-none-any.whl", b"PK"), "frog-1.0-py3-none-any.whl"),
        (("readme.zip", b"PK"), "does not say of which project and version it is"),
        (("frog-1.0.exe", b"MZ"), "is no archive that Python installs"),
        (
            ("bad.txt", b"so"),
            "&#x27;bad.txt&#x27; is no archive that Python installs: its name must end in",
        ),
    ],
)
def test_a_check_says_no_in_the_words_of_the_terminal(
    writer: Client, file: tuple[str, bytes], says: str
) -> None:
    said = text(send(writer, CHECK, file))
    assert 'data-answer="refused"' in said
    assert says in said
    answer = send(writer, PUBLISH, file)
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert spooled() == []


def test_other_bytes_of_a_name_that_is_taken_are_refused_with_both_hashes(
    shelf: Repository, wes: Principal, writer: Client
) -> None:
    send(writer, PUBLISH, WHEEL)
    other = make_wheel("frog", "1.0", description="another")
    with pytest.raises(FileExists, match="File already exists"):
        check(ByHand(other[0], [other[1]]), repository=shelf, by=wes)
    shelf.overwrite_allowed = True
    configure.change_repository(shelf, by=SYSTEM)
    assert check(ByHand(other[0], [other[1]]), repository=shelf, by=wes).overwrites


def test_what_says_nothing_of_itself_is_named_by_its_file_name_or_by_a_person(
    shelf: Repository, wes: Principal
) -> None:
    shelf.rules = Rules.COMPATIBLE
    configure.change_repository(shelf, by=SYSTEM)
    filename, content = make_dumb("frog", "1.0")
    found = check(ByHand(filename, [content]), repository=shelf, by=wes)
    assert (found.name, found.version, found.kind) == ("frog", "1.0", "dumb")
    assert not found.names_itself
    with pytest.raises(Exception, match="does not name version"):
        check(ByHand(filename, [content], name="toad"), repository=shelf, by=wes)


def test_an_archive_names_itself_before_its_file_name_does(
    shelf: Repository, wes: Principal
) -> None:
    filename, content = make_sdist("Frog", "1.0")
    found = check(ByHand(filename, [content]), repository=shelf, by=wes)
    assert (found.name, found.version, found.kind) == ("Frog", "1.0", "sdist")
    assert found.names_itself


def test_a_file_without_room_or_too_large_is_refused_at_its_check(
    writer: Client, cast: Cast, shelf: Repository
) -> None:
    shelf.max_file_bytes = 100
    configure.change_repository(shelf, by=SYSTEM)
    assert "The file is too large" in text(send(writer, CHECK, WHEEL))
    shelf.max_file_bytes = 10**6
    configure.change_repository(shelf, by=SYSTEM)
    type(cast.acme.tenant).objects.update(quota_bytes=10)
    assert "has no room for" in text(send(writer, CHECK, WHEEL))


@pytest.mark.parametrize("url", [CHECK, PUBLISH])
def test_readers_other_sites_and_tokens_send_nothing(cast: Cast, client: Client, url: str) -> None:
    client.force_login(cast.acme.reader.user)
    assert send(client, url, WHEEL).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.acme.writer.user)
    assert send(strict, url, WHEEL).status_code == 403
    by_token = strict.post(
        url, {"content": SimpleUploadedFile(*WHEEL)}, headers=cast.acme.writer.headers
    )
    assert by_token.status_code == 403
    assert not Distribution.objects.exists()
    assert spooled() == []


def test_properties_are_lines_of_name_and_value() -> None:
    text = "qa.approved = yes\n\n team=red\nteam=a=b\n"
    assert properties_in_lines(text) == {"qa.approved": ["yes"], "team": ["red", "a=b"]}
    assert properties_in_lines("") == {}
    with pytest.raises(PropertiesUnreadable, match="write name=value"):
        properties_in_lines("yes")
    for wrong, says in (("1=2", "no name of a property"), ("pypi.name=toad", "says of itself")):
        with pytest.raises(PropertyRefused, match=says):
            properties_in_lines(wrong)


def test_properties_that_a_file_cannot_be_given_are_refused_before_it_is_published(
    shelf: Repository, wes: Principal
) -> None:
    filename, content = WHEEL
    for name, says in (("pypi.name", "says of itself"), ("1", "no name of a property")):
        given = ByHand(filename, [content], properties={name: ["toad"]})
        with pytest.raises(PropertyRefused, match=says):
            publish_by_hand(given, target=Target(shelf), by=wes)
    assert not Distribution.objects.exists()


def test_the_plain_form_takes_properties_too(writer: Client) -> None:
    answer = send(writer, "/acme/local/-/upload/", WHEEL, properties="qa.approved=yes")
    assert answer.status_code == 200
    assert Distribution.objects.get().properties.filter(name="qa.approved").exists()
    refused = send(writer, "/acme/local/-/upload/", WHEEL, properties="yes")
    assert refused.status_code == 400
    assert "write name=value" in refused.content.decode()
