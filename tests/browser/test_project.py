"""A project's page in a real Chromium: read, switch, copy, yank; in both themes and widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests import dists
from tests.browser.sound import listen_to
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import signed_in
from tests.journeys.wire import Content, upload


@pytest.fixture(scope="module")
def pond(embedded: Larder) -> Repository:
    """A repository of acme with three releases of a frog."""
    repository = embedded.repository()
    embedded.forgive()
    for version in ("1.0", "1.1", "2.0rc1"):
        filename, content = dists.make_wheel(
            "frog",
            version,
            requires_dist=["toad>1", "newt; extra == 'pond'"],
            extra_headers=["Summary: Frogs for functional units", "Provides-Extra: pond"],
            description="# Frogs",
        )
        sent = Content(filename, len(content), [content])
        answer = upload(repository.url, embedded.writer, sent, name="frog", version=version)
        assert answer == (200, "OK")
    return repository


def test_one_reads_switches_the_version_and_copies_the_command(wes: Page, pond: Repository) -> None:
    wrong = listen_to(wes)
    wes.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wes.goto(f"{pond.url}project/frog/")
    expect(wes.locator("h1")).to_contain_text("1.1")
    wes.get_by_text("Other versions").locator("xpath=..").click()
    wes.click(".switcher >> text=1.0")
    expect(wes.locator("h1")).to_contain_text("1.0")
    wes.get_by_label("uv", exact=True).check()
    wes.get_by_label("Copy the uv command").click()
    wes.wait_for_selector("button[data-copied=yes]")
    copied = wes.evaluate("navigator.clipboard.readText()")
    index = signed_in(pond.simple, "TOKEN")
    assert copied == f"uv pip install --default-index {index} frog==1.0"
    wes.click("nav.project-tabs >> text=Requirements")
    expect(wes.locator("main")).to_contain_text("toad")
    assert wrong == []


def test_a_release_is_yanked_with_a_reason_once_the_name_is_typed(
    wes: Page, pond: Repository
) -> None:
    wrong = listen_to(wes)
    wes.goto(f"{pond.url}project/frog/2.0rc1/?tab=manage")
    wes.fill("[name=yank-reason]", "croaks")
    wes.fill("[name=yank-typed]", "frog")
    wes.click("main button:has-text('Yank')")
    expect(wes.locator(".strip")).to_contain_text("Reason: croaks")
    expect(wes.locator(".strip")).to_contain_text("Take 1.1")
    wes.click("main button:has-text('Take back')")
    expect(wes.locator(".strip")).not_to_contain_text("croaks")
    assert wrong == []
