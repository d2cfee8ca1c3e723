"""The management commands that do what the admin does."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts import tokens
from accounts.models import Issuer, Tenant, User
from accounts.principal import Principal
from accounts.roles import Role
from base.models import AuditEvent
from repos.access import require
from repos.models import Kind, Repository
from tests.authority import ca_pem
from tests.cast import Cast


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_a_team_gets_a_repository_and_publishes_with_a_token(db: None) -> None:
    run("create_tenant", "main", "--name", "Main")
    run("create_user", "ann", "--tenant", "main", "--team", "data")
    run("create_repository", "main/team-a", "--kind", "local", "--description", "Team A")
    run("grant", "main/team-a", "--team", "data", "--role", "writer")
    secret = run("create_token", "ann", "--tenant", "main", "--name", "laptop")
    token = tokens.find(secret)
    assert token is not None
    ann = Principal(user=token.membership.user)
    assert require(ann, "main", "team-a", Role.WRITER).description == "Team A"


def test_a_service_account_is_a_member_without_a_password(cast: Cast) -> None:
    run("create_user", "acme/ci", "--service")
    account = User.objects.get(username="acme/ci")
    assert account.service_of == cast.acme.tenant
    assert not account.has_usable_password()
    run("grant", "acme/local", "--user", "acme/ci", "--role", "writer")
    assert run("create_token", "acme/ci", "--tenant", "acme").startswith("lrd_")


def test_a_token_can_be_limited(cast: Cast) -> None:
    secret = run(
        "create_token", "wes", "--tenant", "acme", "--repository", "acme/local",
        "--project", "acme-*", "--role", "reader", "--days", "7",
    )  # fmt: skip
    token = tokens.find(secret)
    assert token is not None
    assert (token.all_repositories, token.role) == (False, Role.READER)
    assert token.project_patterns == ["acme-*"]
    assert token.expires_at is not None


def test_a_password_is_printed_once_and_works(db: None) -> None:
    password = run("create_user", "ann")
    assert User.objects.get(username="ann").check_password(password)


def test_a_superuser_is_made_with_its_event(db: None) -> None:
    run("create_user", "ann", "--superuser")
    assert User.objects.get(username="ann").is_superuser
    event = AuditEvent.objects.get()
    assert (event.action, event.after["is_superuser"]) == ("user.create", True)


def test_a_lost_password_is_replaced(db: None) -> None:
    lost = run("create_user", "ann")
    found = run("set_password", "ann")
    ann = User.objects.get(username="ann")
    assert (ann.check_password(lost), ann.check_password(found)) == (False, True)
    assert AuditEvent.objects.filter(action="user.change", subject="ann").exists()


def test_remote_and_virtual_can_be_made(cast: Cast) -> None:
    run("create_repository", "acme/remote", "--kind", "remote",
        "--upstream", "https://mirror.example.org/simple")  # fmt: skip
    run("create_repository", "acme/virtual", "--kind", "virtual",
        "--member", "acme/local", "--member", "acme/remote", "--no-grants")  # fmt: skip
    virtual = Repository.objects.get(key="virtual")
    assert virtual.kind == Kind.VIRTUAL
    assert [place.repository.key for place in virtual.members.all()] == ["local", "remote"]
    assert not virtual.grants.exists()


def test_a_grant_given_twice_is_changed(cast: Cast) -> None:
    run("grant", "acme/local", "--members", "--role", "reader")
    run("grant", "acme/local", "--members", "--role", "writer")
    assert [grant.role for grant in cast.acme.repository.grants.filter(subject="members")] == [
        Role.WRITER
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create_repository", "team-a"], "tenant/key"),
        (["create_repository", "nope/team-a"], "There is no tenant nope"),
        (["create_repository", "acme/local"], "taken"),
        (["create_repository", "acme/v", "--kind", "virtual", "--member", "acme/x"], "acme/x"),
        (["grant", "acme/none", "--anyone"], "There is no repository acme/none"),
        (["grant", "acme/local", "--user", "gil"], "gil is not a member of acme"),
        (["grant", "acme/local", "--team", "none"], "acme has no team none"),
        (["grant", "acme/local", "--anyone", "--role", "writer"], "reader role only"),
        (["create_token", "gil", "--tenant", "acme"], "gil is not a member of acme"),
        (["create_tenant", "acme"], "exists"),
        (["create_tenant", "admin"], "URL of the portal"),
        (["create_user", "wes"], "Names are one for the whole installation: invite who has"),
        (["create_user", "ci", "--service"], "tenant"),
        (["set_password", "nobody"], "There is no user nobody"),
        (["create_user", "acme/ci", "--service", "--superuser"], "cannot be a superuser"),
        # Django's own, which would write no event.
        (["createsuperuser", "--username", "eve", "--noinput"], "create_user eve --superuser"),
        (["changepassword", "wes"], "set_password wes"),
    ],
)
def test_what_is_wrong_is_said(cast: Cast, arguments: list[str], says: str) -> None:
    before = (Repository.objects.count(), User.objects.count(), Tenant.objects.count())
    with pytest.raises(CommandError, match=says):
        run(*arguments)
    assert before == (Repository.objects.count(), User.objects.count(), Tenant.objects.count())


def test_whoever_adds_an_issuer_hears_what_becomes_of_clients_by_http(
    db: None, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for url, told in (
        ("http://packages.example", "LARDER_BASE_URL is http://packages.example. uv and GitHub"),
        ("https://packages.example", ""),
    ):
        settings.BASE_URL = url
        run("add_issuer", f"{url.replace('http:', 'https:')}/{bool(told)}", "--kind", "other")
        heard = capsys.readouterr().err
        assert heard.startswith(told)
        assert bool(heard) == bool(told)


def test_an_issuer_vouches_for_ci(db: None, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(ca_pem())
    said = run(
        "add_issuer", "https://git.example", "--kind", "gitlab", "--private", "--ca", str(ca)
    )
    assert said.splitlines() == [
        "https://git.example vouches for CI: GitLab.",
        "Whether it answers: manage.py check_issuer https://git.example",
    ]
    issuer = Issuer.objects.get()
    assert (issuer.kind, issuer.private_allowed, issuer.ca) == ("gitlab", True, ca_pem())
    assert AuditEvent.objects.filter(action="issuer.create", actor="larder").exists()
    with pytest.raises(CommandError, match=r"there already\. Change that one"):
        run("add_issuer", "https://git.example", "--kind", "gitlab")
    with pytest.raises(CommandError, match=r"https://git.example is there already"):
        run("add_issuer", "https://git.example/", "--kind", "gitlab")
    with pytest.raises(CommandError, match="https:// URL of an issuer"):
        run("add_issuer", "http://git.example", "--kind", "gitlab")
    with pytest.raises(CommandError, match="cannot be read"):
        run("add_issuer", "https://x.example", "--kind", "other", "--ca", str(tmp_path))
