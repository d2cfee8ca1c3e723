"""How a person comes in: by the form, with a name and a password."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.journeys.larder import Larder


def sign_in(page: Page, larder: Larder, name: str, password: str) -> Page:
    """Sign somebody in, and return their window with the home page in it."""
    larder.forgive()
    page.goto(f"{larder.url}/accounts/sign-in/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{larder.url}/")
    return page
