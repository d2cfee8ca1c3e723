"""Every screen, for everybody who may see it: sound to axe, on a phone, in both themes.

Each pair of screen and person is looked at once; themes and widths take turns, so that each screen
and each person meets all four.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import cycle

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.house import House, furnished
from tests.browser.screens import ADMIN, EVERYBODY, SCREENS, led_to
from tests.browser.signing_in import sign_in
from tests.browser.sound import Known, listen_to, require_sound, require_sound_at_each_width
from tests.journeys.larder import ADMIN_PASSWORD, Larder

LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 390)]
PAGE_AT_MOST = 150_000  # bytes, as they are sent


@pytest.fixture(scope="module")
def house(embedded: Larder) -> Iterator[House]:
    """A furnished house."""
    with furnished(embedded, ADMIN_PASSWORD) as made:
        yield made


def window_of(context: BrowserContext, house: House, name: str) -> Page:
    """Open a window in which a person has signed in; without a name, of somebody unknown."""
    page = context.new_page()
    return sign_in(page, house.larder, name, house.passwords[name]) if name else page


_SELECT2 = "select2, which Django brings, names its boxes after what is chosen in them"
# Of Django's own admin, which docs/administration.md names too; whatever is ours is mended.
KNOWN = (
    Known("aria-input-field-name", ".select2-selection--single", _SELECT2),
    Known("aria-input-field-name", ".select2-selection__rendered[role=textbox]", _SELECT2),
    Known("label", ".select2-search__field", _SELECT2),
    Known("list", "ul.select2-selection__rendered", "it holds a box to type in beside its items"),
    Known("label", ".vDateField, .vTimeField", "both halves of a moment have one label, for none"),
)


@pytest.mark.parametrize("name", sorted(EVERYBODY))
def test_each_screen_is_sound(chromium: Browser, house: House, name: str) -> None:
    turns = cycle(range(len(LOOKS)))
    for _ in range(sorted(EVERYBODY).index(name)):
        next(turns)
    with chromium.new_context() as context:
        page = window_of(context, house, name)
        wrong = listen_to(page)
        for title, screen in SCREENS.items():
            theme, width = LOOKS[next(turns)]
            if name not in screen.callers:
                continue
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(f"{house.larder.url}/{screen.path}")
            assert answer is not None
            assert answer.status == screen.status, title
            assert answer.request.sizes()["responseBodySize"] < PAGE_AT_MOST, title
            require_sound(page)
            # Chromium itself reports what is no 200.
            assert [each for each in wrong if "status of" not in each] == [], title


def test_who_may_not_is_told_in_the_words_of_the_terminal(chromium: Browser, house: House) -> None:
    with chromium.new_context() as context:
        page = window_of(context, house, "ray")
        page.goto(house.url("acme/pypi-local", "-/upload/"))
        assert "You may read acme/pypi-local but not publish to it." in page.inner_text("main")
        page.goto(house.url("globex/pypi-local"))
        assert "globex-vault" not in page.content()


def test_the_admin_is_sound_but_for_what_is_djangos_own(chromium: Browser, house: House) -> None:
    turns, met, seen, ahead = cycle(LOOKS), set[Known](), set[str](), deque(ADMIN)
    with chromium.new_context(reduced_motion="reduce") as context:
        page = window_of(context, house, "admin")
        wrong = listen_to(page)
        while ahead:
            path = ahead.popleft()
            if path in seen:
                continue
            seen.add(path)
            theme, width = next(turns)
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(house.larder.url + path)
            assert answer is not None
            assert answer.status == 200, path
            # Before axe looks: it loads anew what a stylesheet imports, against the policy.
            assert wrong == [], path
            met |= require_sound(page, KNOWN)
            wrong.clear()
            ahead += led_to(page)
    assert met == set(KNOWN), "what Django has mended is known no more"


def test_what_the_admin_asks_again_and_refuses_is_sound(chromium: Browser, house: House) -> None:
    with chromium.new_context() as context:
        page = window_of(context, house, "admin")
        page.goto(f"{house.larder.url}/admin/repos/grant/")
        page.locator("input[name=_selected_action]").first.check()
        page.select_option("[name=action]", "delete_selected")
        page.click("button[name=index]")
        expect(page.locator("h1")).to_have_text("Delete multiple objects")
        require_sound_at_each_width(page)
        page.goto(f"{house.larder.url}/admin/repos/repository/add/")
        page.fill("[name=key]", "Not A Key")
        page.evaluate("document.querySelector('#repository_form').noValidate = true")
        page.click("[name=_save]")
        expect(page.locator(".errornote")).to_be_visible()
        require_sound_at_each_width(page)
