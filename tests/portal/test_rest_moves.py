"""What is heard of a file that was moved away by promotion, where it was."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.roles import Role
from base.models import AuditEvent
from packages import curate
from packages.models import Distribution
from repos.models import Repository
from tests.cast import Cast, Member, grant, make_repository
from tests.dists import make_wheel
from tests.uploads import published, upload

WHEEL = make_wheel("frog", "1.0")


@pytest.fixture
def production(cast: Cast) -> Repository:
    """Where ada has moved the frog; nobody but admins may read there."""
    made = make_repository(cast.acme.tenant, "production")
    published(Client(), "frog", "1.0", WHEEL, by=cast.acme.writer)
    frog = Distribution.objects.get()
    done = Client().post(
        f"/api/v1/repositories/acme/local/files/{frog.pk}/promote",
        {"to": "acme/production", "move": True},
        content_type="application/json",
        headers=cast.acme.admin.headers,
    )
    assert done.status_code == 201, done.content
    return made


def refusal(by: Member, file: tuple[str, bytes] = WHEEL) -> str:
    """Return why the frog is not taken where it was."""
    answer = upload(Client(), "frog", "1.0", file, by=by)
    assert answer.status_code == 400
    return str(answer.reason_phrase)


def test_who_may_read_there_hears_where_it_went(cast: Cast, production: Repository) -> None:
    grant(production, Role.READER, cast.acme.writer)
    other = make_wheel("frog", "1.0", description="Another frog.")
    for file in (WHEEL, other):
        assert refusal(cast.acme.writer, file) == (
            f"{WHEEL[0]} was moved from acme/local to acme/production and its name cannot be "
            "used again here. Install it from there, or raise the version."
        )
    event = AuditEvent.objects.get(action="contents.delete")
    assert event.after["moved_to"] == "acme/production"


def test_others_hear_that_it_was_deleted(cast: Cast, production: Repository) -> None:
    said = refusal(cast.acme.writer)
    assert "was deleted from acme/local" in said
    assert str(production) not in said


def test_what_was_restored_and_deleted_is_not_moved(cast: Cast, production: Repository) -> None:
    grant(production, Role.READER, cast.acme.writer)
    row = Distribution.objects.get(repository=cast.acme.repository)
    curate.restore(row, by=cast.acme.admin.principal)
    curate.delete(row, by=cast.acme.admin.principal)
    assert "was deleted from acme/local" in refusal(cast.acme.writer)


def test_it_is_said_of_a_path_too(cast: Cast, production: Repository, settings) -> None:
    settings.DEFAULT_TENANT = "acme"
    grant(production, Role.READER, cast.acme.writer)
    row = Distribution.objects.get(repository=cast.acme.repository)
    answer = Client().put(
        f"/artifactory/local/{row.path}", WHEEL[1], headers=cast.acme.writer.headers
    )
    assert answer.status_code == 400
    assert "was moved from acme/local to acme/production" in answer.content.decode()
