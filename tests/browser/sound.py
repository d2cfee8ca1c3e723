"""What is asked of every page: accessible to the letter, no line cut off, no error logged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (1280, 390)
_AA = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# WCAG 2.2, Reflow: nothing is cut off or scrolled sideways on a phone.
_OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
_MATCHES = "(element, selector) => element.matches(selector)"
_LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def listen_to(page: Page) -> list[str]:
    """Collect what goes wrong in `page` from now on."""
    wrong: list[str] = []
    page.add_init_script(_LISTEN)
    page.on(
        "console",
        lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    # A picture that was still on its way when the next page was opened is no failure.
    page.on(
        "requestfailed",
        lambda failed: (
            wrong.append(f"{failed.url}: {failed.failure}")
            if failed.failure != "net::ERR_ABORTED"
            else None
        ),
    )
    return wrong


@dataclass(frozen=True)
class Known:
    """What breaks a rule of axe and is not ours to mend."""

    rule: str
    selector: str  # of the elements that do
    why: str


def require_sound(page: Page, known: Iterable[Known] = ()) -> set[Known]:
    """Require of the open page what axe and its width do; return which of `known` it has."""
    met, told = set[Known](), []
    for violation in Axe().run(page, options=_AA).response["violations"]:
        for node in violation["nodes"]:
            (selector,) = node["target"]
            found = [
                each
                for each in known
                if each.rule == violation["id"]
                and page.locator(selector).evaluate(_MATCHES, each.selector)
            ]
            met.update(found)
            told += [] if found else [(violation["id"], selector)]
    width = page.viewport_size["width"] if page.viewport_size else None
    assert not told, f"{page.url} at {width} px: {told}"
    assert not page.evaluate(_OVERFLOWS), f"{page.url} runs off a page of {width} px"
    return met


def require_sound_at_each_width(page: Page) -> None:
    """Require it on a desktop and on a phone."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        require_sound(page)
