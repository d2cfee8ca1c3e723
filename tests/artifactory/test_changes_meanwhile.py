"""What others do while a script still sends the body of its change is neither lost nor undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import members, throttle
from accounts.models import Membership
from artifactory.bodies import object_of
from base.audit import SYSTEM
from base.models import AuditEvent
from pypi.answer import Ask
from repos import configure
from repos.models import Repository
from tests.artifactory.test_artifactory_repositories import LOCAL, REMOTE
from tests.cast import Cast, basic, make_repository

PATH = "api/repositories"


def once_the_body_is_read(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    def read(ask: Ask) -> dict[str, Any]:
        found = object_of(ask)
        happens()
        return found

    monkeypatch.setattr("artifactory.repositories.object_of", read)


def test_settings_that_the_body_does_not_name_stay(cast: Cast, scripts, monkeypatch) -> None:
    def waits_longer() -> None:
        row = Repository.objects.get(pk=cast.acme.repository.pk)
        row.quiet_period = 7
        configure.change_repository(row, by=SYSTEM)

    once_the_body_is_read(monkeypatch, waits_longer)
    changed = scripts.admin("POST", f"{PATH}/local", {"description": "ours"})
    assert changed.status_code == 200, changed.content
    row = Repository.objects.get(pk=cast.acme.repository.pk)
    assert (row.description, row.quiet_period) == ("ours", 7)


@pytest.mark.parametrize(
    ("method", "key", "body"), [("PUT", "new", LOCAL), ("POST", "local", {"description": "mine"})]
)
def test_who_is_demoted_meanwhile_changes_nothing(
    cast: Cast, scripts, monkeypatch, method: str, key: str, body: Any
) -> None:
    def demoted() -> None:
        place = Membership.objects.get(user=cast.acme.admin.user)
        place.kind = Membership.Kind.MEMBER
        members.save_membership(place, by=SYSTEM)

    once_the_body_is_read(monkeypatch, demoted)
    scripts.admin.refused(method, f"{PATH}/{key}", 403, body)
    assert not AuditEvent.objects.filter(actor="ada").exists()


def test_an_upstream_is_read_where_nobody_else_can_change_it(cast: Cast, scripts) -> None:
    assert scripts.admin("PUT", f"{PATH}/pypi-b", REMOTE).status_code == 201
    with CaptureQueriesContext(connection) as asked:
        changed = scripts.admin("POST", f"{PATH}/pypi-b", {"username": "toad"})
    assert changed.status_code == 200, changed.content
    said = [each["sql"] for each in asked]
    locked = next(at for at, sql in enumerate(said) if "base_accessstamp" in sql)
    read = next(at for at, sql in enumerate(said) if sql.startswith('SELECT "repos_upstream"'))
    assert locked < read


def test_a_repository_that_goes_meanwhile_is_not_changed(cast: Cast, scripts, monkeypatch) -> None:
    gone = make_repository(cast.acme.tenant, "gone")
    once_the_body_is_read(monkeypatch, lambda: configure.delete_repository(gone, by=SYSTEM))
    scripts.admin.refused("POST", f"{PATH}/gone", 404, {"description": "x"})


def test_a_password_is_looked_at_before_others_wait(cast: Cast, scripts, monkeypatch) -> None:
    make_repository(cast.acme.tenant, "gone")
    members.save_user(cast.acme.admin.user, by=SYSTEM, password="a-good-password")
    outside, look, depths = len(connection.atomic_blocks), throttle.require_room_still, set[int]()

    def looked_at(**whose: str) -> None:
        depths.add(len(connection.atomic_blocks))
        look(**whose)

    monkeypatch.setattr(throttle, "require_room_still", looked_at)
    shows = basic("ada", "a-good-password")
    gone = scripts.nobody("DELETE", f"{PATH}/gone", **shows)
    assert gone.status_code == 200, gone.content
    assert depths == {outside}
