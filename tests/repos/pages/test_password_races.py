"""Changing one's own password changes nothing else, whatever goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client

from accounts import authentication, members
from accounts.models import User
from base.audit import SYSTEM
from base.models import AuditEvent
from tests.cast import Cast, basic
from tests.portal.test_rest import Rest

OLD, NEW = "the-old-password", "the-new-password"


def by_rest(_client: Client, user: User) -> Any:
    return Rest(basic(user.username, OLD))("PUT", "/me/password", {"old": OLD, "new": NEW})


def by_page(client: Client, user: User) -> Any:
    client.force_login(user)
    fields = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    return client.post("/accounts/password/", fields)


Way = Callable[[Client, User], Any]


@pytest.fixture
def superuser(cast: Cast) -> User:
    """Who runs the installation, with a password."""
    members.save_user(cast.superuser.user, by=SYSTEM, password=OLD)
    return User.objects.get(pk=cast.superuser.user.pk)


@pytest.fixture(params=[by_rest, by_page])
def change(request: pytest.FixtureRequest, client: Client, superuser: User) -> Callable[[], Any]:
    """A change of the superuser's password, in each way."""
    way: Way = request.param
    return lambda: way(client, superuser)


def once_the_old_one_is_shown(
    monkeypatch: pytest.MonkeyPatch, user: User, fields: Mapping[str, bool], password: str | None
) -> None:
    """Let somebody else change the user, as soon as the old password was looked at."""
    look = authentication.by_password

    def looked_at(*who: str, **how: str) -> User:
        found = look(*who, **how)
        row = User.objects.get(pk=user.pk)
        for name, value in fields.items():
            setattr(row, name, value)
        members.save_user(row, by=SYSTEM, password=password)
        return found

    for door in ("accounts.views", "repos.api.account"):
        monkeypatch.setattr(f"{door}.by_password", looked_at)


def test_who_is_demoted_meanwhile_stays_demoted(monkeypatch, superuser: User, change) -> None:
    once_the_old_one_is_shown(monkeypatch, superuser, {"is_superuser": False}, None)
    assert change().status_code in {204, 302}
    row = User.objects.get(pk=superuser.pk)
    assert (row.is_superuser, row.check_password(NEW)) == (False, True)
    event = AuditEvent.objects.filter(actor=superuser.username).latest("pk")
    assert event.action == "user.change"
    assert (event.before["is_superuser"], event.after["is_superuser"]) == (False, False)
    assert event.after["password_is_new"]


@pytest.mark.parametrize(
    ("fields", "password"), [({"is_active": False}, None), ({}, "of-another-one")]
)
def test_who_is_disabled_or_given_another_password_meanwhile_sets_none(
    monkeypatch, superuser: User, change, fields: dict[str, bool], password: str | None
) -> None:
    once_the_old_one_is_shown(monkeypatch, superuser, fields, password)
    assert change().status_code == 409
    row = User.objects.get(pk=superuser.pk)
    assert row.is_active == (not fields)
    assert row.check_password(password or OLD)
    assert not AuditEvent.objects.filter(actor=superuser.username).exists()
