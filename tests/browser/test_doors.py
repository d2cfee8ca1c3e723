"""The ways in by hand in a real Chromium: uploads, search while typing, keys, the audit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import dists
from tests.browser.dropping import drop
from tests.browser.signing_in import sign_in
from tests.browser.sound import listen_to, require_sound_at_each_width
from tests.browser.test_set_up_and_tokens import publish
from tests.journeys.larder import Larder, Repository


@pytest.fixture(scope="module")
def pond(embedded: Larder) -> Repository:
    """A repository of acme with a frog in it."""
    repository = embedded.repository()
    publish(embedded, repository.url, embedded.writer)
    return repository


def test_files_are_dropped_checked_published_and_found_while_typing(
    wes: Page, pond: Repository, embedded: Larder, tmp_path: Path
) -> None:
    wrong = listen_to(wes)
    wes.goto(f"{pond.url}-/upload/")
    wheel, content = dists.make_wheel("dropped", "1.0")
    drop(wes, wheel, content)
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"PK")
    another = tmp_path / dists.make_wheel("chosen", "2.0")[0]
    another.write_bytes(dists.make_wheel("chosen", "2.0")[1])
    wes.set_input_files("[data-choose]", [broken, another])
    expect(wes.locator("[data-upload=ready]")).to_have_count(2)
    refused = wes.locator("[data-upload=refused]")
    expect(refused).to_contain_text("broken-1.0-py3-none-any.whl")
    require_sound_at_each_width(wes)
    wes.click("text=Properties for these files")
    wes.fill("[data-properties]", "qa.dropped=yes")
    wes.click("text=Publish all 2")
    expect(wes.locator("[data-upload=published]")).to_have_count(2)
    refused.get_by_role("button", name="Remove").click()
    expect(wes.locator("[data-sum]")).to_have_text("2 published")
    wes.goto(f"{embedded.url}/search/")
    wes.fill("#query", "qa.dropped:")  # half a query
    expect(wes.locator("#refused")).to_contain_text("comes a value")
    wes.fill("#query", "qa.dropped:yes")
    expect(wes.locator("#hits")).to_have_text(re.compile(r"\s*2 files\s*"))
    expect(wes).to_have_url(re.compile(r"/search/\?q=qa\.dropped"))
    require_sound_at_each_width(wes)
    wes.locator(".chip").first.click()
    expect(wes.locator("[data-recent]")).to_contain_text("qa.dropped:yes")
    assert wrong == []


def test_keys_lead_through_the_pages_until_they_are_switched_off(
    wes: Page, pond: Repository, embedded: Larder
) -> None:
    wrong = listen_to(wes)
    wes.goto(f"{embedded.url}/search/?q=kind:wheel")
    wes.keyboard.press("j")
    expect(wes.locator("tbody th a").first).to_be_focused()
    wes.keyboard.press("/")
    expect(wes.locator("#query")).to_be_focused()
    wes.keyboard.type("?gh")  # in a field they are letters
    expect(wes.locator("dialog[open]")).to_have_count(0)
    wes.keyboard.press("Control+k")
    wes.keyboard.type(pond.name.replace("/", " "))
    expect(wes.locator("#palette a").first).to_contain_text(pond.name)
    wes.keyboard.press("ArrowDown")
    wes.keyboard.press("Enter")
    wes.wait_for_url(pond.url)
    wes.click("[data-open=keys]")
    expect(wes.locator("#keys")).to_be_visible()
    require_sound_at_each_width(wes)
    wes.uncheck("[data-keys-switch]")
    wes.keyboard.press("Escape")
    wes.evaluate("document.activeElement.blur()")
    wes.keyboard.press("g")
    wes.keyboard.press("h")
    wes.keyboard.press("?")
    expect(wes.locator("dialog[open]")).to_have_count(0)
    assert wes.url == pond.url
    wes.click("[data-open=keys]")
    wes.check("[data-keys-switch]")
    wes.keyboard.press("Escape")
    wes.evaluate("document.activeElement.blur()")
    wes.keyboard.press("g")
    wes.keyboard.press("h")
    wes.wait_for_url(f"{embedded.url}/")
    assert wrong == []


def test_an_upload_works_without_scripts(
    chromium: Browser, embedded: Larder, password: str, pond: Repository, tmp_path: Path
) -> None:
    wheel, content = dists.make_wheel("plain", "1.0")
    (tmp_path / wheel).write_bytes(content)
    with chromium.new_context(java_script_enabled=False) as context:
        page = sign_in(context.new_page(), embedded, "wes", password)
        page.goto(f"{pond.url}-/upload/")
        expect(page.locator("[data-upload]")).to_be_hidden()
        page.set_input_files("#file", tmp_path / wheel)
        page.click(f"button:has-text('Upload to {pond.name}')")
        expect(page.locator("h1")).to_have_text("It is here")
