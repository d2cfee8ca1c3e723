"""What writers and administrators change from a project's page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from base.models import AuditEvent
from packages.models import Distribution, Project, Release
from tests.cast import Cast
from tests.dists import make_wheel
from tests.uploads import published

FROG = "/acme/local/project/frog/"


@pytest.fixture
def frogs(client: Client, cast: Cast) -> Cast:
    """A release with one file."""
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    return cast


def send(client: Client, do: str, url: str = FROG, **fields: str) -> Any:
    return client.post(url, {"do": do} | {f"{do}-{name}": fields[name] for name in fields})


def test_a_writer_yanks_a_release_and_takes_it_back(client: Client, frogs: Cast) -> None:
    client.force_login(frogs.acme.writer.user)
    done = send(client, "yank", what="release", reason="croaks", typed="frog")
    assert done.headers["Location"] == f"{FROG}?tab=manage"
    release = Release.objects.get()
    assert (release.yanked, release.yanked_reason) == (True, "croaks")
    assert "frog 1.0 is yanked." in client.get(FROG).content.decode()
    event = AuditEvent.objects.get(action="contents.yank")
    assert (event.actor, event.subject) == ("wes", "acme/local/frog 1.0")
    send(client, "unyank", f"{FROG}1.0/", what="release")
    assert not Release.objects.get().yanked


def test_a_single_file_is_yanked(client: Client, frogs: Cast) -> None:
    client.force_login(frogs.acme.writer.user)
    row = Distribution.objects.get()
    send(client, "yank", what=row.filename, reason="torn", typed="frog")
    row.refresh_from_db()
    assert (row.yanked, row.yanked_reason) == (True, "torn")
    assert not Release.objects.get().yanked


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"what": "release", "reason": "croaks", "typed": "toad"}, "Type frog here to go on."),
        ({"what": "release", "reason": "", "typed": "frog"}, "This field is required."),
        ({"what": "toad-1.0.whl", "reason": "croaks", "typed": "frog"}, "Select a valid choice."),
    ],
)
def test_a_form_that_is_not_filled_in_well_changes_nothing(
    client: Client, frogs: Cast, fields: dict[str, str], says: str
) -> None:
    client.force_login(frogs.acme.writer.user)
    answer = send(client, "yank", **fields)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert says in answer.content.decode()
    assert not Release.objects.get().yanked


def test_an_administrator_sets_the_status_and_types_the_name_to_quarantine(
    client: Client, frogs: Cast
) -> None:
    client.force_login(frogs.acme.admin.user)
    refused = send(client, "status", status="quarantined", reason="it bites", typed="")
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    send(client, "status", status="quarantined", reason="it bites", typed="frog")
    project = Project.objects.get()
    assert (project.status, project.status_reason) == ("quarantined", "it bites")
    assert "?tab=manage" in client.get(FROG).content.decode()
    send(client, "status", status="active", reason="", typed="")
    assert Project.objects.get().status == "active"


def test_a_reason_is_asked_for(client: Client, frogs: Cast) -> None:
    client.force_login(frogs.acme.admin.user)
    answer = send(client, "status", status="archived", reason=" ")
    assert "Say why: readers and installers are told." in answer.content.decode()


def test_nobody_does_more_than_they_may(client: Client, frogs: Cast) -> None:
    client.force_login(frogs.acme.writer.user)
    assert 'value="status"' not in client.get(f"{FROG}?tab=manage").content.decode()
    refused = send(client, "status", status="archived", reason="done")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    client.force_login(frogs.acme.reader.user)
    assert client.get(f"{FROG}?tab=manage").status_code == HTTPStatus.NOT_FOUND
    refused = send(client, "yank", what="release", reason="x", typed="frog")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert Project.objects.get().status == "active"
    assert not Release.objects.get().yanked


def test_a_form_of_another_site_is_refused(frogs: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(frogs.acme.admin.user)
    refused = send(client, "yank", what="release", reason="x", typed="frog")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert not Release.objects.get().yanked


def test_what_is_done_already_cannot_be_done_again(client: Client, frogs: Cast) -> None:
    client.force_login(frogs.acme.writer.user)
    assert send(client, "unyank", what="release").status_code == HTTPStatus.FOUND
    assert "That cannot be done here now." in client.get(FROG).content.decode()
