"""What a page of another site tries with the session of a visitor, in a real Chromium: in vain."""

from __future__ import annotations

import html

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request

from tests import dists
from tests.browser.conftest import OtherSite
from tests.journeys.larder import Larder, Repository
from tests.journeys.wire import Content, request, upload

EVIL = "<script>document.title = 'It ran'; top.ran = true</script>"


@pytest.fixture(scope="module")
def shelf(embedded: Larder) -> Repository:
    """A repository with a wheel whose metadata is a page full of script."""
    repository = embedded.repository()
    filename, content = dists.make_wheel("frog", "1.0", description=EVIL)
    sent = upload(
        repository.url,
        embedded.writer,
        Content(filename, len(content), [content]),
        name="frog",
        version="1.0",
    )
    assert sent == (200, "OK")
    return repository


def form(to: str, fields: dict[str, str], *, encoding: str = "multipart/form-data") -> str:
    """Return a form that sends itself."""
    inputs = "".join(
        f'<input name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )
    return (
        f'<form id="f" method="post" action="{to}" enctype="{encoding}">{inputs}</form>'
        '<script>document.getElementById("f").submit()</script>'
    )


def status_after(page: Page, elsewhere: OtherSite, content: str, url: str) -> int:
    """Open a page of the other site and return how `url` answers what it sends."""
    with page.expect_response(lambda answer: answer.url == url) as answered:
        elsewhere.visit(page, content)
    return int(answered.value.status)


def cookies_sent(page: Page, host: str) -> list[str]:
    """Collect the cookies that the page's requests to `host` carry from now on."""
    seen: list[str] = []

    def look(asked: Request) -> None:
        if host in asked.url:
            seen.append(asked.all_headers().get("cookie", ""))

    page.on("requestfinished", look)
    return seen


def test_it_cannot_upload(
    administrator: Page, elsewhere: OtherSite, embedded: Larder, shelf: Repository
) -> None:
    fields = {":action": "file_upload", "name": "toad", "version": "1.0", "content": "x"}
    assert status_after(administrator, elsewhere, form(shelf.url, fields), shelf.url) == 403
    with request("GET", f"{shelf.simple}toad/", embedded.reader) as page:
        assert page.status == 404
        page.read()  # which closes it


@pytest.mark.parametrize(
    "path", ["/admin/accounts/user/add/", "/admin/accounts/user/1/change/", "/accounts/sign-out/"]
)
def test_it_cannot_change_anything(
    administrator: Page, elsewhere: OtherSite, embedded: Larder, path: str
) -> None:
    url = embedded.url + path
    fields = {"username": "mallory", "is_superuser": "on", "is_active": "on", "_save": "Save"}
    sent = form(url, fields, encoding="application/x-www-form-urlencoded")
    assert status_after(administrator, elsewhere, sent, url) == 403
    administrator.goto(f"{embedded.url}/admin/accounts/user/?q=mallory")
    assert "0 users" in administrator.inner_text("#changelist")
    assert administrator.locator("text=Sign out").count() == 1  # still signed in


def test_it_cannot_read_with_the_visitors_session(
    administrator: Page, elsewhere: OtherSite, embedded: Larder, shelf: Repository
) -> None:
    elsewhere.visit(administrator, "")
    metadata = f"{shelf.url}files/frog/frog-1.0-py3-none-any.whl.metadata"
    for url in (f"{embedded.url}/admin/", shelf.simple, metadata, f"{embedded.url}/"):
        for mode in ("cors", "no-cors"):
            said = administrator.evaluate(
                """async ([url, mode]) => {
                    try {
                        const answer = await fetch(url, {credentials: "include", mode});
                        return `${answer.type} ${answer.status} ${await answer.text()}`;
                    } catch (error) {
                        return error.name;
                    }
                }""",
                [url, mode],
            )
            # Cross-Origin-Resource-Policy: not even an answer that cannot be read.
            assert said == "TypeError", f"{mode} {url}: {said}"


@pytest.mark.parametrize("what", ["script", "img", "link rel=stylesheet", "iframe", "object"])
def test_it_cannot_load_what_is_ours(
    administrator: Page, elsewhere: OtherSite, shelf: Repository, what: str
) -> None:
    metadata = f"{shelf.url}files/frog/frog-1.0-py3-none-any.whl.metadata"
    source = {"link rel=stylesheet": "href", "object": "data"}.get(what, "src")
    elsewhere.visit(administrator, f'<{what} {source}="{metadata}"></{what.split(maxsplit=1)[0]}>')
    administrator.wait_for_load_state("networkidle")
    assert administrator.title() == "Elsewhere"
    for frame in administrator.frames[1:]:
        assert "frog" not in frame.content()


@pytest.mark.parametrize("path", ["/", "/accounts/sign-in/", "/admin/", "/acme/"])
def test_it_cannot_frame_us(
    administrator: Page, elsewhere: OtherSite, embedded: Larder, path: str
) -> None:
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        said.append(message.text)

    administrator.on("console", listen)
    elsewhere.visit(administrator, f'<iframe src="{embedded.url}{path}"></iframe>')
    administrator.wait_for_load_state("networkidle")
    (frame,) = administrator.frames[1:]
    assert "arder" not in frame.evaluate("document.documentElement.innerText")
    assert any("frame" in each.lower() for each in said), said


def test_it_keeps_no_hold_on_a_window_of_ours(
    administrator: Page, elsewhere: OtherSite, embedded: Larder
) -> None:
    elsewhere.visit(administrator, "")
    with administrator.expect_popup() as opened:
        administrator.evaluate(f"window.opened = window.open('{embedded.url}/admin/')")
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("window.opener") is None
    assert administrator.evaluate("window.opened.closed") is True


def test_it_gets_no_cookie_along(
    administrator: Page, elsewhere: OtherSite, embedded: Larder
) -> None:
    seen = cookies_sent(administrator, embedded.url)
    sent = form(f"{embedded.url}/admin/accounts/user/add/", {"username": "x"})
    status_after(administrator, elsewhere, sent, f"{embedded.url}/admin/accounts/user/add/")
    administrator.wait_for_load_state("networkidle")
    assert seen
    assert not [cookie for cookie in seen if "sessionid" in cookie]


def test_metadata_full_of_script_is_shown_as_text(administrator: Page, shelf: Repository) -> None:
    administrator.goto(f"{shelf.url}files/frog/frog-1.0-py3-none-any.whl.metadata")
    assert administrator.evaluate("document.contentType") == "text/plain"
    assert EVIL in administrator.inner_text("body")
    assert administrator.title() != "It ran"
    assert administrator.evaluate("window.origin") == "null"  # the sandbox


def test_a_file_is_saved_and_never_shown(administrator: Page, shelf: Repository) -> None:
    administrator.goto(f"{shelf.url}project/frog/?tab=files")
    before = administrator.url
    with administrator.expect_download() as saved:
        administrator.click("a[href$='/frog-1.0-py3-none-any.whl']")
    assert saved.value.suggested_filename == "frog-1.0-py3-none-any.whl"
    assert saved.value.failure() is None
    assert administrator.url == before


def test_a_simple_page_leads_to_the_file_too(administrator: Page, shelf: Repository) -> None:
    administrator.goto(f"{shelf.simple}frog/")
    with administrator.expect_download() as saved:
        administrator.click("a:has-text('frog-1.0-py3-none-any.whl')")
    assert saved.value.failure() is None
