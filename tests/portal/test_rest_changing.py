"""What goes on between the request for a change and the change: bodies, and rights that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from accounts import members, tokens
from accounts.models import Membership, Team, User
from accounts.rest import views
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
def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen once a request was let in, and before it has the lock."""

    @contextmanager
    def after_it() -> Iterator[None]:
        happens()
        with configuring():
            yield

    with monkeypatch.context() as patched:
        patched.setattr(views, "configuring", after_it)
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
