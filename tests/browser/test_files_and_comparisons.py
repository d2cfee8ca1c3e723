"""What people do with files in a real Chromium: read what is inside, and compare two releases."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import dists
from tests.browser.test_own_pages import listen_to
from tests.browser.test_set_up_and_tokens import _OVERFLOWS, AA, WIDTHS
from tests.journeys.larder import ADMIN_PASSWORD, Larder
from tests.journeys.wire import Content, upload

LOCAL = "/main/pypi-local/"
FILE = f"{LOCAL}project/pond/2.0/pond-2.0-py3-none-any.whl/"
COMPARED = f"{LOCAL}-/compare/pond/"
PAGES = [f"{FILE}?tab={tab}" for tab in ("general", "info", "properties", "contents", "security")]
PAGES += [f"{FILE}?tab=contents&member=pond.py", f"{FILE}?tab=activity", COMPARED]
PAGES += [f"{COMPARED}?from=1.0&to=2.0&member=pond.py"]


# What beat would ring for, a minute later.
_READ = """
from packages.extraction.extract import extract_due
from repos.models import RepositoryState
from base import clock
RepositoryState.objects.exclude(extract_after=None).update(extract_after=clock.now())
extract_due()
"""


@pytest.fixture(scope="module")
def pond(embedded: Larder) -> str:
    """Two releases in the first local; the URL of Larder."""
    embedded.forgive()
    for version in ("1.0", "2.0"):
        files = {"pond.pth": b"import pond\n"} if version == "2.0" else {}
        filename, content = dists.make_wheel("pond", version, files=files)
        sent = upload(
            f"{embedded.url}{LOCAL}",
            embedded.admin,
            Content(filename, len(content), [content]),
            name="pond",
            version=version,
        )
        assert sent == (200, "OK")
    embedded.python(f"import django; django.setup()\n{_READ}")
    return embedded.url


def test_a_member_is_read_and_releases_are_compared(administrator: Page, pond: str) -> None:
    reading = administrator
    wrong = listen_to(reading)
    reading.goto(f"{pond}{FILE}")
    reading.click(".file-tabs >> text=Contents")
    reading.click(".tree >> text=pond.py")
    expect(reading.locator(".source")).to_contain_text('"""pond 2.0."""')
    reading.click(".file-tabs >> text=Properties")
    reading.fill("[name=name]", "qa.approved")
    reading.fill("[name=values]", "yes\nby ada")
    reading.click("text=Set it")
    expect(reading.locator("[aria-labelledby=people]")).to_contain_text("by ada")
    reading.click("[aria-label='Remove qa.approved']")
    expect(reading.locator("[aria-labelledby=people]")).to_contain_text("Nobody has set")
    reading.click(".heading >> text=Compare")
    expect(reading.locator(".surprises")).to_contain_text("it runs code each time Python starts")
    reading.click(".tree >> text=pond.py")
    expect(reading.locator(".diff")).to_contain_text(re.compile("pond 1.0.*pond 2.0", re.DOTALL))
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_read_these_pages(
    chromium: Browser, embedded: Larder, pond: str, theme: Literal["light", "dark"]
) -> None:
    embedded.forgive()
    with chromium.new_context(color_scheme=theme) as context:
        page = context.new_page()
        wrong = listen_to(page)
        page.goto(f"{pond}/accounts/sign-in/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", ADMIN_PASSWORD)
        page.click("button:has-text('Sign in')")
        page.wait_for_url(f"{pond}/")
        for path in PAGES:
            page.goto(f"{pond}{path}")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert not page.evaluate(_OVERFLOWS), f"{path} at {width} px is cut off"
                found = Axe().run(page, options={"runOnly": AA["runOnly"]})
                assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert wrong == []
