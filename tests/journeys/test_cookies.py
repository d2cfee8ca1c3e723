"""Where people reach Larder by https: cookies and forms of a real server behind a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import pytest

from tests.journeys import larder as larders
from tests.journeys.larder import ADMIN_PASSWORD, Larder

SIGN_IN = "/accounts/sign-in/"
SITE = "https://127.0.0.1"


@pytest.fixture(scope="module")
def https() -> Iterator[Larder]:
    """A Larder whose base URL is https, behind a proxy that says so."""
    with larders.behind_https() as running:
        yield running


class Browser:
    """Keeps cookies as a browser does and speaks as the proxy passes it on."""

    def __init__(self, larder: Larder) -> None:
        self.larder = larder
        self.cookies: SimpleCookie = SimpleCookie()
        self.headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}

    def send(self, method: str, path: str, *, origin: str = "", **form: str) -> HTTPResponse:
        """Send a request and return the response, read to its end."""
        connection = HTTPConnection(urlsplit(self.larder.url).netloc, timeout=60)
        headers = self.headers | {"Host": "127.0.0.1"}
        headers["Cookie"] = "; ".join(f"{key}={each.value}" for key, each in self.cookies.items())
        headers |= {"Origin": origin} if origin else {}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)
        return response

    def sign_in(self, *, origin: str) -> HTTPResponse:
        """Open the form and send it, from a page of `origin`."""
        self.send("GET", SIGN_IN)
        token = self.cookies["__Host-larder-csrf"].value
        form = {"username": "admin", "password": ADMIN_PASSWORD, "csrfmiddlewaretoken": token}
        return self.send("POST", SIGN_IN, origin=origin, **form)


def test_cookies_are_bound_to_this_host_and_to_https(https: Larder) -> None:
    browser = Browser(https)
    signed_in = browser.sign_in(origin=SITE)
    assert signed_in.status == 302, signed_in.headers
    assert set(browser.cookies) == {"__Host-larder", "__Host-larder-csrf"}
    for cookie in browser.cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
    assert browser.send("GET", "/admin/").status == 200
    assert signed_in.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1", ""])
def test_a_form_is_taken_from_our_own_pages_alone(https: Larder, origin: str) -> None:
    browser = Browser(https)
    assert browser.sign_in(origin=origin).status == 403
    assert "__Host-larder" not in browser.cookies


def test_each_sign_in_has_a_new_key_and_sign_out_ends_it(https: Larder) -> None:
    browser = Browser(https)
    keys = []
    for _ in range(2):
        browser.sign_in(origin=SITE)
        keys.append(browser.cookies["__Host-larder"].value)
    assert keys[0] != keys[1]
    token = browser.cookies["__Host-larder-csrf"].value
    out = browser.send("POST", "/accounts/sign-out/", origin=SITE, csrfmiddlewaretoken=token)
    assert out.status == 302
    for key in keys:
        browser.cookies["__Host-larder"] = key
        assert browser.send("GET", "/admin/").status == 302


def test_ten_wrong_passwords_are_enough_over_all_processes(https: Larder) -> None:
    browser = Browser(https)
    browser.headers["X-Forwarded-For"] = "198.51.100.77"
    browser.send("GET", SIGN_IN)
    token = browser.cookies["__Host-larder-csrf"].value
    form = {"username": "nobody", "password": "wrong", "csrfmiddlewaretoken": token}
    heard = [browser.send("POST", SIGN_IN, origin=SITE, **form) for _ in range(12)]
    assert [each.status for each in heard] == [200] * 10 + [429] * 2
    assert 0 < int(heard[-1].headers["Retry-After"]) <= 300
    assert Browser(https).sign_in(origin=SITE).status == 302
