"""What goes on between the request for a change and the change: bodies, and rights that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import members, tokens
from accounts.models import Invitation, Login, Membership, Team, Tenant, User
from accounts.roles import Role
from base.audit import SYSTEM
from base.bodies import Body
from base.models import AuditEvent
from base.stamps import configuring
from packages.models import Distribution
from repos import configure
from repos.models import Claim, Grant, Kind
from tests.cast import Cast, make_repository
from tests.portal.test_rest import API, Rest, ada, by_session, by_token, frog, told

__all__ = ["ada", "frog"]  # the fixtures


def operations_with_a_body(schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, method and path of each operation that takes JSON."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield operation["operationId"], method.upper(), path.removeprefix(API)


def test_no_body_is_read_while_others_wait(
    cast: Cast, frog: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    root, take = by_session(cast.superuser), Body.read
    outside, depths = len(connection.atomic_blocks), set[int]()

    def taken(body: Body, **how: float) -> bytes:
        depths.add(len(connection.atomic_blocks))
        return take(body, **how)

    monkeypatch.setattr(Body, "read", taken)
    operations = list(operations_with_a_body(root("GET", "/schema").json()))
    assert len(operations) > 25
    for name, method, path in operations:
        key = "remote" if "/cache/" in path else "local"
        places = {"tenant": "acme", "key": key, "project": "frog", "version": "1.0", "name": "qa"}
        depths.clear()
        root(method, path.format(**places, id=frog.pk, username="sam"), {}, If_Match="*")
        assert depths == {outside}, name


def a_user_is_made(cast: Cast) -> None:
    made = by_session(cast.superuser)("POST", "/users", {"username": "mia"} | PASSWORD)
    assert made.status_code == 201


def a_user_is_made_once(cast: Cast) -> None:
    root = by_session(cast.superuser)
    made = root("POST", "/users", {"username": "mia"} | PASSWORD, Idempotency_Key="once")
    assert made.status_code == 201


def a_user_gets_another_password(cast: Cast) -> None:
    changed = by_session(cast.superuser)("PATCH", "/users/sam", PASSWORD, If_Match="*")
    assert changed.status_code == 200
    assert User.objects.get(username="sam").check_password(PASSWORD["password"])


def somebody_is_saved_with_one(cast: Cast) -> None:
    members.save_user(cast.stranger.user, by=SYSTEM, password=PASSWORD["password"])


def a_command_makes_a_user(_: Cast) -> None:
    call_command("create_user", "mia", "--tenant", "acme", stdout=StringIO(), stderr=StringIO())


def a_command_sets_a_password(_: Cast) -> None:
    call_command("set_password", "sam", stdout=StringIO())


PASSWORD = {"password": "a-password-of-tests"}
Hashing = Callable[[Cast], object]
HASHING: list[Hashing] = [
    a_user_is_made,
    a_user_is_made_once,
    a_user_gets_another_password,
    somebody_is_saved_with_one,
    a_command_makes_a_user,
    a_command_sets_a_password,
]


@pytest.mark.parametrize("hashing", HASHING)
def test_no_password_is_hashed_while_others_wait(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, hashing: Hashing
) -> None:
    outside, depths = len(connection.atomic_blocks), list[int]()
    hasher = type(get_hasher())
    encode = hasher.encode

    def encoded(*given: Any) -> str:
        depths.append(len(connection.atomic_blocks))
        return encode(*given)

    monkeypatch.setattr(hasher, "encode", encoded)
    hashing(cast)
    assert depths == [outside]


# Rights that end meanwhile


def furnished(cast: Cast) -> dict[str, Any]:
    """Give acme one of everything, and return what tells them apart in an address."""
    acme = cast.acme
    wes = Membership.objects.get(user=acme.writer.user)
    for key, kind in (("remote", Kind.REMOTE), ("all", Kind.VIRTUAL)):
        make_repository(acme.tenant, key, kind)
    members.save_team(Team(tenant=acme.tenant, name="data"), by=SYSTEM, members=[wes])
    members.service_account(tenant=acme.tenant, name="ci", by=SYSTEM)
    configure.add_claim(Claim(repository=acme.repository, pattern="acme-*"), by=SYSTEM)
    held = Grant.objects.filter(repository=acme.repository, role=Role.WRITER).first()
    assert held is not None
    return {"grant": held.pk, "wes": wes.pk, "token": acme.writer.token.pk}


@contextmanager
def meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[], object],
    door: str = "accounts.rest.views",
) -> Iterator[None]:
    """Let something happen once a request was let in, and before it has the lock."""

    @contextmanager
    def after_it() -> Iterator[None]:
        happens()
        with configuring():
            yield

    with monkeypatch.context() as patched:
        patched.setattr(f"{door}.configuring", after_it)
        yield


IN = "/repositories/acme"
TOKEN = {
    "tenant": "acme", "owner": "acme/ci", "name": "CI", "role": "admin", "repositories": None,
    "expires_at": None,
}  # fmt: skip
OF_ADMINS: list[tuple[str, str, Any]] = [
    ("PATCH", f"{IN}/local", {"description": "x"}),
    ("DELETE", f"{IN}/remote", None),
    ("POST", f"{IN}/local/grants", {"subject": "anyone", "role": "admin"}),
    ("PATCH", f"{IN}/local/grants/{{grant}}", {"role": "admin"}),
    ("DELETE", f"{IN}/local/grants/{{grant}}", None),
    ("POST", f"{IN}/local/claims", {"pattern": "mine-*"}),
    ("DELETE", f"{IN}/local/claims/acme-*", None),
    ("PATCH", f"{IN}/remote/upstream", {"index_url": "https://index.example/"}),
    ("PUT", f"{IN}/all/members", {"members": [{"repository": "acme/local"}]}),
    ("PATCH", f"{IN}/all/merging", {"merge": "members"}),
    ("POST", f"{IN}/all/also-upstream", {"project": "frog"}),
    ("PATCH", "/tenants/acme", {"name": "x"}),
    ("PATCH", "/tenants/acme/members/{wes}", {"kind": "admin"}),
    ("DELETE", "/tenants/acme/members/{wes}", None),
    ("POST", "/tenants/acme/invitations", {"username": "sam", "kind": "admin"}),
    ("POST", "/tenants/acme/teams", {"name": "mine", "members": ["ada"]}),
    ("PATCH", "/tenants/acme/teams/data", {"members": ["ada"]}),
    ("DELETE", "/tenants/acme/teams/data", None),
    ("POST", "/tenants/acme/service-accounts", {"name": "mine"}),
    ("PATCH", "/tenants/acme/service-accounts/ci", {"is_active": False}),
    ("POST", "/tokens", TOKEN),
    ("DELETE", "/tokens/{token}", None),
]
OF_SUPERUSERS: list[tuple[str, str, Any]] = [
    ("POST", "/tenants", {"slug": "mine", "name": "Mine"}),
    ("POST", "/tenants/acme/members", {"username": "sam", "kind": "admin"}),
    ("POST", "/users", {"username": "mallory", "is_superuser": True}),
    ("PATCH", "/users/sam", {"is_superuser": True}),
]


def changed(user: User, **fields: bool) -> None:
    row = User.objects.get(pk=user.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    members.save_user(row, by=SYSTEM)


def with_another_password(user: User) -> None:
    members.save_user(User.objects.get(pk=user.pk), by=SYSTEM, password="of-somebody-else")


def disabled(user: User) -> None:
    changed(user, is_active=False)


def demoted_from_acme(user: User) -> None:
    place = Membership.objects.get(user=user, tenant__slug="acme")
    place.kind = Membership.Kind.MEMBER
    members.save_membership(place, by=SYSTEM)


@pytest.mark.parametrize(("method", "path", "body"), OF_ADMINS)
def test_an_administrator_who_is_demoted_meanwhile_changes_nothing(
    cast: Cast, ada: Rest, monkeypatch, method: str, path: str, body: Any
) -> None:
    path = path.format(**furnished(cast))
    with meanwhile(monkeypatch, lambda: demoted_from_acme(cast.acme.admin.user)):
        refused = ada(method, path, body, If_Match="*")
    expected = {"/tokens": 400, f"/tokens/{cast.acme.writer.token.pk}": 404}.get(path, 403)
    told(refused, expected)
    assert not AuditEvent.objects.filter(actor="ada").exists()


@pytest.mark.parametrize(("method", "path", "body"), OF_SUPERUSERS)
@pytest.mark.parametrize("loss", [{"is_superuser": False}, {"is_active": False}])
def test_a_superuser_who_is_one_no_longer_changes_nothing(
    cast: Cast, monkeypatch, method: str, path: str, body: Any, loss: dict[str, bool]
) -> None:
    root = by_session(cast.superuser)
    with meanwhile(monkeypatch, lambda: changed(cast.superuser.user, **loss)):
        refused = root(method, path, body, If_Match="*")
    told(refused, 401 if "is_active" in loss else 403)
    assert not AuditEvent.objects.filter(actor=cast.superuser.user.username).exists()


def test_a_token_that_is_revoked_meanwhile_changes_nothing(cast: Cast, monkeypatch) -> None:
    ada = by_token(cast.acme.admin)
    with meanwhile(monkeypatch, lambda: tokens.revoke(cast.acme.admin.token, by=SYSTEM)):
        told(ada("PATCH", f"{IN}/local", {"description": "x"}, If_Match="*"), 401)
    assert not AuditEvent.objects.filter(actor="ada").exists()


def invited(user: User, tenant: Tenant) -> Invitation:
    members.invite(Invitation(tenant=tenant, username=user.username), by=SYSTEM)
    return Invitation.objects.get(username=user.username)


OF_PEOPLE: list[tuple[str, Any]] = [
    ("/me/invitations/acme/join", None),
    ("/me/invitations/acme/decline", None),
    ("/logins", {"name": "laptop"}),
]


@pytest.mark.parametrize(("path", "body"), OF_PEOPLE)
@pytest.mark.parametrize("ending", [disabled, with_another_password])
def test_who_may_not_come_in_any_more_does_nothing_for_themselves(
    cast: Cast, monkeypatch, path: str, body: Any, ending: Callable[[User], None]
) -> None:
    sam = cast.stranger.user
    invited(sam, cast.acme.tenant)
    by_sam = by_session(cast.stranger)
    with meanwhile(monkeypatch, lambda: ending(sam)):
        told(by_sam("POST", path, body), 401)
    assert not AuditEvent.objects.filter(actor="sam").exists()
    assert not Login.objects.exists()
    assert not Membership.objects.filter(user=sam).exists()


@pytest.mark.parametrize("answer", ["join", "decline"])
@pytest.mark.parametrize("ending", [disabled, with_another_password])
def test_who_may_not_come_in_any_more_answers_no_invitation_on_the_page(
    client: Client, cast: Cast, monkeypatch, answer: str, ending: Callable[[User], None]
) -> None:
    sam = cast.stranger.user
    place = reverse("invitation", args=[invited(sam, cast.acme.tenant).pk])
    client.force_login(sam)
    with meanwhile(monkeypatch, lambda: ending(sam), "accounts.views"):
        refused = client.post(place, {"answer": answer})
    assert refused.status_code == 401
    assert not AuditEvent.objects.filter(actor="sam").exists()


@pytest.mark.parametrize("answer", ["join", "decline"])
def test_an_invitation_that_is_taken_back_meanwhile_is_there_no_more(
    client: Client, cast: Cast, monkeypatch, answer: str
) -> None:
    sam = cast.stranger.user

    def again() -> tuple[str, Callable[[], None]]:
        offer = invited(sam, cast.acme.tenant)
        return reverse("invitation", args=[offer.pk]), lambda: members.withdraw(offer, by=SYSTEM)

    place, taken_back = again()
    client.force_login(sam)
    with meanwhile(monkeypatch, taken_back, "accounts.views"):
        page = client.post(place, {"answer": answer}, follow=True).content.decode()
    assert "This invitation is not there any more" in page
    _, taken_back = again()
    by_sam = by_session(cast.stranger)
    with meanwhile(monkeypatch, taken_back):
        told(by_sam("POST", f"/me/invitations/acme/{answer}"), 404)
