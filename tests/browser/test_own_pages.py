"""Our own pages break no policy of their own, and nothing in them fails, in a real Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests import dists
from tests.browser.sound import listen_to
from tests.journeys.larder import Larder, Repository
from tests.journeys.wire import Content, upload


@pytest.fixture(scope="module")
def shelf(embedded: Larder) -> Repository:
    """A repository with a release."""
    repository = embedded.repository()
    filename, content = dists.make_wheel("frog", "1.0", description="A frog. " * 20)
    upload(
        repository.url,
        embedded.writer,
        Content(filename, len(content), [content]),
        name="frog",
        version="1.0",
    )
    return repository


ADMIN = (
    "/admin/",
    "/admin/accounts/",
    "/admin/accounts/user/",
    "/admin/accounts/user/add/",
    "/admin/accounts/user/1/change/",
    "/admin/accounts/user/1/history/",
    "/admin/accounts/token/",
    "/admin/accounts/token/add/",
    "/admin/accounts/team/add/",
    "/admin/accounts/membership/add/",
    "/admin/accounts/invitation/add/",
    "/admin/repos/repository/",
    "/admin/repos/repository/add/",
    "/admin/repos/repository/1/change/",
    "/admin/repos/repository/1/delete/",
    "/admin/repos/grant/add/",
    "/admin/packages/project/",
    "/admin/packages/distribution/",
    "/admin/base/auditevent/",
)


def test_every_page_keeps_its_own_policy(
    administrator: Page, embedded: Larder, shelf: Repository
) -> None:
    wrong = listen_to(administrator)
    pages = ["/", "/main/", "/acme/", "/accounts/sign-in/"]
    ours = ["", "project/frog/", "simple/", "simple/frog/"]
    for url in [
        *(embedded.url + path for path in (*pages, *ADMIN)),
        *(shelf.url + p for p in ours),
    ]:
        answer = administrator.goto(url)
        assert answer is not None
        assert answer.status == 200, url
        assert wrong == [], url
    administrator.wait_for_load_state("networkidle")
    assert wrong == []


def test_the_pages_of_a_stranger_do_too(page: Page, embedded: Larder, shelf: Repository) -> None:
    wrong = listen_to(page)
    for url in (f"{embedded.url}/", shelf.url, f"{embedded.url}/admin/"):
        page.goto(url)
        page.wait_for_load_state("networkidle")
        assert wrong == [], url
    assert "/accounts/sign-in/" in page.url


def test_what_scripts_do_is_allowed(
    administrator: Page, embedded: Larder, shelf: Repository
) -> None:
    wrong = listen_to(administrator)
    administrator.goto(shelf.url)
    administrator.click("[data-set-theme=dark]")
    assert administrator.get_attribute("html", "data-theme") == "dark"
    administrator.locator("button[data-copy]:visible").first.click()
    administrator.wait_for_selector("button[data-copied]")
    administrator.goto(f"{embedded.url}/admin/accounts/membership/add/")
    administrator.click(".select2-selection >> nth=0")
    administrator.wait_for_selector(".select2-results__option:has-text('acme')")
    assert wrong == []


def test_an_error_page_breaks_nothing(page: Page, embedded: Larder) -> None:
    wrong = listen_to(page)
    answer = page.goto(f"{embedded.url}/no-such-page")
    assert answer is not None
    assert answer.status == 404
    page.wait_for_load_state("networkidle")
    # Chromium itself reports that the page is a 404.
    assert [each for each in wrong if "status of 404" not in each] == []


def test_too_many_wrong_passwords_are_told_on_the_form(page: Page, embedded: Larder) -> None:
    embedded.forgive()
    for _ in range(11):
        page.goto(f"{embedded.url}/accounts/sign-in/")
        page.fill("input[name=username]", "nobody-at-all")
        page.fill("input[name=password]", "wrong-password")
        page.click("button:has-text('Sign in')")
        page.wait_for_selector("[role=alert]")
    assert "Too many wrong passwords or tokens. Try again in" in page.inner_text("[role=alert]")
    assert page.input_value("input[name=password]") == ""
    embedded.forgive()


def test_the_session_cookie_is_hidden_from_scripts(administrator: Page, embedded: Larder) -> None:
    administrator.goto(f"{embedded.url}/")
    assert administrator.evaluate("document.cookie") == ""
    names = {cookie["name"]: cookie for cookie in administrator.context.cookies()}
    assert set(names) == {"sessionid", "csrftoken"}
    assert all(each["httpOnly"] and each["sameSite"] == "Lax" for each in names.values())
