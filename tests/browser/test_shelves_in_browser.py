"""Repositories, their trees and tenants in a real Chromium: filtered, walked by keys, and axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import dists
from tests.browser.signing_in import sign_in
from tests.browser.sound import listen_to
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository
from tests.journeys.wire import Content, upload

NAMES = ("frog", "frog-fu", "newt", "toad")


@pytest.fixture(scope="module")
def pond(embedded: Larder) -> Repository:
    """A repository of acme with four projects, one of two versions."""
    repository = embedded.repository()
    embedded.forgive()
    for name, version in [*((name, "1.0") for name in NAMES), ("newt", "2.0")]:
        publish(embedded, repository, name, version)
    return repository


def publish(embedded: Larder, repository: Repository, name: str, version: str) -> None:
    filename, content = dists.make_wheel(name, version)
    file = Content(filename, len(content), [content])
    sent = upload(repository.url, embedded.writer, file, name=name, version=version)
    assert sent == (200, "OK")


def test_the_list_of_projects_is_filtered_while_one_types(
    administrator: Page, pond: Repository
) -> None:
    wrong = listen_to(administrator)
    administrator.goto(pond.url)
    rows = administrator.locator("#projects tbody tr")
    expect(rows).to_have_count(len(NAMES))
    administrator.locator("#filter").press_sequentially("frog")
    expect(rows).to_have_count(2)
    expect(administrator).to_have_url(f"{pond.url}?filter=frog&sort=name")
    administrator.fill("#filter", "")
    expect(rows).to_have_count(len(NAMES))
    administrator.select_option("#sort", "upload")
    expect(rows.first).to_contain_text("newt")
    administrator.reload()
    expect(rows.first).to_contain_text("newt")
    assert wrong == []


def test_the_tree_is_walked_by_keys(administrator: Page, pond: Repository) -> None:
    wrong = listen_to(administrator)
    administrator.goto(f"{pond.url}browse/")
    has_focus = administrator.locator("[role=treeitem]:focus")
    administrator.locator("#filter").press("ArrowDown")
    expect(has_focus).to_contain_text("frog")
    administrator.keyboard.press("End")
    expect(has_focus).to_contain_text("toad")
    administrator.keyboard.press("n")
    expect(has_focus).to_contain_text("newt")
    administrator.keyboard.press("ArrowRight")
    expect(administrator.locator("[role=group] [role=treeitem]")).to_have_count(2)
    administrator.keyboard.press("ArrowRight")
    expect(has_focus).to_contain_text("2.0")
    administrator.keyboard.press("Enter")
    expect(administrator.locator("#node")).to_contain_text("newt 2.0")
    expect(administrator).to_have_url(f"{pond.url}browse/newt/2.0/")
    expect(has_focus).to_have_attribute("aria-expanded", "true")
    administrator.keyboard.press("ArrowRight")
    expect(has_focus).to_contain_text("newt-2.0-py3-none-any.whl")
    administrator.keyboard.press("Enter")
    expect(administrator.locator("#node")).to_contain_text("SHA-256")
    expect(has_focus).to_have_attribute("aria-selected", "true")
    for _ in range(4):  # to the version, which closes, and to the project, which closes too
        administrator.keyboard.press("ArrowLeft")
    expect(has_focus).to_contain_text("newt")
    expect(has_focus).to_have_attribute("aria-expanded", "false")
    administrator.keyboard.press("Home")
    expect(has_focus).to_contain_text("frog")
    administrator.fill("#filter", "toa")
    expect(administrator.locator("[role=treeitem]")).to_have_count(1)
    administrator.go_back()
    expect(administrator.locator("#node")).to_contain_text("newt 2.0")
    assert wrong == []


def test_the_tree_is_a_list_to_drill_down_without_scripts_and_on_a_phone(
    chromium: Browser, embedded: Larder, pond: Repository
) -> None:
    for options in ({"java_script_enabled": False}, {"viewport": {"width": 390, "height": 800}}):
        with chromium.new_context(**options) as context:
            page = sign_in(context.new_page(), embedded, "admin", ADMIN_PASSWORD)
            page.goto(pond.url)
            page.click("nav >> text=Browse")
            page.click("#tree >> text=newt")
            page.wait_for_url(f"{pond.url}browse/newt/")
            page.click("#tree >> text=1.0")
            page.click("#tree >> text=newt-1.0-py3-none-any.whl")
            expect(page.locator("#node")).to_contain_text("SHA-256")


def test_the_quiet_period_counts_down(administrator: Page, embedded: Larder) -> None:
    repository = embedded.repository()  # of its own: the order of uploads in the pond is asked for
    embedded.forgive()
    publish(embedded, repository, "toad", "2.0")
    administrator.goto(repository.url)
    waits = administrator.locator("#waiting")
    said = waits.inner_text()
    assert "extraction starts in" in said
    expect(waits).not_to_have_text(said, timeout=10_000)
