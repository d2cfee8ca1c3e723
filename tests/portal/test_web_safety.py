"""What browsers are told and what they cannot be made to do, on every URL there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.rest.views import RestView
from accounts.roles import Role
from base.models import AuditEvent
from packages.models import Distribution
from tests.cast import Cast, grant
from tests.dists import make_wheel
from tests.portal.urls_walk import PARTS, Route, routes
from tests.properties import IS_FULL, IS_ON_POSTGRES
from tests.uploads import form_body, post_form, published, twine_fields, upload

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
WHEEL = make_wheel("frog", "1.0")
# Views without CSRF protection, and why none of them lets a session change anything.
WITHOUT_CSRF: Mapping[str, str] = {
    "portal.home.home": "refuses every unsafe request: an upload gone astray",
    "portal.home.tenant": "as home",
    "pypi.views.repository_root": "uploads show their own credentials; the session is not asked",
    "pypi.views._reading.<locals>.view": "refuses every unsafe request",
    "packages.pages.upload.upload_page": "asks for the form's token itself: the file is too large "
    "to be read before",
    "packages.pages.upload.check_file": "as the page that it is a piece of",
    "packages.pages.upload.publish_file": "as the page that it is a piece of",
    "pypi.views.below_the_root": "refuses every unsafe request but a search, which changes nothing",
    "pypi.views.scope_root": "as below the root",
    "portal.openapi.Schema": "refuses every unsafe request",
    "artifactory.views._view.<locals>.view": "scripts show their own credentials; the session only "
    "reads",
    "pypi.trusted_publishing._door.<locals>.view": "what CI sends says all about it; the session "
    "is not asked",
    "pypi.views.no_such_index": "changes nothing; an upload gone astray hears where the index is",
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def assert_safe(answer: Any, place: str) -> None:
    """Require of an answer what every one has."""
    answer.getvalue()  # some are files, and are closed at their end
    for name, value in EVERYWHERE.items():
        assert answer.headers.get(name) == value, f"{place}: {name}"
    policy = answer.headers.get("Content-Security-Policy", "")
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert directives["default-src"] == ["'none'"], place
    assert directives["frame-ancestors"] == ["'none'"], place
    sources = {source for values in directives.values() for source in values}
    assert sources <= {"'none'", "'self'", "data:"}, place
    assert "data:" not in directives.get("script-src", []), place


@pytest.fixture
def published_frog(client: Client, cast: Cast) -> Cast:
    """The cast, with a file that anyone may read."""
    published(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    grant(cast.acme.repository, Role.READER)
    return cast


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", ["anonymous", "superuser"])
def test_every_answer_of_every_url_is_safe_and_none_is_our_fault(
    published_frog: Cast, method: str, who: str
) -> None:
    browser = Client(raise_request_exception=False)
    if who == "superuser":
        browser.force_login(published_frog.superuser.user)
    for route in routes():
        if route.url() == "/admin/logout/":
            continue  # asked below, where it matters
        answer = browser.generic(method, route.url())
        place = f"{method} {route.url()} as {who}: {answer.status_code}"
        assert answer.status_code < 500, place
        assert_safe(answer, place)


def test_answers_from_outside_the_views_are_safe_too(
    client: Client, db: None, settings, tmp_path: Path
) -> None:
    (tmp_path / "page.css").write_text("body {}")
    settings.STATIC_ROOT = str(tmp_path)
    browser = Client(raise_request_exception=False)
    answers = {
        "a static file": browser.get("/static/page.css"),
        "no such page": browser.get("/no/such/page/at/all"),
        "a host that is not ours": browser.get("/", headers={"Host": "elsewhere.example"}),
        "a host that is none": browser.get("/", headers={"Host": "a,b c"}),
        "a form of another site": Client(enforce_csrf_checks=True).post("/accounts/sign-in/"),
    }
    settings.BASE_URL = "https://testserver"
    answers["plain http where https is used"] = browser.get("/")
    answers["an upload by plain http"] = browser.post("/acme/local/")
    statuses = {place: answer.status_code for place, answer in answers.items()}
    assert list(statuses.values()) == [200, 404, 400, 400, 403, 301, 403], statuses
    for place, answer in answers.items():
        assert_safe(answer, place)


def test_a_crash_is_safe_too(db: None, monkeypatch) -> None:
    monkeypatch.setattr("portal.home.tenants_of", lambda _: 1 / 0)
    answer = Client(raise_request_exception=False).get("/")
    assert answer.status_code == 500
    assert_safe(answer, "a crash")


FILE = f"/acme/local/files/frog/{WHEEL[0]}"


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        (FILE, {}, 200),
        (FILE, {"Range": "bytes=0-9"}, 206),
        (FILE, {"Range": "bytes=99999999-"}, 416),
        (FILE, {"If-None-Match": "*"}, 304),
        (f"{FILE}.metadata", {}, 200),
        (f"{FILE}.metadata", {"If-None-Match": "*"}, 304),
        (f"{FILE}.metadata", {"Accept": "text/html"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_others_have_stored_is_never_a_page_of_ours(
    client: Client,
    published_frog: Cast,
    url: str,
    headers: dict[str, str],
    status: int,
    method: str,
) -> None:
    answer = client.generic(method, url, headers=headers)
    assert answer.status_code in {status, 200 if method == "HEAD" else status}
    assert_safe(answer, url)
    policy = answer.headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; sandbox; frame-ancestors 'none'"
    if status == 304:
        return
    kind = answer.headers["Content-Type"]
    if url.endswith(".metadata"):
        assert kind == "text/plain; charset=utf-8"
    else:
        assert kind == "application/zip"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{WHEEL[0]}"'


def test_the_metadata_is_text_whatever_stands_in_it(client: Client, cast: Cast) -> None:
    evil = make_wheel("frog", "1.0", description="<script>alert(1)</script>")
    published(client, "frog", "1.0", evil, by=cast.acme.writer)
    answer = client.get(f"{FILE}.metadata", headers=cast.acme.reader.headers)
    assert "<script>alert(1)</script>" in answer.content.decode()
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_each_view_without_csrf_protection_has_its_reason() -> None:
    exempt = {
        route.view_name
        for route in routes()
        if getattr(route.view, "csrf_exempt", False) and not is_rest(route)
    }
    assert exempt == set(WITHOUT_CSRF)


def is_rest(route: Route) -> bool:
    """Say whether a view is one of the REST door, which asks for a form's token itself."""
    return issubclass(getattr(route.view, "cls", object), RestView)


@pytest.mark.parametrize("method", UNSAFE)
def test_a_session_alone_changes_nothing_anywhere(published_frog: Cast, method: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(published_frog.superuser.user)
    before = AuditEvent.objects.count()
    for route in routes():
        answer = browser.generic(
            method, route.url(), b"post=yes&_save=1", "application/x-www-form-urlencoded"
        )
        place = f"{method} {route.url()}: {answer.status_code}"
        if route.view_name in WITHOUT_CSRF or is_rest(route):
            # 400: a search, which changes nothing and takes no such form. 422: no JSON of CI's.
            assert answer.status_code in {400, 401, 403, 404, 405, 422}, place
        else:
            assert answer.status_code == 403, place
            assert "did not come from a page of Larder" in answer.content.decode(), place
    assert AuditEvent.objects.count() == before
    assert "_auth_user_id" in browser.session


def test_a_session_alone_cannot_upload(client: Client, cast: Cast) -> None:
    client.force_login(cast.superuser.user)
    fields = twine_fields("frog", "1.0", *WHEEL)
    body = form_body(fields, filename=WHEEL[0], content=WHEEL[1])
    for url in ("/acme/local/", "/acme/local", "/api/pypi/local/", "/pypi/"):
        assert post_form(client, body, to=url, by=None).status_code == 401
    assert not Distribution.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "https://testserver"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "http://testserver", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({}, 200),
    ],
)
def test_another_sites_page_cannot_upload_whatever_credentials_the_browser_adds(
    client: Client, cast: Cast, headers: dict[str, Any], status: int
) -> None:
    answer = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, **headers)
    assert answer.status_code == status
    assert Distribution.objects.exists() is (status == 200)


def one_of_each() -> list[Route]:
    """Return all routes, the PyPI door's under one of its prefixes only."""
    others = ("artifactory/", "api/", "pypi/")
    return [route for route in routes() if not route.template.startswith(others)]


# What an engine alone refuses; and what our own code may, on any engine.
HOSTILE_TO_ENGINES = ("%00", "99999999999999999999", "-1")
HOSTILE = (
    HOSTILE_TO_ENGINES
    if IS_ON_POSTGRES and not IS_FULL
    else (
        *HOSTILE_TO_ENGINES,
        "%c0%af",  # "/" in an overlong form of UTF-8
        "%ff%fe",
        "%2f%2f",
        "..%2f..%2fetc%2fpasswd",
        "%5c..%5c..%5c",
        "%0d%0aSet-Cookie:%20a=b",
        "%E2%80%AEtxt",
        quote("frög 🐸"),
        "a" * 3000,
        ".",
        "%25%30%30",
    )
)


@pytest.mark.parametrize("who", ["reader", "superuser"])
def test_no_part_of_any_url_makes_us_fail(published_frog: Cast, who: str) -> None:
    """A reader at every door but the admin's, where everybody but an administrator is sent away."""
    browser = Client(raise_request_exception=False)
    headers = published_frog.acme.reader.headers if who == "reader" else {}
    if who == "superuser":
        browser.force_login(published_frog.superuser.user)
    for route in one_of_each():
        if route.template.startswith("admin/") == (who == "reader"):
            continue
        for part in route.parts:
            for value in HOSTILE:
                url = route.url(**{part: value})
                answer = browser.get(url, headers=headers)
                answer.getvalue()
                assert answer.status_code < 500, url[:200]
                assert "Set-Cookie" not in answer.headers, url[:200]


# What PostgreSQL alone refuses; and what any engine may, one of them for each parameter of a URL.
QUERIES = ("%00",) if IS_ON_POSTGRES else ("9" * 20, "%ff" * 1000, "")
NAMES = (
    *("q", "o", "p", "e", "page", "next", "format", "_popup", "_to_field", "_changelist_filters"),
    *("action", "tenant", "tenant__id__exact", "is_active__exact", "at__year", "no_such__filter"),
    *("app_label", "model_name", "field_name", "term"),
    *("filter", "after", "file", "tab", "member", "from", "scope"),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_query_makes_us_fail(published_frog: Cast, name: str) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(published_frog.superuser.user)
    # One of each view, and every list of the admin, whose filters differ.
    different = {
        route.url() if "changelist" in route.view_name else route.view_name: route
        for route in one_of_each()
    }
    for number, route in enumerate(different.values(), start=NAMES.index(name)):
        for value in QUERIES if IS_FULL else (QUERIES[number % len(QUERIES)],):
            answer = browser.get(f"{route.url()}?{name}={value}")
            answer.getvalue()
            assert answer.status_code < 500, f"{route.url()}?{name}={value[:50]}"


def test_every_part_of_a_url_has_an_example() -> None:
    assert {part for route in routes() for part in route.parts} <= set(PARTS)
