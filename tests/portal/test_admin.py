"""The Django admin, form by form, as an administrator fills it in."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import members, throttle, tokens
from accounts.models import Membership, ServiceAccount, Team, Tenant, Token, User
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from packages.models import CachePurge, Distribution, Project, Release
from repos import configure
from repos.models import Grant, Kind, Member, Repository, Upstream, VirtualSettings
from repos.sealed import unseal
from tests.cast import Cast, make_repository
from tests.dists import make_wheel
from tests.forms import errors_of, fields_of
from tests.uploads import published, upload
from tests.upstreams import serving


@pytest.fixture
def root(client: Client, cast: Cast) -> Client:
    """The superuser's browser."""
    client.force_login(cast.superuser.user)
    return client


def fill_in(browser: Client, url: str, /, **changed: Any) -> Any:
    """Open a form, change some fields, and send it."""
    page = browser.get(url)
    assert page.status_code == HTTPStatus.OK
    fields = fields_of(page.content.decode())
    fields.pop("_popup", None)
    for name, value in changed.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value if isinstance(value, list) else [str(value)]
    return browser.post(url, fields)


def saved(answer: Any) -> bool:
    """Say whether the form was taken; an untaken one comes back with its errors."""
    if answer.status_code == HTTPStatus.OK:
        print(errors_of(answer.content.decode()))  # noqa: T201 - shown when the test fails
    return bool(answer.status_code == HTTPStatus.FOUND)


def add(model: str) -> str:
    return reverse(f"admin:{model}_add")


def change(model: str, row: Any) -> str:
    return reverse(f"admin:{model}_change", args=[row.pk])


def test_every_page_of_the_admin_opens(root: Client, cast: Cast) -> None:
    published(root, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    assert root.get("/admin/").status_code == HTTPStatus.OK
    for model, options in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        assert root.get(reverse(f"admin:{name}_changelist") + "?q=a").status_code == 200, name
        if options.has_add_permission(type("R", (), {"user": cast.superuser.user})()):
            assert root.get(add(name)).status_code == HTTPStatus.OK, name
        for row in model._default_manager.all()[:1]:
            assert root.get(change(name, row)).status_code == HTTPStatus.OK, name


def test_members_and_strangers_do_not_enter(client: Client, cast: Cast) -> None:
    for who in (cast.acme.writer, cast.acme.member, cast.stranger):
        client.force_login(who.user)
        for url in ("/admin/", "/admin/repos/repository/", "/admin/repos/repository/add/"):
            response = client.get(url)
            assert response.status_code == HTTPStatus.FOUND
            assert "login" in response.headers["Location"]


def test_a_tenant_its_people_and_a_repository(root: Client) -> None:
    assert saved(fill_in(root, add("accounts_tenant"), slug="initech", name="Initech"))
    tenant = Tenant.objects.get(slug="initech")
    assert saved(
        fill_in(root, add("accounts_user"), username="peter", new_password="tps-reports-again")
    )
    peter = User.objects.get(username="peter")
    told = root.get("/admin/").content.decode()
    member = (
        f'<a href="{add("accounts_membership")}?user={peter.pk}">Make peter a member of one</a>'
    )
    assert f"peter belongs to no tenant yet. {member}" in told
    assert peter.check_password("tps-reports-again")
    assert saved(fill_in(root, add("accounts_membership"), tenant=tenant.pk, user=peter.pk))
    place = Membership.objects.get(user=peter)
    assert saved(
        fill_in(root, add("accounts_team"), tenant=tenant.pk, name="data", members=[place.pk])
    )
    assert list(Team.objects.get().members.all()) == [place]
    assert saved(
        fill_in(root, add("repos_repository"), tenant=tenant.pk, key="tools", kind="local")
    )
    repository = Repository.objects.get(key="tools")
    assert repository.grants.get().subject == Grant.Subject.MEMBERS
    assert saved(
        fill_in(
            root,
            add("repos_grant"),
            repository=repository.pk,
            subject="user",
            membership=place.pk,
            role=Role.WRITER,
        )
    )
    made = fill_in(root, add("accounts_token"), membership=place.pk, name="laptop")
    assert made.status_code == HTTPStatus.OK
    secret = re.findall(r"lrd_[0-9A-Za-z]{57}", made.content.decode())[0]
    token = tokens.find(secret)
    assert token is not None
    assert token.membership == place
    actions = set(AuditEvent.objects.filter(actor="root").values_list("action", flat=True))
    assert actions >= {
        "tenant.create", "user.create", "membership.create", "team.create", "repository.create",
        "grant.create", "token.create",
    }  # fmt: skip


def test_a_tokens_secret_is_in_that_one_answer_alone(root: Client, cast: Cast) -> None:
    place = cast.acme.writer.token.membership
    made = fill_in(root, add("accounts_token"), membership=place.pk, name="new")
    secret = re.findall(r"lrd_[0-9A-Za-z]{57}", made.content.decode())[0]
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in str(made.cookies)
    assert secret not in str(dict(root.session.items()))
    token = Token.objects.get(name="new")
    assert secret not in root.get(change("accounts_token", token)).content.decode()


def test_reloading_the_page_with_the_secret_makes_no_second_token(root: Client, cast: Cast) -> None:
    fields = fields_of(root.get(add("accounts_token")).content.decode())
    fields |= {"membership": [str(cast.acme.writer.token.membership.pk)], "name": ["once"]}
    assert root.post(add("accounts_token"), fields).status_code == HTTPStatus.OK
    again = root.post(add("accounts_token"), fields)
    assert again.headers["Location"] == reverse("admin:accounts_token_changelist")
    assert Token.objects.filter(name="once").count() == 1
    assert AuditEvent.objects.filter(action="token.change").count() == 0


def test_projects_of_a_token_are_written_on_lines(root: Client, cast: Cast) -> None:
    url = change("accounts_token", cast.acme.writer.token)
    assert saved(fill_in(root, url, project_patterns="Acme_*\n frog"))
    token = Token.objects.get(pk=cast.acme.writer.token.pk)
    assert token.project_patterns == ["acme-*", "frog"]
    assert "acme-*\nfrog" in root.get(url).content.decode()


def test_a_token_is_limited_and_revoked(root: Client, cast: Cast) -> None:
    token = cast.acme.writer.token
    other = make_repository(cast.acme.tenant, "other")
    url = change("accounts_token", token)
    limits = {"role": Role.READER, "all_repositories": None, "repositories": [other.pk]}
    assert saved(fill_in(root, url, **limits))
    token.refresh_from_db()
    assert (token.role, token.all_repositories) == (Role.READER, False)
    configure.delete_repository(other, by=SYSTEM)
    assert saved(fill_in(root, url, name="renamed"))
    token.refresh_from_db()
    assert (token.name, token.all_repositories) == ("renamed", False)
    assert not saved(fill_in(root, url, repositories=[cast.globex.repository.pk]))
    root.post(
        reverse("admin:accounts_token_changelist"),
        {"action": "revoke", "_selected_action": [token.pk]},
    )
    assert tokens.find(cast.acme.writer.secret) is None


def test_a_repository_leads_to_its_page_in_the_portal(root: Client, cast: Cast) -> None:
    page = root.get(change("repos_repository", cast.acme.repository)).content.decode()
    assert '<a href="/acme/local/" class="viewsitelink">Open in the portal</a>' in page


def test_a_repository_can_be_closed_to_members(root: Client, cast: Cast) -> None:
    tenant = cast.acme.tenant.pk
    url = add("repos_repository")
    assert saved(fill_in(root, url, tenant=tenant, key="closed", kind="local", members_read=None))
    assert not Repository.objects.get(key="closed").grants.exists()


@pytest.mark.parametrize(("kind", "field"), [("remote", "index_url"), ("virtual", "members-0")])
def test_a_new_remote_or_virtual_goes_on_to_what_it_lacks(
    root: Client, cast: Cast, kind: str, field: str
) -> None:
    tenant = cast.acme.tenant.pk
    added = fill_in(root, add("repos_repository"), tenant=tenant, key="new", kind=kind)
    assert saved(added)
    assert field in root.get(added.headers["Location"]).content.decode()


def test_a_remote_gets_its_upstream_and_never_shows_the_password(root: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    url = change("repos_repository", remote)
    sent = {
        "upstream-0-index_url": "https://mirror.example.org/simple",
        "upstream-0-username": "ann",
        "upstream-0-new_password": "hunter2-hunter2",
    }
    assert saved(fill_in(root, url, **sent))
    assert unseal(Upstream.objects.get().sealed_password) == "hunter2-hunter2"
    page = root.get(url).content.decode()
    assert "hunter2" not in page
    assert Upstream.objects.get().sealed_password not in page
    assert saved(fill_in(root, url, **{"upstream-0-suffix": "+simple"}))
    kept = Upstream.objects.get()
    assert (kept.suffix, unseal(kept.sealed_password)) == ("+simple", "hunter2-hunter2")


def test_an_upstream_gets_its_lists_line_by_line(root: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    url = change("repos_repository", remote)
    sent = {
        "upstream-0-index_url": "https://mirror.example.org/",
        "upstream-0-scopes": "root/pypi\r\n\r\n ann/* \r\n",
        "upstream-0-include": "acme-*",
        "upstream-0-names_are_kept": "true",
        "upstream-0-fresh_seconds": "60",
    }
    assert saved(fill_in(root, url, **sent))
    made = Upstream.objects.get()
    assert (made.scopes, made.include, made.exclude) == (["root/pypi", "ann/*"], ["acme-*"], [])
    assert (made.names_are_kept, made.fresh_seconds, made.offline) == (True, 60, False)
    AuditEvent.objects.all().delete()
    assert saved(fill_in(root, url))
    assert not AuditEvent.objects.exists(), "saved as it stood"
    wrong = fill_in(root, url, **{"upstream-0-scopes": "root/../pypi", "upstream-0-exclude": "A_b"})
    assert len(errors_of(wrong.content.decode())) >= 2
    assert "root/../pypi" in wrong.content.decode()


def test_the_connection_of_a_remote_is_tried_out(root: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    url = change("packages_remote", remote)

    def said() -> str:
        answer = root.post(url, fields_of(root.get(url).content.decode()) | {"_test": ["1"]})
        assert saved(answer)
        page = root.get(url).content.decode()
        return str(BeautifulSoup(page, "html.parser").select(".messagelist li"))

    assert "has no index URL yet." in said()
    upstream = Upstream(repository=remote, index_url="http://127.0.0.1:1/simple/")
    configure.save_upstream(upstream, by=SYSTEM)
    assert "which is not public" in said()
    upstream.private_allowed = True
    configure.save_upstream(upstream, by=SYSTEM)
    assert "cannot be connected to." in said()
    with serving() as index:
        upstream.index_url = index.url
        configure.save_upstream(upstream, by=SYSTEM)
        assert "there is no index" in said()
        index.add_html("/simple/", '<h1>Simple index</h1><a href="frog/">frog</a>')
        answer = said()
        assert "answers as an index, with 404 for a project that nobody has." in answer
        assert "No file was asked for" in answer
    settings_page = root.get(change("repos_repository", remote)).content.decode()
    assert f'href="{url}#test"' in settings_page
    assert 'id="test"' in root.get(url).content.decode()


def test_what_a_remote_keeps_is_purged_by_who_types_its_name(root: Client, cast: Cast) -> None:
    remotes = [make_repository(cast.acme.tenant, key, Kind.REMOTE) for key in ("one", "two")]
    url = change("packages_remote", remotes[0])
    refused = fill_in(root, url, unused_days=30, typed="one")
    assert "type acme/one to say that you mean it" in str(errors_of(refused.content.decode()))
    assert saved(fill_in(root, url, unused_days=30, typed="acme/one"))
    assert CachePurge.objects.get().unused_days == 30
    page = root.get(url).content.decode()
    assert '<a href="/acme/one/-/cache/">0 of 0 files</a>' in page
    other = fill_in(root, url, typed="acme/one")
    assert "is being purged already, of other files" in str(errors_of(other.content.decode()))
    CachePurge.objects.update(ended_at=clock.now())
    listed = reverse("admin:packages_remote_changelist")
    sent = {"action": "purge", "_selected_action": [str(each.pk) for each in remotes]}
    asked = root.post(listed, sent).content.decode()
    names = {
        label.code.string
        for label in BeautifulSoup(asked, "html.parser").select("form label")
        if label.code
    }
    assert names == {"acme/one", "acme/two"}
    typed = {f"typed-{remotes[0].pk}": "acme/one", f"typed-{remotes[1].pk}": "acme/one"}
    said = root.post(listed, sent | {"post": "yes"} | typed, follow=True).content.decode()
    assert "Purging 1 remote." in said
    assert "cme/two: Nothing was purged: type acme/two" in said
    assert CachePurge.objects.filter(ended_at=None).get().repository == remotes[0]


def test_a_virtual_gets_its_rules(root: Client, cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    for member in (cast.acme.repository, remote):
        Member.objects.create(virtual=virtual, repository=member)
    url = change("repos_repository", virtual)
    offered = BeautifulSoup(root.get(url).content, "html.parser").select(
        "select[name=virtual_settings-0-deployment] option"
    )
    assert [option.get_text() for option in offered if option["value"]] == ["acme/local"]
    sent = {
        "virtual_settings-0-merge": "first",
        "virtual_settings-0-deployment": cast.acme.repository.pk,
        "also_upstream-0-normalized": "frog",
    }
    assert saved(fill_in(root, url, **sent))
    settings = VirtualSettings.objects.get()
    assert (settings.merge, settings.deployment) == ("first", cast.acme.repository)
    assert [mark.normalized for mark in virtual.also_upstream.all()] == ["frog"]
    assert saved(fill_in(root, url, **{"also_upstream-0-DELETE": "on"}))
    assert not virtual.also_upstream.exists()


def test_a_virtual_gets_its_members_in_order(root: Client, cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    other = make_repository(cast.acme.tenant, "other")
    url = change("repos_repository", virtual)

    def members(*rows: tuple[int, Repository]) -> dict[str, object]:
        sent: dict[str, object] = {"members-TOTAL_FORMS": len(rows), "members-INITIAL_FORMS": 0}
        for number, (position, row) in enumerate(rows):
            sent[f"members-{number}-position"] = position
            sent[f"members-{number}-repository"] = row.pk
        return sent

    assert saved(fill_in(root, url, **members((2, cast.acme.repository), (1, other))))
    shown = Member.objects.filter(virtual=virtual).order_by("position")
    assert [place.repository for place in shown] == [other, cast.acme.repository]
    offered = re.findall(
        r'name="members-\d+-position" value="(\d+)"', root.get(url).content.decode()
    )
    assert offered == ["0", "1", "2"]  # a new one comes last
    for stranger in (cast.globex.repository, virtual):
        assert not saved(fill_in(root, url, **members((1, stranger))))
    assert Member.objects.filter(virtual=virtual).count() == 2


def test_grants_beside_a_repository(root: Client, cast: Cast) -> None:
    url = change("repos_repository", cast.acme.repository)
    count = cast.acme.repository.grants.count()
    sent = {f"grants-{count}-subject": "anyone", f"grants-{count}-role": Role.READER}
    assert saved(fill_in(root, url, **sent))
    given = Grant.objects.get(subject="anyone")
    number = list(cast.acme.repository.grants.all()).index(given)
    assert saved(fill_in(root, url, **{f"grants-{number}-DELETE": "on"}))
    assert not Grant.objects.filter(subject="anyone").exists()
    sent = {f"grants-{count}-subject": "anyone", f"grants-{count}-role": Role.WRITER}
    assert not saved(fill_in(root, url, **sent))


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("accounts_tenant", {"slug": "Not A Slug"}),
        ("accounts_tenant", {"slug": "admin"}),
        ("accounts_tenant", {"slug": "acme"}),
        ("accounts_user", {"username": "wes"}),
        ("accounts_user", {"username": "a/b"}),
        ("accounts_user", {"username": "new", "new_password": "short"}),
        ("accounts_user", {"username": "new", "new_password": "password123"}),
        ("repos_repository", {"key": "local"}),
        ("repos_repository", {"key": "UPPER"}),
        ("repos_grant", {"subject": "user"}),
        ("repos_grant", {"repository": ""}),
        ("accounts_team", {"name": "data"}),
        ("accounts_membership", {}),
        ("accounts_serviceaccount", {"name": "Bad Name"}),
        ("repos_grant", {"subject": "members", "role": 9}),
        ("accounts_token", {"name": ""}),
        ("accounts_token", {"name": "x", "project_patterns": "acme-[a"}),
    ],
)
def test_what_is_wrong_comes_back_with_the_form(
    root: Client, cast: Cast, model: str, sent: dict[str, object]
) -> None:
    known: dict[str, dict[str, object]] = {
        "repos_repository": {"tenant": cast.acme.tenant.pk, "kind": "local"},
        "repos_grant": {"repository": cast.acme.repository.pk, "role": 1},
        "accounts_token": {"membership": cast.acme.writer.token.membership.pk},
    }
    answer = fill_in(root, add(model), **known.get(model, {}) | sent)
    assert answer.status_code == HTTPStatus.OK
    assert "errorlist" in answer.content.decode()


def test_service_accounts_have_a_list_of_their_own(root: Client, cast: Cast) -> None:
    url = add("accounts_serviceaccount")
    assert saved(fill_in(root, url, service_of=cast.acme.tenant.pk, name="ci"))
    account = ServiceAccount.objects.get()
    assert account.username == "acme/ci"
    assert Membership.objects.get(user=account).tenant == cast.acme.tenant
    assert not saved(fill_in(root, url, service_of=cast.acme.tenant.pk, name="ci"))
    assert saved(fill_in(root, change("accounts_serviceaccount", account), is_active=None))
    account.refresh_from_db()
    assert not account.is_active
    people = reverse("admin:accounts_user_changelist")
    root.get(people)  # shows the messages of what was done so far
    assert "acme/ci" not in root.get(people).content.decode()


def test_a_changed_password_ends_what_the_old_one_opened(root: Client, cast: Cast) -> None:
    user = cast.acme.writer.user
    url = change("accounts_user", user)
    assert saved(fill_in(root, url, new_password="first-password-1"))
    browser = Client()
    browser.login(username="wes", password="first-password-1")
    assert browser.get("/acme/local/").status_code == HTTPStatus.OK
    assert saved(fill_in(root, url, new_password="second-password-2"))
    assert browser.get("/acme/local/").status_code == HTTPStatus.UNAUTHORIZED
    assert browser.get("/acme/local/").status_code == HTTPStatus.FOUND


def test_administrators_change_their_own_password_and_stay_signed_in(
    client: Client, cast: Cast
) -> None:
    ada = cast.acme.admin.user
    members.save_user(ada, by=SYSTEM, password="the-old-password")
    client.login(username="ada", password="the-old-password")
    url = reverse("admin:password_change")
    new = {"new_password1": "the-new-password", "new_password2": "the-new-password"}
    assert not saved(fill_in(client, url, old_password="a-wrong-password", **new))
    assert saved(fill_in(client, url, old_password="the-old-password", **new))
    assert client.get("/admin/").status_code == HTTPStatus.OK
    assert User.objects.get(pk=ada.pk).check_password("the-new-password")
    event = AuditEvent.objects.filter(action="user.change").first()
    assert event is not None
    assert (event.actor, event.subject, event.after["password_is_new"]) == ("ada", "ada", True)


def test_guesses_at_ones_own_password_count_as_at_the_sign_in_form(
    client: Client, cast: Cast
) -> None:
    """Whoever has a session of somebody's does not get to try passwords without end."""
    members.save_user(cast.acme.admin.user, by=SYSTEM, password="the-old-password")
    client.force_login(cast.acme.admin.user)
    url = reverse("admin:password_change")
    new = {"new_password1": "the-new-password", "new_password2": "the-new-password"}
    for number in range(throttle.PER_ACCOUNT):
        wrong = fill_in(client, url, old_password=f"wrong-{number}", **new)
        assert wrong.status_code == HTTPStatus.OK
    right = fill_in(client, url, old_password="the-old-password", **new)
    assert right.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert int(right.headers["Retry-After"]) > 0
    assert "Too many wrong passwords" in right.content.decode()
    assert User.objects.get(username="ada").check_password("the-old-password")


@pytest.mark.parametrize(
    ("page", "each"),
    [
        ("/admin/accounts/membership/", 0),
        ("/admin/repos/grant/", 0),
        ("/admin/repos/repository/", 0),
        ("/admin/accounts/team/{team}/change/", 0),
        ("/admin/autocomplete/?app_label=repos&model_name=grant&field_name=membership", 0),
        ("/admin/autocomplete/?app_label=repos&model_name=grant&field_name=repository", 0),
        # A search box asks for the one row that it shows: two boxes stand beside each grant.
        ("/admin/repos/repository/{repository}/change/", 2),
    ],
)
def test_a_page_costs_no_more_when_there_is_more(
    root: Client, cast: Cast, page: str, each: int
) -> None:
    team = Team.objects.create(tenant=cast.acme.tenant, name="frogs")
    url = page.format(team=team.pk, repository=cast.acme.repository.pk)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert root.get(url).status_code == HTTPStatus.OK
        return len(queries)

    def more(number: int) -> None:
        user = User.objects.create(username=f"more-{number}")
        place = Membership.objects.create(tenant=cast.acme.tenant, user=user)
        team.members.add(place)
        repository = make_repository(cast.acme.tenant, f"more-{number}")
        for shelf in (repository, cast.acme.repository):
            Grant.objects.create(repository=shelf, membership=place)

    more(0)
    before = cost()
    for number in range(1, 11):
        more(number)
    assert cost() <= before + 10 * each


def test_ending_a_membership_asks_first(root: Client, cast: Cast) -> None:
    place = cast.acme.writer.token.membership
    url = reverse("admin:accounts_membership_delete", args=[place.pk])
    page = root.get(url).content.decode()
    assert "Are you sure" in page
    assert cast.acme.writer.token.identifier in page
    assert Membership.objects.filter(pk=place.pk).exists()
    assert saved(root.post(url, {"post": "yes"}))
    assert tokens.find(cast.acme.writer.secret) is None


def test_a_search_box_finds_rows_as_they_are_called(root: Client, cast: Cast) -> None:
    members.save_team(Team(tenant=cast.acme.tenant, name="crew"), by=SYSTEM, members=[])
    asked = {"app_label": "repos", "model_name": "grant"}
    for field, name in (("repository", "acme/local"), ("team", "acme/crew")):
        url = reverse("admin:autocomplete", query=asked | {"field_name": field, "term": name})
        assert [each["text"] for each in root.get(url).json()["results"]] == [name]


def test_a_repository_goes_out_of_service_unless_it_is_a_member(root: Client, cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    Member.objects.create(virtual=virtual, repository=cast.acme.repository)
    url = reverse("admin:repos_repository_delete", args=[cast.acme.repository.pk])
    root.post(url, {"post": "yes", "typed": "acme/local"})
    cast.acme.repository.refresh_from_db()
    assert cast.acme.repository.deleted_at is None
    assert "Take it out there first" in root.get("/admin/").content.decode()
    Member.objects.all().delete()
    for typed in ({}, {"typed": "local"}):
        refused = root.post(url, {"post": "yes", **typed}, follow=True)
        assert "type acme/local to say that you mean it" in refused.content.decode()
    cast.acme.repository.refresh_from_db()
    assert cast.acme.repository.deleted_at is None
    root.post(url, {"post": "yes", "typed": "acme/local"})
    cast.acme.repository.refresh_from_db()
    assert cast.acme.repository.deleted_at is not None


@pytest.fixture
def frog(root: Client, cast: Cast) -> Distribution:
    """One published wheel."""
    published(root, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    return Distribution.objects.get()


def simple_page(browser: Client, cast: Cast) -> Any:
    headers = cast.acme.reader.headers | {"Accept": "application/vnd.pypi.simple.v1+json"}
    return browser.get("/acme/local/simple/frog/", headers=headers).json()


def test_a_file_and_a_release_are_yanked_with_a_reason_and_back(
    root: Client, cast: Cast, frog: Distribution
) -> None:
    for model, row in (
        ("packages_distribution", frog),
        ("packages_release", Release.objects.get()),
    ):
        url = change(model, row)
        assert saved(fill_in(root, url, yanked="on", yanked_reason="croaks"))
        assert [file["yanked"] for file in simple_page(root, cast)["files"]] == ["croaks"]
        assert saved(fill_in(root, url, yanked=None))
        assert [file["yanked"] for file in simple_page(root, cast)["files"]] == [False]


def test_a_file_is_deleted_after_asking_and_restored(
    root: Client, cast: Cast, frog: Distribution
) -> None:
    url = reverse("admin:packages_distribution_delete", args=[frog.pk])
    page = root.get(url).content.decode()
    assert "Are you sure" in page
    assert len(simple_page(root, cast)["files"]) == 1
    assert saved(root.post(url, {"post": "yes"}))
    assert simple_page(root, cast)["files"] == []
    again = upload(root, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    assert "Restore" in again.reason_phrase
    root.post(
        reverse("admin:packages_distribution_changelist"),
        {"action": "restore", "_selected_action": [frog.pk]},
    )
    assert len(simple_page(root, cast)["files"]) == 1


def test_many_files_are_deleted_at_once(root: Client, cast: Cast, frog: Distribution) -> None:
    published(root, "frog", "2.0", make_wheel("frog", "2.0"), by=cast.acme.writer)
    chosen = list(Distribution.objects.values_list("pk", flat=True))
    root.post(
        reverse("admin:packages_distribution_changelist"),
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
    )
    assert simple_page(root, cast)["files"] == []
    assert Distribution.objects.filter(deleted_at__isnull=False).count() == 2


def test_a_project_gets_a_status(root: Client, cast: Cast, frog: Distribution) -> None:
    url = change("packages_project", Project.objects.get())
    assert saved(fill_in(root, url, status="quarantined", status_reason="malware"))
    page = simple_page(root, cast)
    assert page["project-status"] == {"status": "quarantined", "reason": "malware"}
    assert page["files"] == []


def test_the_audit_cannot_be_changed(root: Client, cast: Cast) -> None:
    event = AuditEvent.objects.all()[0]
    assert root.post(change("base_auditevent", event), {"actor": "x"}).status_code == 403
    url = reverse("admin:base_auditevent_delete", args=[event.pk])
    assert root.post(url, {"post": "yes"}).status_code == HTTPStatus.FORBIDDEN
