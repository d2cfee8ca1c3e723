"""Accounts by REST: tokens widened and narrowed, one's own password and invitations, the audit."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import members
from accounts.models import Invitation, Membership, Token
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from repos import configure
from tests.cast import Cast, basic, make_repository
from tests.portal.test_rest import Rest, ada, by_session, by_token, told

__all__ = ["ada"]  # the fixture

EVERYTHING: dict[str, Any] = {
    "role": "admin", "repositories": None, "project_patterns": [], "expires_at": None,
}  # fmt: skip


def a_token(cast: Cast, owner: Membership) -> Token:
    """Return a token that can do little."""
    token, _ = configure.create_token(
        membership=owner,
        name="small",
        by=SYSTEM,
        role=Role.READER,
        repositories=[cast.acme.repository],
        project_patterns=("acme-*",),
        expires_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    return token


def service(cast: Cast) -> Membership:
    account = members.service_account(tenant=cast.acme.tenant, name="ci", by=SYSTEM)
    return Membership.objects.get(user=account)


# Tokens


def test_who_makes_a_token_adds_to_it_where_they_administer(cast: Cast, ada: Rest) -> None:
    token = a_token(cast, service(cast))
    changed = ada("PATCH", f"/tokens/{token.pk}", EVERYTHING | {"name": "CI"}, If_Match="*")
    assert changed.status_code == 200, changed.content
    assert changed.json() | EVERYTHING == changed.json()
    event = AuditEvent.objects.get(action="token.change")
    assert (event.before["role"], event.after["role"]) == ("reader", "admin")
    make_repository(cast.acme.tenant, "other")
    path, both = f"/tokens/{token.pk}", ["acme/local", "acme/other"]
    assert ada("PATCH", path, {"repositories": both[:1]}, If_Match="*").status_code == 200
    wider = ada("PATCH", path, {"repositories": both}, If_Match=ada("GET", path)["ETag"])
    assert wider.json()["repositories"] == both
    for strange in ("globex/local", "acme/absent"):
        refused = ada("PATCH", path, {"repositories": [strange]}, If_Match="*")
        assert f"There is no {strange} that may be chosen" in told(refused, 400)


@pytest.mark.parametrize("limit", EVERYTHING)
def test_others_only_take_from_a_token(cast: Cast, ada: Rest, limit: str) -> None:
    """Its owner who administers nothing, and an administrator who may not make it."""
    token = a_token(cast, cast.acme.writer.token.membership)
    wes = by_session(cast.acme.writer)
    for who in (wes, ada):
        wider = who("PATCH", f"/tokens/{token.pk}", {limit: EVERYTHING[limit]}, If_Match="*")
        assert "only ever narrowed" in told(wider, 400)
    sooner = {"name": "smaller", "expires_at": "2026-12-24T00:00:00Z"}
    narrowed = wes("PATCH", f"/tokens/{token.pk}", sooner, If_Match="*")
    assert (narrowed.status_code, narrowed.json()["name"]) == (200, "smaller")
    root = by_session(cast.superuser)
    assert root("PATCH", f"/tokens/{token.pk}", EVERYTHING, If_Match="*").status_code == 200


def test_where_a_token_works_is_not_a_repository_that_went(cast: Cast, ada: Rest) -> None:
    gone = make_repository(cast.acme.tenant, "gone")
    token = a_token(cast, service(cast))
    configure.limit_token(token, [cast.acme.repository, gone], by=SYSTEM)
    configure.delete_repository(gone, by=SYSTEM)
    path = f"/tokens/{token.pk}"
    held = ada("GET", path).json()["repositories"]
    assert ada("PATCH", path, {"repositories": held}, If_Match="*").status_code == 200
    assert ada("PATCH", path, {"repositories": ["acme/local"]}, If_Match="*").status_code == 200
    refused = ada("PATCH", path, {"repositories": ["acme/gone"]}, If_Match="*")
    assert "There is no acme/gone" in told(refused, 400)


def test_an_administrator_of_another_tenant_does_not_see_a_token(cast: Cast) -> None:
    token = a_token(cast, service(cast))
    gil = by_session(cast.globex.admin)
    told(gil("PATCH", f"/tokens/{token.pk}", EVERYTHING, If_Match="*"), 404)
    told(by_token(cast.acme.admin)("PATCH", f"/tokens/{token.pk}", EVERYTHING, If_Match="*"), 403)


def test_tokens_and_people_are_found_among_others(cast: Cast, ada: Rest) -> None:
    mine = a_token(cast, service(cast))
    found = ada("GET", "/tokens?tenant=acme&owner=acme/ci").json()["results"]
    assert [each["id"] for each in found] == [mine.pk]
    assert ada("GET", "/tokens?tenant=acme&owner=gil").json()["results"] == []
    assert ada("GET", "/tokens?tenant=globex&owner=gil").json()["results"] == []
    root = by_session(cast.superuser)
    root("PATCH", "/users/sam", {"full_name": "Samantha", "is_active": False}, If_Match="*")
    for asked, names in (
        ("contains=mantha", ["sam"]), ("contains=SAM&is_active=false", ["sam"]),
        ("contains=sam&is_active=true", []), ("contains=acme/ci", []),
    ):  # fmt: skip
        people = root("GET", f"/users?{asked}").json()["results"]
        assert [each["username"] for each in people] == names


# Oneself


def test_a_password_is_changed_by_who_knows_it_and_ends_sessions(cast: Cast) -> None:
    wes, old, new = cast.acme.writer.user, "the-old-password", "the-new-password"
    members.save_user(wes, by=SYSTEM, password=old)
    session = by_session(cast.acme.writer)
    mine = Rest(basic("wes", old))
    wrong = mine("PUT", "/me/password", {"old": "not-it", "new": new})
    assert "old: This is not your password" in told(wrong, 400)
    assert "too short" in told(mine("PUT", "/me/password", {"old": old, "new": "x"}), 400)
    assert session("GET", "/me").json()["username"] == "wes"
    assert mine("PUT", "/me/password", {"old": old, "new": new}).status_code == 204
    told(mine("GET", "/me"), 401)
    told(session("GET", "/me"), 401)
    assert Rest(basic("wes", new))("GET", "/me").json()["username"] == "wes"
    event = AuditEvent.objects.filter(action="user.change").latest("pk")
    assert event.actor == "wes"
    assert "password" not in str(event.before).replace("has_password", "")
    told(by_token(cast.acme.writer)("PUT", "/me/password", {"old": new, "new": old}), 403)


def test_guesses_at_the_old_password_are_counted(cast: Cast) -> None:
    session = by_session(cast.acme.writer)
    guess = {"old": "a guess", "new": "the-new-password"}
    heard = [session("PUT", "/me/password", guess).status_code for _ in range(12)]
    assert heard[0] == 400
    assert heard[-1] == 429


def test_an_invitation_is_accepted_or_declined(cast: Cast) -> None:
    for tenant in (cast.acme.tenant, cast.globex.tenant):
        members.invite(Invitation(tenant=tenant, username="sam"), by=SYSTEM)
    sam = by_session(cast.stranger)
    offered = sam("GET", "/me/invitations").json()["results"]
    assert [(each["tenant"], each["kind"]) for each in offered] == [
        ("acme", "member"), ("globex", "member"),
    ]  # fmt: skip
    assert sam("POST", "/me/invitations/acme/join").status_code == 204
    assert sam("GET", "/me").json()["tenants"] == ["acme"]
    assert sam("POST", "/me/invitations/globex/decline").status_code == 204
    assert sam("GET", "/me/invitations").json()["results"] == []
    told(sam("POST", "/me/invitations/acme/join"), 404)
    heard = {told(sam("POST", f"/me/invitations/{name}/join"), 404) for name in ("globex", "ecma")}
    assert heard == {f"You have no invitation to {name}." for name in ("globex", "ecma")}
    told(by_token(cast.acme.writer)("GET", "/me/invitations"), 403)


# The audit


def rows_of(answer: Any) -> list[dict[str, str]]:
    """Return the lines of a CSV by their heads."""
    assert answer.status_code == 200, answer.content
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_audit_is_given_out_as_csv(cast: Cast, ada: Rest) -> None:
    ada("PATCH", "/repositories/acme/local", {"description": "=1+1"}, If_Match="*")
    path = "/tenants/acme/audit?act=repository.change"
    asked = ada("GET", f"{path}&format=csv")
    (row,) = rows_of(asked)
    assert (row["by"], row["act"], row["about"]) == ("ada", "repository.change", "acme/local")
    assert asked["Content-Disposition"] == 'attachment; filename="audit-acme.csv"'
    assert "Accept" in asked["Vary"]
    assert rows_of(ada("GET", path, Accept="text/csv, */*;q=0.1")) == [row]
    for accept in ("*/*", "application/json", "application/json, text/csv;q=0.9", "text/*;q=0"):
        assert ada("GET", path, Accept=accept)["Content-Type"] == "application/json"
    said = ada("GET", f"{path}&format=json", Accept="text/csv")
    assert said["Content-Type"] == "application/json"
    whole = rows_of(ada("GET", "/tenants/acme/audit?format=csv&limit=1"))
    assert len(whole) == AuditEvent.objects.filter(tenant="acme").count() > 1
    told(ada("GET", f"{path}&format=xml"), 400)
    told(ada("GET", "/tenants/acme/audit?format=csv&since=never"), 400)
    told(ada("GET", "/tenants/globex/audit?format=csv"), 403)
    told(by_token(cast.acme.admin)("GET", f"{path}&format=csv"), 403)


def test_what_belongs_to_no_tenant_is_read_by_who_runs_the_installation(
    cast: Cast, ada: Rest
) -> None:
    root = by_session(cast.superuser)
    root("PATCH", "/users/sam", {"full_name": "Sam"}, If_Match="*")
    ada("PATCH", "/repositories/acme/local", {"quiet_period": 7}, If_Match="*")
    events = root("GET", "/audit?by=root").json()["results"]
    assert [(each["action"], each["subject"]) for each in events] == [("user.change", "sam")]
    lines = rows_of(root("GET", "/audit?format=csv"))
    assert "user.change" in {each["act"] for each in lines}
    assert not {each["about"] for each in lines} & {"acme/local"}
    assert "Only who runs this installation" in told(ada("GET", "/audit"), 403)
    assert "Only who runs this installation" in told(ada("GET", "/audit?format=csv"), 403)


@pytest.mark.parametrize("path", ["/audit", "/audit?format=csv", "/me/invitations"])
def test_these_lists_take_few_questions(
    cast: Cast, django_assert_max_num_queries, path: str
) -> None:
    root = by_session(cast.superuser)
    for tenant in (cast.acme.tenant, cast.globex.tenant):
        members.invite(Invitation(tenant=tenant, username="root"), by=SYSTEM)
    for number in range(5):
        assert root("POST", "/users", {"username": f"user{number}"}).status_code == 201
    with django_assert_max_num_queries(12):
        answer = root("GET", path)
        assert answer.status_code == 200
        assert not answer.streaming or b"user4" in b"".join(answer.streaming_content)
