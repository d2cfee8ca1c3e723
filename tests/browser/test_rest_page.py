"""The page of the REST door in a real Chromium: under our policy, and doing what it shows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sound import WIDTHS, listen_to
from tests.journeys.larder import Larder

_CREATE = "#operations-repositories-create_repository"
_OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("width", WIDTHS)
def test_an_operation_is_tried_on_the_page_with_the_session(
    administrator: Page, embedded: Larder, width: int
) -> None:
    administrator.set_viewport_size({"width": width, "height": 900})
    wrong = listen_to(administrator)
    administrator.goto(f"{embedded.url}/api/v1/docs")
    administrator.click(f"{_CREATE} .opblock-summary-control")
    assert not administrator.evaluate(_OVERFLOWS)
    administrator.click(f"{_CREATE} .try-out__btn")
    administrator.fill(f"{_CREATE} textarea", f'{{"tenant": "main", "key": "tried-{width}"}}')
    administrator.click(f"{_CREATE} .execute")
    status = administrator.locator(f"{_CREATE} .live-responses-table .response-col_status")
    expect(status.nth(1)).to_contain_text("201")
    assert wrong == []
