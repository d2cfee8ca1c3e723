"""Trusting CI in a real Chromium: nobody vouches yet, a workflow is added, refused, taken away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signing_in import sign_in
from tests.browser.sound import listen_to, require_sound_at_each_width
from tests.journeys import larder as larders
from tests.journeys.larder import ADMIN_PASSWORD, Larder


@pytest.fixture(scope="module")
def untouched() -> Iterator[Larder]:
    """A Larder of its own, to which nobody has added an issuer."""
    with larders.embedded() as running:
        yield running


def require_sound_in_both_themes(page: Page) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # no colour in between
        require_sound_at_each_width(page)


def test_a_workflow_is_trusted_and_trusted_no_longer(untouched: Larder, page: Page) -> None:
    shelf = untouched.repository().name
    sign_in(page, untouched, "admin", ADMIN_PASSWORD)
    wrong = listen_to(page)
    page.goto(f"{untouched.url}/{shelf}/")
    page.get_by_role("navigation", name=shelf).get_by_text("Publishers").click()
    expect(page.get_by_role("link", name="Add an issuer")).to_be_visible()
    require_sound_in_both_themes(page)

    for kind in ("github", "gitlab", "google", "other"):
        untouched.manage(["add_issuer", f"https://{kind}.example", "--kind", kind])
    page.reload()
    expect(page.get_by_role("heading", name="Add the first")).to_be_visible()
    for kind in ("GitLab", "Google", "OpenID Connect", "GitHub"):
        page.get_by_role("navigation", name="Where CI runs").get_by_text(kind, exact=True).click()
        require_sound_in_both_themes(page)

    page.get_by_label("Project").fill("frog")
    page.get_by_label("Owner", exact=True).fill("acme")
    page.get_by_label("Repository name").fill("frog")
    page.get_by_label("Workflow file").fill("release.yml")
    page.get_by_text("More conditions").click()
    page.get_by_label("Owner's id").fill("acme")
    page.get_by_label("Owner's id").press("Enter")
    expect(page.get_by_text("Give the owner's number, not their name.")).to_be_visible()
    assert page.get_by_label("Workflow file").input_value() == "release.yml"
    require_sound_in_both_themes(page)
    # Chromium itself reports what is no 200.
    assert [each for each in wrong if "status of" not in each] == []

    page.get_by_label("Owner's id").fill("4711")
    page.get_by_role("button", name="Trust it").click()
    expect(page.get_by_text("may publish frog.")).to_be_visible()
    expect(page.get_by_role("table").get_by_text("pending")).to_be_visible()
    page.get_by_role("link", name="Remove GitHub at github.example: acme/frog").click()
    expect(page.get_by_role("button", name="Trust it anew")).to_be_visible()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("may not publish frog any more")).to_be_visible()
    expect(page.get_by_role("heading", name="Add the first")).to_be_visible()
