"""What people do with files in a real Chromium: read what is inside, and compare two releases."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests import dists
from tests.browser.sound import listen_to
from tests.journeys.larder import Larder
from tests.journeys.wire import Content, upload

LOCAL = "/main/pypi-local/"
FILE = f"{LOCAL}project/pond/2.0/pond-2.0-py3-none-any.whl/"
COMPARED = f"{LOCAL}-/compare/pond/"


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
