"""Home, health, sign-in and error pages."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection
from django.test import Client

from accounts.roles import Role
from tests.cast import Cast, basic, grant, make_user


def test_home_shows_what_the_reader_may_read(client: Client, cast: Cast) -> None:
    assert "acme" not in client.get("/").content.decode()
    client.force_login(cast.acme.reader.user)
    page = client.get("/").content.decode()
    assert "/acme/local/" in page
    assert "globex" not in page
    client.logout()
    grant(cast.globex.repository, Role.READER)
    assert "/globex/local/" in client.get("/").content.decode()


def test_a_tenants_page_shows_what_the_reader_may_read_there(client: Client, cast: Cast) -> None:
    assert client.get("/acme/").headers["Location"] == "/accounts/sign-in/?next=/acme/"
    client.force_login(cast.acme.reader.user)
    assert "/acme/local/" in client.get("/acme/").content.decode()
    client.force_login(cast.acme.member.user)
    assert client.get("/acme/").status_code == HTTPStatus.OK
    client.force_login(cast.globex.reader.user)
    for slug in ("acme", "nowhere"):
        response = client.get(f"/{slug}/")
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert f"There is no tenant {slug} that you may see." in response.content.decode()


@pytest.mark.parametrize("url", ["/", "/legacy/", "/a/b/c/d/"])
def test_an_upload_gone_astray_is_told_where_to_go(db: None, url: str) -> None:
    response = Client(enforce_csrf_checks=True).post(url, {"name": "frog"})
    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert response.reason_phrase == "Upload to a repository: http://testserver/tenant/key/"


def test_browsers_find_the_icon(client: Client, db: None) -> None:
    location = client.get("/favicon.ico").headers["Location"]
    assert finders.find(location.removeprefix("/static/")) is not None


def test_people_sign_in_and_out(client: Client, db: None) -> None:
    make_user("pia", password="a-long-enough-password")
    assert client.get("/accounts/sign-in/").status_code == HTTPStatus.OK
    form = {"username": "pia", "password": "wrong"}
    assert client.post("/accounts/sign-in/", form).status_code == HTTPStatus.OK
    form["password"] = "a-long-enough-password"
    done = client.post("/accounts/sign-in/?next=/acme/local/", form)
    assert done.headers["Location"] == "/acme/local/"
    assert "pia" in client.get("/").content.decode()
    assert client.post("/accounts/sign-out/").status_code == HTTPStatus.FOUND
    assert "pia" not in client.get("/").content.decode()


def test_sign_in_sends_nobody_to_another_site(client: Client, db: None) -> None:
    make_user("pia", password="a-long-enough-password")
    form = {"username": "pia", "password": "a-long-enough-password"}
    done = client.post("/accounts/sign-in/?next=https://elsewhere.example.org/", form)
    assert done.headers["Location"] == "/"


def test_a_form_of_another_site_is_refused(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/sign-in/", {"username": "pia", "password": "x"})
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "did not come from a page of Larder" in response.content.decode()


def test_health_needs_nothing(client: Client) -> None:
    assert client.get("/-/health").json() == {"status": "ok"}


def test_ready_asks_database_and_storage(client: Client, db: None, monkeypatch) -> None:
    assert client.get("/-/ready").json() == {"database": "ok", "storage": "ok"}

    def down() -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", down)
        answer = client.get("/-/ready")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["database"] == "down"


@pytest.mark.parametrize("url", ["/nothing-here", "/acme/local/nothing/here/"])
def test_a_url_that_is_no_page(client: Client, db: None, url: str) -> None:
    response = client.get(url)
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "There is no page at" in response.content.decode()


def test_our_own_mistake_is_a_page_without_the_database(
    db: None, monkeypatch, django_assert_num_queries
) -> None:
    client = Client(raise_request_exception=False)

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portal.home.tenants_of", broken)
    response = client.get("/")
    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "Larder made a mistake" in response.content.decode()
    assert "secret detail" not in response.content.decode()


def test_pages_load_nothing_inline_and_nothing_from_elsewhere(client: Client, db: None) -> None:
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    page = response.content.decode()
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick=" not in page


def test_a_wrong_credential_is_refused_on_pages_too(client: Client, cast: Cast) -> None:
    grant(cast.acme.repository, Role.READER)
    client.force_login(cast.acme.reader.user)
    wrong = basic("__token__", "lrd_wrong")
    for url in ("/", "/acme/", "/acme/local/", "/acme/local/project/frog/"):
        assert client.get(url, headers=cast.acme.writer.headers).status_code in {200, 404}
        refused = client.get(url, headers=wrong)
        assert refused.status_code == HTTPStatus.UNAUTHORIZED
        assert refused.reason_phrase.startswith("This token is not valid")
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
        navigated = client.get(url, headers=wrong | {"Sec-Fetch-Mode": "navigate"})
        assert navigated.status_code == HTTPStatus.UNAUTHORIZED
        assert "WWW-Authenticate" not in navigated.headers
