"""Every operation of the REST door that changes something leaves its event.

The operations come from the schema. One that is not in the table fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts import logins, members
from accounts.models import Invitation, Login
from base.audit import SYSTEM
from base.models import AuditEvent
from base.wording import ACTS
from packages.models import Distribution
from repos.models import Grant
from tests.dists import make_wheel
from tests.portal.test_audit import (
    CHANGES,
    Scene,
    acme_furnished,
    approved_file,
    cached_file,
    failed_file,
    issuer,
    new_issuer,
    publisher,
    quarantined_upstream,
    scene,
    trust_ci,
    wes,
)
from tests.portal.test_rest import API, Rest, by_session, by_token
from tests.signing import ISSUER

__all__ = ["acme_furnished", "scene"]  # the fixtures

_LOCAL, _VIRTUAL = "/repositories/acme/local", "/repositories/acme/acme-virtual"
_TENANT = "/tenants/acme"
_TOAD_NAME, _TOAD_BYTES = make_wheel("toad", "1.0")


@dataclass(frozen=True)
class Operation:
    """A request that changes something, and the event that it leaves."""

    action: str
    method: str
    path: str | Callable[[Scene], str]
    body: Any = None  # or what makes it of the scene
    prepare: Callable[[Scene], Any] | None = None


def file(below: str = "") -> Callable[[Scene], str]:
    """Return the path of a file of acme's."""
    return lambda scene: f"{_LOCAL}/files/{scene.row(Distribution).pk}{below}"


def cached(below: str) -> Callable[[Scene], str]:
    return lambda scene: f"/repositories/acme/acme-remote/files/{cached_file(scene).pk}{below}"


def one_grant(scene: Scene) -> str:
    return f"{_LOCAL}/grants/{Grant.objects.get(membership=wes(scene)).pk}"


def one_issuer(scene: Scene) -> str:
    return f"/issuers/{issuer(scene).pk}"


def one_token(scene: Scene) -> str:
    return f"/tokens/{scene.cast.acme.writer.token.pk}"


def login_of_root(scene: Scene) -> tuple[Login, str]:
    return logins.create(user=scene.cast.superuser.user, name="laptop", by=SYSTEM)


def own_login(scene: Scene) -> str:
    return f"/logins/{login_of_root(scene)[0].pk}"


def member(scene: Scene) -> str:
    return f"{_TENANT}/members/{wes(scene).pk}"


def invited(scene: Scene) -> None:
    members.invite(Invitation(tenant=scene.cast.acme.tenant, username="root"), by=SYSTEM)


def yanked(scene: Scene) -> None:
    Distribution.objects.filter(pk=scene.row(Distribution).pk).update(yanked=True)


def deleted(scene: Scene) -> None:
    root = by_session(scene.cast.superuser)
    assert root("DELETE", file()(scene)).status_code == 204


_NEW_TOKEN = {
    "tenant": "acme",
    "owner": "wes",
    "name": "n",
    "role": "reader",
    "repositories": None,
    "expires_at": None,
}
OPERATIONS = {
    "create_repository": Operation(
        "repository.create", "POST", "/repositories",
        {"tenant": "acme", "key": "new", "members_read": False}),
    "change_repository": Operation("repository.change", "PATCH", _LOCAL, {"quiet_period": 7}),
    "delete_repository": Operation("repository.delete", "DELETE", _VIRTUAL),
    "change_upstream": Operation(
        "upstream.change", "PATCH", "/repositories/acme/acme-remote/upstream", {"offline": True}),
    "purge_cache": Operation(
        "upstream.purge", "POST", "/repositories/acme/acme-remote/cache/purges",
        {"typed": "acme/acme-remote"}),
    "replace_members": Operation(
        "members.change", "PUT", f"{_VIRTUAL}/members",
        {"members": [{"repository": "acme/local"}, {"repository": "acme/acme-remote"}]}),
    "change_merging": Operation(
        "virtual.change", "PATCH", f"{_VIRTUAL}/merging", {"merge": "first"}),
    "add_claim": Operation("claim.add", "POST", f"{_LOCAL}/claims", {"pattern": "toad"}),
    "remove_claim": Operation("claim.remove", "DELETE", f"{_LOCAL}/claims/acme-*"),
    "mark_also_upstream": Operation(
        "also_upstream.add", "POST", f"{_VIRTUAL}/also-upstream", {"project": "toad"}),
    "unmark_also_upstream": Operation(
        "also_upstream.remove", "DELETE", f"{_VIRTUAL}/also-upstream/acme-mark"),
    "add_grant": Operation(
        "grant.create", "POST", f"{_LOCAL}/grants", {"subject": "members", "role": "reader"}),
    "change_grant": Operation("grant.change", "PATCH", one_grant, {"role": "admin"}),
    "end_grant": Operation("grant.end", "DELETE", one_grant),
    "add_issuer": Operation(
        "issuer.create", "POST", "/issuers", {"kind": "gitlab", "url": "https://new.example"}),
    "change_issuer": Operation(
        "issuer.change", "PATCH", one_issuer, {"is_active": False}, prepare=new_issuer),
    "delete_issuer": Operation("issuer.delete", "DELETE", one_issuer, prepare=new_issuer),
    "add_publisher": Operation(
        "publisher.add", "POST", f"{_LOCAL}/publishers",
        {"project": "Frog", "issuer": ISSUER, "source": "octo/frog", "workflow": "release.yml"},
        prepare=new_issuer),
    "trust_publisher_anew": Operation(
        "publisher.anew", "POST",
        lambda scene: f"{_LOCAL}/publishers/{publisher(scene).pk}/anew", {"source_id": "816"},
        prepare=trust_ci),
    "remove_publisher": Operation(
        "publisher.remove", "DELETE",
        lambda scene: f"{_LOCAL}/publishers/{publisher(scene).pk}", prepare=trust_ci),
    "create_token": Operation("token.create", "POST", "/tokens", _NEW_TOKEN),
    "change_token": Operation("token.change", "PATCH", one_token, {"role": "reader"}),
    "revoke_token": Operation("token.revoke", "DELETE", one_token),
    "create_login": Operation("login.create", "POST", "/logins", {"name": "root on laptop"}),
    "revoke_login": Operation("login.revoke", "DELETE", own_login),
    "log_out": Operation(
        "login.revoke", "POST", "/logout",
        lambda scene: {"refresh_token": login_of_root(scene)[1]}),
    "create_tenant": Operation("tenant.create", "POST", "/tenants", {"slug": "initech"}),
    "change_tenant": Operation("tenant.change", "PATCH", _TENANT, {"quota_files": 77}),
    "add_tenant_member": Operation(
        "membership.create", "POST", f"{_TENANT}/members", {"username": "sam"}),
    "change_tenant_member": Operation("membership.change", "PATCH", member, {"kind": "admin"}),
    "end_tenant_member": Operation("membership.end", "DELETE", member),
    "invite": Operation(
        "membership.invite", "POST", f"{_TENANT}/invitations", {"username": "nobody"}),
    "join_tenant": Operation(
        "membership.create", "POST", "/me/invitations/acme/join", prepare=invited),
    "decline_invitation": Operation(
        "membership.decline", "POST", "/me/invitations/acme/decline", prepare=invited),
    "change_own_password": Operation(
        "user.change", "PUT", "/me/password",
        {"old": "the-old-password", "new": "the-new-password"}),
    "withdraw_invitation": Operation(
        "membership.withdraw", "DELETE", f"{_TENANT}/invitations/acme-guest"),
    "create_team": Operation(
        "team.create", "POST", f"{_TENANT}/teams", {"name": "crew", "members": ["wes"]}),
    "change_team": Operation(
        "team.change", "PATCH", f"{_TENANT}/teams/acme-team", {"members": []}),
    "delete_team": Operation("team.delete", "DELETE", f"{_TENANT}/teams/acme-team"),
    "create_service_account": Operation(
        "user.create", "POST", f"{_TENANT}/service-accounts", {"name": "robot"}),
    "change_service_account": Operation(
        "user.change", "PATCH", f"{_TENANT}/service-accounts/acme-ci", {"is_active": False}),
    "create_user": Operation("user.create", "POST", "/users", {"username": "peter"}),
    "change_user": Operation("user.change", "PATCH", "/users/sam", {"is_active": False}),
    "set_project_status": Operation(
        "contents.status", "PATCH", f"{_LOCAL}/projects/acme-project",
        {"status": "archived", "reason": "done"}),
    "let_name_go": Operation("contents.let_go", "POST", f"{_LOCAL}/projects/acme-project/let-go"),
    "yank_release": Operation(
        "contents.yank", "PATCH", f"{_LOCAL}/projects/acme-project/releases/1.0",
        {"yanked": True, "reason": "croaks"}),
    "yank_file": Operation("contents.yank", "PATCH", file(), {"yanked": True}),
    "delete_file": Operation("contents.delete", "DELETE", file()),
    "restore_file": Operation("contents.restore", "POST", file("/restore"), prepare=deleted),
    "extract_file_again": Operation(
        "contents.try_again", "POST", file("/extract-again"), prepare=failed_file),
    "lift_quarantine": Operation(
        "upstream.lift", "POST", cached("/lift-quarantine"), prepare=quarantined_upstream),
    "set_property": Operation(
        "properties.change", "PUT", file("/properties/qa.approved"), {"values": ["yes"]}),
    "remove_property": Operation(
        "properties.change", "DELETE", file("/properties/qa.approved"), prepare=approved_file),
    "extract_now": Operation("extraction.now", "POST", f"{_LOCAL}/extraction/now"),
}  # fmt: skip
# The same once more, where they leave another event.
AGAIN = {
    "yank_file, taken back": Operation(
        "contents.unyank", "PATCH", file(), {"yanked": False}, prepare=yanked),
    "delete_file, of a remote": Operation(
        "upstream.drop", "DELETE", cached(""), prepare=quarantined_upstream),
}  # fmt: skip
# Tried below: they publish, and are no JSON or leave two events.
OTHERS = {"upload_form", "upload_bytes", "promote_file"}
# An access token is no event: the login says when it was used last.
NOTHING = {"obtain_access", "check_upload", "check_upstream"}
_UNSAFE = ("post", "put", "patch", "delete")


def test_every_operation_that_changes_something_is_in_the_table() -> None:
    paths = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]  # the library's
    there = {
        operation["operationId"]
        for operations in paths.values()
        for method, operation in operations.items()
        if method in _UNSAFE
    }
    assert there == {*OPERATIONS, *OTHERS, *NOTHING}


def test_whatever_the_admin_and_the_pages_change_is_changed_by_rest() -> None:
    there = {change.action for changes in CHANGES.values() for change in changes}
    by_rest = {each.action for each in (*OPERATIONS.values(), *AGAIN.values())}
    # What CI's clients do, and nobody else (pypi.trusted_publishing).
    by_rest |= {"publisher.token", "publisher.burn"}
    # An archive without a name is put at a path by Artifactory's PUT (docs/rest.md).
    assert there - by_rest - {"distribution.publish"} == {"distribution.deploy"}


@pytest.mark.parametrize("name", [*OPERATIONS, *AGAIN])
def test_a_change_by_rest_leaves_its_event(scene: Scene, name: str) -> None:
    operation = (OPERATIONS | AGAIN)[name]
    if operation.prepare is not None:
        operation.prepare(scene)
    path = operation.path if isinstance(operation.path, str) else operation.path(scene)
    body = operation.body(scene) if callable(operation.body) else operation.body
    latest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
    root = by_session(scene.cast.superuser)
    answer = root(operation.method, path, body, If_Match="*")
    assert answer.status_code < 300, answer.content
    event = AuditEvent.objects.get(pk__gt=latest)
    assert (event.action, event.actor) == (operation.action, "root")
    assert event.action in ACTS
    assert event.before or event.after


def test_an_upload_and_a_promotion_by_rest_leave_their_events(scene: Scene) -> None:
    writer: Rest = by_token(scene.cast.acme.writer)
    sent = writer.client.put(
        f"{API}{_LOCAL}/upload/{_TOAD_NAME}",
        _TOAD_BYTES,
        content_type="application/octet-stream",
        headers=writer.headers,
    )
    assert sent.status_code == 201
    root = by_session(scene.cast.superuser)
    assert root("POST", "/repositories", {"tenant": "acme", "key": "prod"}).status_code == 201
    path = f"{_LOCAL}/files/{sent.json()['file']['id']}/promote"
    assert root("POST", path, {"to": "acme/prod"}).status_code == 201
    latest = AuditEvent.objects.filter(subject__endswith=_TOAD_NAME).order_by("pk")
    assert list(latest.values_list("action", "actor", "repository")) == [
        ("distribution.publish", "wes", "acme/local"),
        ("contents.promote", "root", "acme/local"),
        ("distribution.publish", "root", "acme/prod"),
    ]
