"""What a tenant admin does in the admin, and where their office ends."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import members, tokens
from accounts.models import Invitation, Membership, ServiceAccount, Team, Tenant, Token, User
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.models import Distribution, Project
from repos import configure
from repos.models import Grant, Kind, Repository, Upstream
from repos.sealed import unseal
from tests.cast import Cast, make_repository, make_user
from tests.dists import make_wheel
from tests.forms import errors_of, fields_of
from tests.portal.test_admin import add, change, fill_in, saved
from tests.uploads import published


@pytest.fixture
def ada(client: Client, cast: Cast) -> Client:
    """The browser of acme's admin."""
    client.force_login(cast.acme.admin.user)
    return client


def invite(browser: Client, name: str, **more: Any) -> Any:
    return fill_in(browser, add("accounts_invitation"), username=name, **more)


def answer(name: str, choice: str) -> Any:
    """Let the user of this name answer their one invitation, from their home page."""
    browser = Client()
    browser.force_login(User.objects.get(username=name))
    (url,) = re.findall(r'action="(/accounts/invitations/\d+/)"', browser.get("/").content.decode())
    return browser.post(url, {"answer": choice})


def test_a_tenant_admin_sets_the_tenant_up(ada: Client, cast: Cast) -> None:
    assert saved(invite(ada, "sam"))
    assert saved(answer("sam", "join"))
    sam = Membership.objects.get(user__username="sam", tenant=cast.acme.tenant)
    assert saved(fill_in(ada, add("accounts_team"), name="crew", members=[sam.pk]))
    crew = Team.objects.get(name="crew")
    assert crew.tenant == cast.acme.tenant
    assert saved(fill_in(ada, add("repos_repository"), key="tools", kind="local"))
    tools = Repository.objects.get(key="tools")
    assert tools.tenant == cast.acme.tenant
    grant = {"repository": tools.pk, "subject": "team", "team": crew.pk, "role": Role.WRITER}
    assert saved(fill_in(ada, add("repos_grant"), **grant))
    assert saved(fill_in(ada, add("accounts_serviceaccount"), name="ci"))
    robot = Membership.objects.get(user__username="acme/ci")
    made = fill_in(ada, add("accounts_token"), membership=robot.pk, name="ci")
    assert re.search(r"lrd_[0-9A-Za-z]{57}", made.content.decode())
    assert saved(fill_in(ada, change("accounts_tenant", cast.acme.tenant), name="Acme Ltd"))
    assert {each.actor for each in AuditEvent.objects.all()[:7]} == {"ada"}
    joined = AuditEvent.objects.get(action="membership.create", subject="sam")
    assert (joined.actor, joined.tenant) == ("sam", "acme")


def test_contents_are_curated(ada: Client, cast: Cast) -> None:
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    file = Distribution.objects.get()
    assert saved(fill_in(ada, change("packages_distribution", file), yanked="on"))
    assert saved(fill_in(ada, change("packages_project", Project.objects.get()), status="archived"))
    delete = reverse("admin:packages_distribution_delete", args=[file.pk])
    assert saved(ada.post(delete, {"post": "yes"}))
    file.refresh_from_db()
    assert (file.yanked, file.deleted_at is None) == (True, False)


# Invitations


def test_an_invitation_looks_alike_for_a_user_and_for_nobody(ada: Client, cast: Cast) -> None:
    seen = []
    for name in ("sam", "nobody"):
        page = fields_of(ada.get(add("accounts_invitation")).content.decode())
        with CaptureQueriesContext(connection) as queries:
            answer = ada.post(add("accounts_invitation"), page | {"username": [name]})
        asked = [query["sql"].partition(" ")[0] for query in queries]
        shown = ada.get(answer.headers["Location"]).content.decode()
        row = re.search(rf"<tr>.*?>{name}<.*?</tr>", shown, re.DOTALL)
        assert row is not None
        said = re.findall(r'<ul class="messagelist">.*?</ul>', shown, re.DOTALL)
        row_text = re.sub(r"<[^>]*>|\s+", " ", row[0])
        texts = [text.replace(name, "X") for text in (*said, row_text)]
        seen.append((answer.status_code, answer.headers["Location"], texts, asked))
        ada.post(reverse("admin:accounts_invitation_changelist"), withdraw_all())
    assert seen[0] == seen[1]
    assert "Invited X to acme" in seen[0][2][0]
    assert not Membership.objects.filter(user__username="sam", tenant=cast.acme.tenant).exists()
    assert not User.objects.filter(username="nobody").exists()
    events = AuditEvent.objects.filter(action="membership.invite").order_by("pk")
    assert [(each.subject, each.after) for each in events] == [
        ("sam", {"kind": "member"}),
        ("nobody", {"kind": "member"}),
    ]


def withdraw_all() -> dict[str, Any]:
    chosen = list(Invitation.objects.values_list("pk", flat=True))
    return {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}


def test_whoever_is_invited_decides_and_a_no_is_not_told(ada: Client, cast: Cast) -> None:
    listed = reverse("admin:accounts_invitation_changelist")
    assert saved(invite(ada, "sam"))
    before = ada.get(f"{listed}?q=sam").content.decode()
    assert saved(answer("sam", "decline"))
    assert rows_in(ada.get(f"{listed}?q=sam").content.decode()) == rows_in(before)
    assert not AuditEvent.objects.filter(tenant="acme", actor="sam").exists()
    browser = Client()
    browser.force_login(cast.stranger.user)
    assert "/accounts/invitations/" not in browser.get("/").content.decode()
    url = reverse("invitation", args=[Invitation.objects.get().pk])
    assert is_gone(browser, url)


def is_gone(browser: Client, url: str) -> bool:
    """Say whether joining by `url` is answered as an invitation that is not there."""
    page = browser.post(url, {"answer": "join"}, follow=True).content.decode()
    return "This invitation is not there any more." in page


def rows_in(page: str) -> list[str]:
    return re.findall(r"<tr>.*?</tr>", page, re.DOTALL)


def test_an_invitation_is_for_its_name_alone(ada: Client, cast: Cast) -> None:
    assert saved(invite(ada, "sam"))
    url = reverse("invitation", args=[Invitation.objects.get().pk])
    browser = Client()
    sent_to = browser.post(url, {"answer": "join"}).headers["Location"]
    assert sent_to.startswith("/accounts/sign-in/")
    browser.force_login(cast.globex.writer.user)
    assert is_gone(browser, url)
    assert is_gone(browser, "/accounts/invitations/999/")
    browser.force_login(cast.stranger.user)
    assert browser.post(url, {"answer": "perhaps"}).status_code == HTTPStatus.BAD_REQUEST
    # A superuser was faster: nothing is left to answer.
    place = Membership(tenant=cast.acme.tenant, user=cast.stranger.user)
    members.save_membership(place, by=SYSTEM)
    assert is_gone(browser, url)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("more", [{}, {"_addanother": "1"}, {"_continue": "1"}, {"_popup": "1"}])
def test_no_button_tells_a_user_from_nobody(ada: Client, cast: Cast, more: dict[str, str]) -> None:
    answers = [invite(ada, name, **more) for name in ("sam", "nobody")]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


@pytest.mark.parametrize("name", ["globex/ci", "GIL", " ", "gil'--", "x" * 202])
@pytest.mark.parametrize("kind", Membership.Kind.values)
def test_a_name_that_nobody_may_have_is_nobodys(
    ada: Client, cast: Cast, name: str, kind: str
) -> None:
    members.service_account(tenant=cast.globex.tenant, name="ci", by=SYSTEM)
    before = Membership.objects.count()
    answer = invite(ada, name, kind=kind)
    assert saved(answer) == (name in {"globex/ci", "GIL"})
    assert Membership.objects.count() == before


def test_a_member_is_not_invited_twice(ada: Client, cast: Cast) -> None:
    answer = invite(ada, "wes")
    assert "member of acme already" in str(errors_of(answer.content.decode()))
    assert 'value="wes"' in answer.content.decode()


def test_a_service_account_comes_back_by_its_name_as_a_plain_member(
    ada: Client, cast: Cast
) -> None:
    robot = members.service_account(tenant=cast.acme.tenant, name="ci", by=SYSTEM)
    members.end_membership(robot.memberships.get(), by=SYSTEM)
    account = ServiceAccount.objects.get(pk=robot.pk)
    assert saved(fill_in(ada, change("accounts_serviceaccount", account), is_active=None))
    assert not robot.memberships.exists(), "saving it again has made it a member again"
    refused = invite(ada, "acme/ci", kind="admin")
    assert "plain member" in str(errors_of(refused.content.decode()))
    assert saved(invite(ada, "acme/ci"))
    assert robot.memberships.get().kind == Membership.Kind.MEMBER


def test_a_superuser_chooses_among_users(client: Client, cast: Cast) -> None:
    client.force_login(cast.superuser.user)
    fields = {"tenant": cast.acme.tenant.pk, "user": cast.stranger.user.pk}
    assert saved(fill_in(client, add("accounts_membership"), **fields))


# Where the office ends


def test_the_tenants_bounds_are_not_the_tenants(ada: Client, cast: Cast) -> None:
    tenant = cast.acme.tenant
    url = change("accounts_tenant", tenant)
    bounds = {"slug": "mine", "quota_bytes": 1, "quota_files": 1, "host_name": "acme.example.org"}
    assert saved(fill_in(ada, url, name="New", **bounds))
    tenant = Tenant.objects.get(pk=tenant.pk)
    assert (tenant.slug, tenant.name) == ("acme", "New")
    assert (tenant.quota_bytes, tenant.quota_files, tenant.host_name) == (None, None, None)
    assert ada.get(add("accounts_tenant")).status_code == HTTPStatus.FORBIDDEN


def test_whose_office_has_ended_is_out_from_the_next_request(ada: Client, cast: Cast) -> None:
    place = cast.acme.admin.token.membership
    assert ada.get("/admin/").status_code == HTTPStatus.OK
    place.kind = Membership.Kind.MEMBER
    members.save_membership(place, by=SYSTEM)
    assert ada.get("/admin/").status_code == HTTPStatus.FOUND
    assert ada.get(change("repos_repository", cast.acme.repository)).status_code == HTTPStatus.FOUND


def test_an_inactive_admin_and_a_service_account_have_no_office(cast: Cast) -> None:
    ada = cast.acme.admin.user
    ada.is_active = False
    robot = members.service_account(tenant=cast.acme.tenant, name="ci", by=SYSTEM)
    # As no use case would have it.
    Membership.objects.filter(user=robot).update(kind=Membership.Kind.ADMIN)
    assert not ada.is_staff
    assert not User.objects.get(pk=robot.pk).is_staff


def test_tokens_are_made_for_oneself_and_for_service_accounts(ada: Client, cast: Cast) -> None:
    robot = members.service_account(tenant=cast.acme.tenant, name="ci", by=SYSTEM)
    own = cast.acme.admin.token.membership
    for owner in (robot.memberships.get(), own):
        made = fill_in(ada, add("accounts_token"), membership=owner.pk, name="new")
        assert tokens.find(re.findall(r"lrd_[0-9A-Za-z]{57}", made.content.decode())[0])
    before = Token.objects.count()
    refused = fill_in(
        ada, add("accounts_token"), membership=cast.acme.writer.token.membership.pk, name="new"
    )
    assert errors_of(refused.content.decode())
    assert Token.objects.count() == before


def test_anothers_token_is_narrowed_but_not_widened(ada: Client, cast: Cast) -> None:
    other = make_repository(cast.acme.tenant, "other")
    soon = "2030-01-01"
    token, _ = configure.create_token(
        membership=cast.acme.writer.token.membership,
        name="wes's",
        by=SYSTEM,
        role=Role.WRITER,
        repositories=[cast.acme.repository],
        project_patterns=("acme-*", "frog"),
    )
    url = change("accounts_token", token)
    for wider in (
        {"role": Role.ADMIN},
        {"all_repositories": "on"},
        {"repositories": [cast.acme.repository.pk, other.pk]},
        {"project_patterns": ""},
        {"project_patterns": "acme-*\nfrog\ntoad"},
    ):
        answer = fill_in(ada, url, **wider)
        assert "not add to it" in str(errors_of(answer.content.decode())), wider
    narrow = {"role": Role.READER, "project_patterns": "frog", "expires_at_0": soon}
    assert saved(fill_in(ada, url, repositories=[], expires_at_1="00:00:00", **narrow))
    answer = fill_in(ada, url, expires_at_0="", expires_at_1="")
    assert "not add to it" in str(errors_of(answer.content.decode()))
    token.refresh_from_db()
    assert (token.role, token.project_patterns) == (Role.READER, ["frog"])
    assert token.expires_at is not None
    ada.post(
        reverse("admin:accounts_token_changelist"),
        {"action": "revoke", "_selected_action": [token.pk]},
    )
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_ones_own_token_may_be_widened(ada: Client, cast: Cast) -> None:
    token, _ = tokens.create(
        membership=cast.acme.admin.token.membership, name="mine", by=SYSTEM, role=Role.READER
    )
    assert saved(fill_in(ada, change("accounts_token", token), role=Role.ADMIN))


def test_an_admin_of_two_tenants_sees_both_and_mixes_nothing(ada: Client, cast: Cast) -> None:
    both = Membership(
        tenant=cast.globex.tenant, user=cast.acme.admin.user, kind=Membership.Kind.ADMIN
    )
    members.save_membership(both, by=SYSTEM)
    page = ada.get("/admin/").content.decode()
    assert "Administration of acme and globex" in page
    listed = ada.get("/admin/repos/repository/").content.decode()
    assert "acme" in listed
    assert "globex" in listed
    acme, globex = cast.acme, cast.globex
    stranger = globex.writer.token.membership.pk
    mixed: list[tuple[str, dict[str, Any]]] = [
        ("repos_grant", {"repository": acme.repository.pk, "membership": stranger}),
        ("accounts_team", {"tenant": acme.tenant.pk, "name": "crew", "members": [stranger]}),
        (
            "accounts_token",
            {
                "membership": acme.admin.token.membership.pk,
                "name": "mixed",
                "all_repositories": None,
                "repositories": [globex.repository.pk],
            },
        ),
    ]
    for model, fields in mixed:
        answer = fill_in(ada, add(model), **fields)
        assert answer.status_code == HTTPStatus.OK
        assert errors_of(answer.content.decode())
    virtual = make_repository(acme.tenant, "virtual", Kind.VIRTUAL)
    fields = {"members-TOTAL_FORMS": 1, "members-0-repository": globex.repository.pk}
    answer = fill_in(ada, change("repos_repository", virtual), **fields)
    assert errors_of(answer.content.decode())
    assert not virtual.members.exists()
    assert not Grant.objects.filter(repository=acme.repository, membership_id=stranger).exists()


def test_a_member_of_a_second_tenant_administers_only_the_first(ada: Client, cast: Cast) -> None:
    plain = Membership(tenant=cast.globex.tenant, user=cast.acme.admin.user)
    members.save_membership(plain, by=SYSTEM)
    listed = ada.get("/admin/repos/repository/").content.decode()
    assert "globex" not in listed


def test_superusers_allow_private_addresses_and_a_moved_upstream_loses_them(
    ada: Client, cast: Cast
) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    upstream = Upstream(repository=remote, index_url="http://devpi.internal/", private_allowed=True)
    configure.save_upstream(upstream, by=SYSTEM)
    url = change("repos_repository", remote)
    assert saved(fill_in(ada, url, **{"upstream-0-suffix": ""}))
    assert Upstream.objects.get().private_allowed
    moved = {"upstream-0-index_url": "http://10.0.0.1/", "upstream-0-private_allowed": "on"}
    assert saved(fill_in(ada, url, **moved))
    assert not Upstream.objects.get().private_allowed


def test_a_proxy_is_a_superusers_business(ada: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    upstream = Upstream(repository=remote, index_url="https://mirror.example.org/")
    configure.save_upstream(upstream, by=SYSTEM)
    sent = {"upstream-0-proxy": "http://10.0.0.1:3128/", "upstream-0-suffix": ""}
    assert saved(fill_in(ada, change("repos_repository", remote), **sent))
    assert (Upstream.objects.get().proxy, Upstream.objects.get().suffix) == ("", "")


# Refusals keep what was typed


def test_an_upstreams_password_does_not_move_to_another_host(ada: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    upstream = Upstream(repository=remote, index_url="https://mirror.example.org/simple")
    configure.save_upstream(upstream, by=SYSTEM, password="hunter2-hunter2")
    url = change("repos_repository", remote)
    for field, elsewhere in (
        ("index_url", "https://evil.example.org/simple"),
        ("index_url", "http://mirror.example.org/simple"),
        ("files_url", "https://evil.example.org/files"),
    ):
        refused = fill_in(ada, url, **{f"upstream-0-{field}": elsewhere})
        text = refused.content.decode()
        assert "another host" in str(errors_of(text))
        assert elsewhere in text
        assert "hunter2" not in text
    assert Upstream.objects.get().index_url == "https://mirror.example.org/simple"
    same_host = {"upstream-0-index_url": "https://mirror.example.org:443/other"}
    assert saved(fill_in(ada, url, **same_host))
    assert unseal(Upstream.objects.get().sealed_password) == "hunter2-hunter2"
    both = {"upstream-0-new_password": "new-password", "upstream-0-clear_password": "on"}
    assert "not both" in str(errors_of(fill_in(ada, url, **both).content.decode()))
    moved = {"upstream-0-index_url": "https://new.example.org/", "upstream-0-clear_password": "on"}
    assert saved(fill_in(ada, url, **moved))
    assert Upstream.objects.get().sealed_password == ""


def test_claims_are_made_and_taken_back(ada: Client, cast: Cast) -> None:
    url = change("repos_repository", cast.acme.repository)
    assert saved(fill_in(ada, url, **{"claims-0-pattern": "acme-*"}))
    assert [claim.pattern for claim in cast.acme.repository.claims.all()] == ["acme-*"]
    wrong = fill_in(ada, url, **{"claims-1-pattern": "Not A Name"})
    assert "normalised" in str(errors_of(wrong.content.decode()))
    assert saved(fill_in(ada, url, **{"claims-0-DELETE": "on"}))
    assert not cast.acme.repository.claims.exists()


def test_a_grant_is_taken_away_and_given_anew_in_one_form(ada: Client, cast: Cast) -> None:
    url = change("repos_repository", cast.acme.repository)
    rows = list(cast.acme.repository.grants.all())
    wes = next(
        number
        for number, row in enumerate(rows)
        if row.membership == cast.acme.writer.token.membership
    )
    new = len(rows)
    sent = {
        f"grants-{wes}-DELETE": "on",
        f"grants-{new}-subject": "user",
        f"grants-{new}-membership": cast.acme.writer.token.membership.pk,
        f"grants-{new}-role": Role.ADMIN,
    }
    assert saved(fill_in(ada, url, **sent))
    given = cast.acme.repository.grants.get(membership=cast.acme.writer.token.membership)
    assert given.role == Role.ADMIN


def test_a_refused_form_keeps_what_was_typed_and_changes_nothing(ada: Client, cast: Cast) -> None:
    url = change("repos_repository", cast.acme.repository)
    new = cast.acme.repository.grants.count()
    sent = {
        "description": "typed with care",
        f"grants-{new}-subject": "user",
        f"grants-{new}-membership": cast.acme.writer.token.membership.pk,
    }
    events = AuditEvent.objects.count()
    text = fill_in(ada, url, **sent).content.decode()
    assert "There is a grant for this subject" in str(errors_of(text))
    assert "typed with care" in text
    cast.acme.repository.refresh_from_db()
    assert cast.acme.repository.description == ""
    assert AuditEvent.objects.count() == events


def test_restoring_what_is_gone_is_a_message(ada: Client, cast: Cast) -> None:
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    file = Distribution.objects.get()
    ada.post(reverse("admin:packages_distribution_delete", args=[file.pk]), {"post": "yes"})
    Distribution.objects.update(blob=None)
    url = reverse("admin:packages_distribution_changelist")
    answer = ada.post(url, {"action": "restore", "_selected_action": [file.pk]}, follow=True)
    assert answer.status_code == HTTPStatus.OK
    assert "its bytes are gone" in answer.content.decode()


def test_history_is_the_audit(ada: Client, cast: Cast) -> None:
    url = reverse("admin:repos_repository_history", args=[cast.acme.repository.pk])
    assert "grant.create" in ada.get(url, follow=True).content.decode()
    place = cast.acme.writer.token.membership
    history = reverse("admin:accounts_membership_history", args=[place.pk])
    assert "membership.create" in ada.get(history, follow=True).content.decode()


def test_a_user_made_beside_a_form_of_ones_own_is_not_offered(ada: Client, cast: Cast) -> None:
    make_user("latecomer")
    for url in (add("repos_grant"), add("accounts_token"), add("accounts_team")):
        text = ada.get(url).content.decode()
        assert "latecomer" not in text
        assert "related-widget-wrapper-link" not in text
