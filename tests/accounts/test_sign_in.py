"""People sign in with a form, and a session ends when it should."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import models
from django.test import Client
from django.utils import timezone

from accounts import members
from accounts.models import User
from accounts.roles import Role
from accounts.views import SESSION_LASTS
from base.audit import SYSTEM
from repos import configure
from repos.models import Kind, Upstream
from tests.canaries import Canaries
from tests.cast import Cast, basic, grant, make_repository, make_user
from tests.dists import make_wheel
from tests.uploads import published, upload

FORM = "/accounts/sign-in/"
PASSWORD = "canary-password-of-pia"
FROG = make_wheel("frog", "1.0")


def sign_in(browser: Client, *, to: str = FORM, password: str = PASSWORD, **fields: str) -> Any:
    return browser.post(to, {"username": "pia", "password": password, **fields})


@pytest.fixture
def pia(db: None) -> User:
    """Somebody with a password."""
    return make_user("pia", password=PASSWORD)


def test_a_wrong_password_says_no_more_than_a_wrong_name(client: Client, pia: User) -> None:
    pages = []
    for name in ("pia", "nobody"):
        answer = client.post(FORM, {"username": name, "password": "wrong"})
        assert answer.status_code == HTTPStatus.OK
        page = answer.content.decode()
        assert "The user name or password is wrong, or the account is disabled." in page
        token = answer.context["csrf_token"]
        pages.append(page.replace(f'value="{name}"', "").replace(str(token), ""))
    assert pages[0] == pages[1]


def test_the_form_takes_no_token(client: Client, cast: Cast) -> None:
    sign_in(client, password=cast.acme.writer.secret)
    form = {"username": "wes", "password": cast.acme.writer.secret}
    assert client.post(FORM, form).status_code == HTTPStatus.OK
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("password", ["", " ", "\x00", "x" * 5000])
def test_what_is_no_password_comes_back_with_the_form(
    client: Client, pia: User, password: str
) -> None:
    assert sign_in(client, password=password).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "///elsewhere.example/",
        "////elsewhere.example",
        "\\\\elsewhere.example",
        "/\\elsewhere.example",
        "\t//elsewhere.example",
        "http:elsewhere.example",
        "http:///elsewhere.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://testserver@elsewhere.example/",
        "http://testserver:81/",
        "http://testserver.elsewhere.example/",
        "ftp://testserver/",
        "/acme/\r\nLocation: https://elsewhere.example",
        "https://elsewhere.example\\@testserver/",
    ],
)
@pytest.mark.parametrize("where", ["query", "form"])
def test_sign_in_leads_to_no_other_site(
    client: Client, pia: User, elsewhere: str, where: str
) -> None:
    if where == "form":
        done = sign_in(client, next=elsewhere)
    else:
        done = client.post(
            FORM, {"username": "pia", "password": PASSWORD}, query_params={"next": elsewhere}
        )
    assert done.status_code == HTTPStatus.FOUND
    assert done.headers["Location"] in {"/", "/acme/%0D%0ALocation:%20https://elsewhere.example"}


@pytest.mark.parametrize("page", ["/acme/local/", "/admin/?q=x", "http://testserver/acme/"])
def test_sign_in_leads_back_to_a_page_of_ours(client: Client, pia: User, page: str) -> None:
    assert sign_in(client, next=page).headers["Location"] == page


def test_the_admin_has_no_form_of_its_own(client: Client, cast: Cast) -> None:
    make_user("boss", password=PASSWORD, is_superuser=True)
    answer = client.get("/admin/repos/grant/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{FORM}?next=%2Fadmin%2Frepos%2Fgrant%2F"
    assert client.get("/admin/login/").headers["Location"] == f"{FORM}?next=%2Fadmin%2F"
    form = {"username": "boss", "password": PASSWORD}
    assert client.post("/admin/login/", form).status_code == HTTPStatus.FOUND
    assert "_auth_user_id" not in client.session
    done = client.post(answer.redirect_chain[-1][0], form | {"next": "/admin/repos/grant/"})
    assert done.headers["Location"] == "/admin/repos/grant/"
    assert client.get("/admin/repos/grant/").status_code == HTTPStatus.OK


def test_each_sign_in_begins_a_session_under_a_new_key(client: Client, pia: User) -> None:
    planted = Client()
    sign_in(planted)
    client.cookies["sessionid"] = planted.cookies["sessionid"].value
    keys = [client.cookies["sessionid"].value]
    for _ in range(2):
        sign_in(client)
        keys.append(client.cookies["sessionid"].value)
    assert len(set(keys)) == 3
    assert [Session.objects.filter(pk=key).exists() for key in keys] == [False, False, True]
    assert "pia" not in planted.get("/").content.decode()


def test_a_session_key_that_somebody_made_up_is_not_taken(client: Client, pia: User) -> None:
    client.cookies["sessionid"] = "a" * 32
    sign_in(client)
    assert client.cookies["sessionid"].value != "a" * 32
    assert not Session.objects.filter(pk="a" * 32).exists()


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(
    client: Client, pia: User
) -> None:
    sign_in(client)
    copy = Client()
    copy.cookies["sessionid"] = client.cookies["sessionid"].value
    assert "pia" in copy.get("/").content.decode()
    assert client.get("/accounts/sign-out/").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert client.post("/accounts/sign-out/").status_code == HTTPStatus.FOUND
    assert "pia" not in copy.get("/").content.decode()
    assert not Session.objects.exists()


def test_a_session_ends_after_two_weeks_used_or_not(client: Client, pia: User) -> None:
    assert timedelta(days=14) == SESSION_LASTS
    sign_in(client)
    cookie = client.cookies["sessionid"]
    row = Session.objects.get()
    assert abs(row.expire_date - timezone.now() - SESSION_LASTS) < timedelta(minutes=1)
    assert abs(int(cookie["max-age"]) - SESSION_LASTS.total_seconds()) < 60
    # Whatever is kept in it meanwhile does not make it last longer.
    session = client.session
    session["kept"] = "something"
    session.save()
    assert Session.objects.get().expire_date == row.expire_date
    Session.objects.update(expire_date=timezone.now())
    assert "pia" not in client.get("/").content.decode()


def test_sessions_that_are_over_are_removed(client: Client, pia: User) -> None:
    sign_in(Client())
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    sign_in(client)
    assert Session.objects.count() == 1


def test_cookies_are_kept_from_scripts_and_other_sites(client: Client, pia: User) -> None:
    client.get(FORM)
    sign_in(client)
    assert set(client.cookies) == {"sessionid", "csrftoken"}
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]


def disable(user: User) -> None:
    user.is_active = False
    members.save_user(user, by=SYSTEM)


def change_password(user: User) -> None:
    members.save_user(user, by=SYSTEM, password="another-long-password")


def remove(user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


@pytest.fixture(params=[disable, change_password, remove])
def ended(request: pytest.FixtureRequest, cast: Cast) -> Client:
    """A browser whose session has outlived its user; what anyone may read is there."""
    pia = make_user("pia", password=PASSWORD, is_superuser=True)
    published(Client(), *("frog", "1.0", FROG), by=cast.acme.writer)
    grant(cast.acme.repository, Role.READER)
    browser = Client()
    sign_in(browser)
    end: Callable[[User], None] = request.param
    end(pia)
    return browser


@pytest.mark.parametrize(
    "url", ["/", "/acme/", "/acme/local/", "/acme/local/project/frog/", "/admin/"]
)
def test_a_session_that_outlived_its_user_is_refused_once(ended: Client, url: str) -> None:
    refused = ended.get(url, headers={"Sec-Fetch-Mode": "navigate"})
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    page = refused.content.decode()
    assert "Sign in again" in page
    assert "You are signed in no longer" in page
    assert "WWW-Authenticate" not in refused.headers
    assert not ended.cookies["sessionid"].value
    assert not Session.objects.exists()
    again = ended.get(url)
    # From now on it is a stranger's: what anyone may read is served again.
    assert again.status_code == (HTTPStatus.FOUND if url == "/admin/" else HTTPStatus.OK)


@pytest.mark.parametrize("url", ["/acme/local/simple/", f"/acme/local/files/frog/{FROG[0]}"])
def test_the_pypi_door_refuses_it_too(ended: Client, url: str) -> None:
    refused = ended.get(url)
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert refused.reason_phrase.startswith("You are signed in no longer")
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    again = ended.get(url)
    again.getvalue()
    assert again.status_code == HTTPStatus.OK


def test_whoever_shows_a_credential_is_not_asked_for_the_session(ended: Client, cast: Cast) -> None:
    answer = ended.get("/acme/local/simple/", headers=cast.acme.reader.headers)
    assert answer.status_code == HTTPStatus.OK
    file = make_wheel("toad", "1.0")
    assert upload(ended, "toad", "1.0", file, by=cast.acme.writer).status_code == HTTPStatus.OK


def test_the_sign_in_form_is_open_to_them(ended: Client) -> None:
    assert ended.get(FORM).status_code == HTTPStatus.OK
    make_user("pim", password=PASSWORD)
    done = ended.post(FORM, {"username": "pim", "password": PASSWORD})
    assert done.status_code == HTTPStatus.FOUND
    assert "pim" in ended.get("/").content.decode()


def test_health_is_asked_by_whatever_browser(ended: Client) -> None:
    assert ended.get("/-/health").status_code == HTTPStatus.OK


def everything_stored() -> str:
    """Return every value of every row, sessions decoded."""
    from django.apps import apps  # noqa: PLC0415 - loaded by now

    values: list[str] = []
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.all():
            for field in model._meta.concrete_fields:
                value = field.value_from_object(row)
                if isinstance(field, models.BinaryField):
                    value = bytes(value).decode("latin-1")
                values.append(f"{value}")
            if isinstance(row, Session):
                values.append(f"{row.get_decoded()}")
    return "\n".join(values)


def test_the_database_holds_no_secret_in_the_clear(client: Client, cast: Cast) -> None:
    secrets = {PASSWORD, "canary-upstream-password", "canary-typed-as-a-name"}
    secrets |= {each.secret for each in (cast.acme.writer, cast.acme.reader, cast.globex.admin)}
    make_user("pia", password=PASSWORD, is_superuser=True)
    sign_in(client)
    client.post(FORM, {"username": "canary-typed-as-a-name", "password": "wrong"})
    client.get("/acme/local/simple/", headers=basic("pia", PASSWORD))
    client.get("/acme/local/simple/", headers=basic("canary-typed-as-a-name", "wrong-password"))
    published(client, "frog", "1.0", FROG, by=cast.acme.writer)
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    configure.save_upstream(
        Upstream(repository=remote, index_url="https://mirror.example/simple", username="ann"),
        by=SYSTEM,
        password="canary-upstream-password",
    )
    stored = everything_stored()
    assert "acme/local" in stored  # it did look
    assert "pia" in stored
    canaries = Canaries()
    for secret in secrets:
        canaries.watch(secret)
    assert not canaries.is_in(stored.encode())
