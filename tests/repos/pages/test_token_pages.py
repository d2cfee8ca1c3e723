"""A person's own tokens: made, shown once, narrowed and never widened, ended."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import logins, members, tokens
from accounts.models import Membership, Token
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.narrowing import narrow_token
from tests.cast import Cast, basic, grant, make_repository
from tests.conftest import MovableClock

NEW = "/accounts/tokens/new/"
SECRET = re.compile(r'<code class="secret">(lrd_\w+)</code>')


@pytest.fixture
def wes(client: Client, cast: Cast) -> Client:
    """The browser of wes, a writer of acme/local."""
    client.force_login(cast.acme.writer.user)
    return client


def make(client: Client, cast: Cast, **change: Any) -> Any:
    """Fill in the form for a token that reads acme/local for a week."""
    sent = {
        "name": "laptop",
        "role": Role.READER,
        "repositories": [cast.acme.repository.pk],
        "expires_at": "7",
        "form_key": "of-this-form",
    }
    sent = {name: value for name, value in (sent | change).items() if value is not None}
    return client.post(NEW, sent)


def made(client: Client, cast: Cast, **change: Any) -> tuple[Token, str]:
    """Return the token that the form makes, and its secret as the page shows it."""
    answer = make(client, cast, **change)
    assert answer.status_code == HTTPStatus.OK
    (secret,) = SECRET.findall(answer.content.decode())
    token = tokens.find(secret)
    assert token is not None
    return token, secret


def test_a_token_is_made_with_the_limits_that_were_chosen(
    wes: Client, cast: Cast, time: MovableClock
) -> None:
    token, secret = made(wes, cast, project_patterns="Acme_Frog\nacme-*")
    assert (token.name, token.role, token.all_repositories) == ("laptop", Role.READER, False)
    assert [each.repository for each in token.repositories.all()] == [cast.acme.repository]
    assert token.project_patterns == ["acme-frog", "acme-*"]
    assert token.expires_at == time() + timedelta(days=7)
    assert token.membership.user == cast.acme.writer.user
    answer = Client().get("/acme/local/simple/", headers=basic("__token__", secret))
    assert answer.status_code == HTTPStatus.OK


def test_the_secret_is_in_that_one_answer_and_nowhere_else(wes: Client, cast: Cast) -> None:
    answer = make(wes, cast)
    (secret,) = SECRET.findall(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in str(dict(wes.session))
    again = make(wes, cast)
    assert again.status_code == HTTPStatus.FOUND
    assert "was made then" in wes.get("/accounts/tokens/").content.decode()
    assert Token.objects.filter(membership__user=cast.acme.writer.user, name="laptop").count() == 1
    assert secret not in wes.get("/accounts/tokens/").content.decode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"repositories": None}, "Choose where it works."),
        ({"name": ""}, "This field is required."),
        ({"role": "9"}, "Select a valid choice."),
        ({"expires_at": "5000"}, "Select a valid choice."),
        ({"repositories": ["987654321"]}, "Select a valid choice."),
        ({"repositories": ["frog"]}, "is not a valid value"),
        ({"project_patterns": "a/b"}, "a/b is not a project's name or a pattern like acme-*."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_made_is_said_on_the_form(
    wes: Client, cast: Cast, change: dict[str, Any], says: str
) -> None:
    before = Token.objects.count()
    answer = make(wes, cast, **change)
    assert answer.status_code == HTTPStatus.OK
    assert says in unescape(answer.content.decode())
    assert Token.objects.count() == before


def test_only_what_one_may_read_in_the_tenant_can_be_chosen(wes: Client, cast: Cast) -> None:
    secret_shelf = make_repository(cast.acme.tenant, "secret-shelf")
    elsewhere = make_repository(cast.globex.tenant, "everybodys")
    grant(elsewhere, Role.READER)
    page = wes.get(NEW).content.decode()
    assert "acme/local" in page
    assert "secret-shelf" not in page
    assert "everybodys" not in page
    for each in (secret_shelf, elsewhere):
        answer = make(wes, cast, repositories=[each.pk])
        assert "Select a valid choice." in answer.content.decode()


def test_who_belongs_to_several_tenants_chooses_one_first(wes: Client, cast: Cast) -> None:
    place = Membership(tenant=cast.globex.tenant, user=cast.acme.writer.user)
    members.save_membership(place, by=SYSTEM)
    page = wes.get(NEW).content.decode()
    assert "?tenant=globex" in page
    assert 'name="role"' not in page
    assert 'name="role"' in wes.get(f"{NEW}?tenant=globex").content.decode()
    assert 'name="role"' not in wes.get(f"{NEW}?tenant=nowhere").content.decode()
    sent = {"name": "x", "role": Role.READER, "all_repositories": "on", "expires_at": ""}
    wes.post(f"{NEW}?tenant=globex", sent)
    token = Token.objects.get(name="x")
    assert (token.membership.tenant, token.expires_at) == (cast.globex.tenant, None)


def test_who_belongs_nowhere_is_told_whom_to_ask(client: Client, cast: Cast) -> None:
    client.force_login(cast.stranger.user)
    for url in (NEW, "/accounts/tokens/", "/accounts/"):
        page = client.get(url).content.decode()
        assert "Ask whoever runs this installation to make <code>sam</code> a member" in page


def test_one_sees_ones_own_tokens_and_no_others(wes: Client, cast: Cast) -> None:
    page = wes.get("/accounts/tokens/").content.decode()
    assert cast.acme.writer.token.identifier in page
    assert cast.acme.reader.token.identifier not in page
    for method, end in (("get", ""), ("post", ""), ("post", "revoke/")):
        answer = getattr(wes, method)(f"/accounts/tokens/{cast.acme.reader.token.pk}/{end}")
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert "You have no such token." in answer.content.decode()
    assert wes.get(f"/accounts/tokens/{'9' * 40}/").status_code == HTTPStatus.NOT_FOUND


def test_a_revoked_token_is_refused_at_once(wes: Client, cast: Cast) -> None:
    token, secret = made(wes, cast)
    headers = basic("__token__", secret)
    assert Client().get("/acme/local/simple/", headers=headers).status_code == HTTPStatus.OK
    wes.post(f"/accounts/tokens/{token.pk}/revoke/")
    answer = Client().get("/acme/local/simple/", headers=headers)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    page = wes.get("/accounts/tokens/").content.decode()
    assert "laptop is revoked. Nothing accepts it any more." in page
    wes.post(f"/accounts/tokens/{token.pk}/revoke/")
    assert "This token is revoked already." in wes.get("/accounts/tokens/").content.decode()
    assert 'name="role"' not in wes.get(f"/accounts/tokens/{token.pk}/").content.decode()


def narrow(client: Client, token: Token, **change: Any) -> Any:
    """Fill in the form that narrows a token; unless changed, as the token stands."""
    sent = {
        "name": token.name,
        "role": token.role,
        "all_repositories": "on" if token.all_repositories else None,
        "repositories": [each.repository_id for each in token.repositories.all()],
        "project_patterns": "\n".join(token.project_patterns),
        "expires_at": "",
    }
    sent = {name: value for name, value in (sent | change).items() if value is not None}
    return client.post(f"/accounts/tokens/{token.pk}/", sent)


def test_a_token_is_narrowed_in_every_way(wes: Client, cast: Cast, time: MovableClock) -> None:
    token = cast.acme.writer.token
    answer = narrow(
        wes,
        token,
        role=Role.READER,
        all_repositories=None,
        repositories=[cast.acme.repository.pk],
        project_patterns="acme-*",
        expires_at="1",
    )
    assert answer.status_code == HTTPStatus.FOUND
    token.refresh_from_db()
    assert (token.role, token.all_repositories) == (Role.READER, False)
    assert token.project_patterns == ["acme-*"]
    assert token.expires_at == time() + timedelta(days=1)
    assert narrow(wes, token, project_patterns="acme-frog").status_code == HTTPStatus.FOUND
    token.refresh_from_db()
    assert token.project_patterns == ["acme-frog"]
    assert token.expires_at == time() + timedelta(days=1)


@pytest.mark.parametrize(
    "change",
    [
        {"role": Role.ADMIN},
        {"all_repositories": "on"},
        {"project_patterns": ""},
        {"project_patterns": "acme-*\nother"},
        {"project_patterns": "*"},
        {"project_patterns": "acme*"},
        {"expires_at": "30"},
        {"expires_at": "365"},
    ],
    ids=str,
)
def test_a_token_is_never_widened(
    wes: Client, cast: Cast, time: MovableClock, change: dict[str, Any]
) -> None:
    other = make_repository(cast.acme.tenant, "other")
    grant(other, Role.READER, cast.acme.writer)
    token, _ = made(wes, cast, role=Role.WRITER, project_patterns="acme-*")
    before = tokens.limits_of(token)
    answer = narrow(wes, token, **change)
    assert answer.status_code == HTTPStatus.OK
    page = unescape(answer.content.decode())
    assert "not add to it" in page or "Select a valid choice." in page
    assert tokens.limits_of(Token.objects.get(pk=token.pk)) == before
    elsewhere = narrow(wes, token, repositories=[other.pk])
    assert "Select a valid choice." in elsewhere.content.decode()


def test_a_form_opened_before_another_narrowing_does_not_undo_it(cast: Cast) -> None:
    """Two forms are open; each takes something away, and both must hold in the end."""
    stale = Token.objects.select_related("membership__tenant").get(pk=cast.acme.writer.token.pk)
    token = Token.objects.select_related("membership__tenant").get(pk=stale.pk)
    token.role = Role.READER
    narrow_token(token, None, by=SYSTEM)
    stale.project_patterns = ["frog"]
    with pytest.raises(ValidationError, match="would widen role"):
        narrow_token(stale, None, by=SYSTEM)
    assert Token.objects.get(pk=stale.pk).role == Role.READER


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("acme-*", "acme-frog", True),
        ("acme-*", "acme-f*", True),
        ("acme-*", "acme-?", True),
        ("*", "a*b?", True),
        ("a?", "a*", False),
        ("a?", "a?", True),
        ("[ab]", "a", False),
        ("acme-*", "acme", False),
        ("acme", "acme-*", False),
    ],
)
def test_a_pattern_is_narrower_when_it_names_no_more(
    cast: Cast, old: str, new: str, fits: bool
) -> None:
    token = Token.objects.select_related("membership__tenant").get(pk=cast.acme.writer.token.pk)
    token.project_patterns = [old]
    configure.limit_token(token, None, by=SYSTEM)
    token.project_patterns = [new]
    if fits:
        narrow_token(token, None, by=SYSTEM)
    else:
        with pytest.raises(ValidationError, match="project_patterns"):
            narrow_token(token, None, by=SYSTEM)


def test_a_token_opens_no_page_about_its_owner(client: Client, cast: Cast) -> None:
    for url in ("/accounts/", "/accounts/tokens/", NEW, "/accounts/password/"):
        answer = client.get(url, headers=cast.acme.writer.headers)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "with this token. Sign in with your password." in answer.content.decode()


def test_the_list_asks_as_much_for_many_tokens_as_for_one(wes: Client, cast: Cast) -> None:
    wes.get("/accounts/tokens/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert wes.get("/accounts/tokens/").status_code == HTTPStatus.OK
        counts.append(len(asked))
        place = cast.acme.writer.token.membership
        for number in range(60):
            configure.create_token(
                membership=place,
                name=f"token-{number}",
                by=SYSTEM,
                repositories=[cast.acme.repository],
            )
            logins.create(user=place.user, name=f"laptop-{number}", by=SYSTEM)
    assert counts[1] <= counts[0] + 2  # the first token names no repository
    assert counts[1] <= 10
    page = wes.get("/accounts/tokens/").content.decode()
    assert "50 of 121" in page
    assert "?page=2" in page
