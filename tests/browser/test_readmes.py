"""READMEs that mean no good, rendered and opened in Chromium: no script runs, nobody is told.

The page has no policy of its own that would forbid it: what is rendered must be safe by itself.
"""

from __future__ import annotations

from playwright.sync_api import Page, Route

from packages.reading.readme import render
from tests.archives.harmless import require_harmless_html
from tests.archives.readme_vectors import RAN, TRACKER, VECTORS

HOME = "http://readme.test/"
PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>{}<p id="end">'
LOOKS = "[document.querySelectorAll('[id]:not(#end):not([id^=readme-])').length, 'ran' in window]"


def opened(page: Page, content: str) -> list[str]:
    """Open a page with this in it, and return the URLs that it asked for."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url != HOME:
            asked.append(route.request.url)
        route.fulfill(body=PAGE.format(content), content_type="text/html")

    page.route("**/*", answer)
    page.goto(HOME)
    page.wait_for_selector("#end", state="attached")
    page.wait_for_timeout(50)  # of what is loaded or run a little later
    page.unroute("**/*")
    return asked


def test_readmes_run_nothing_and_tell_nobody(page: Page) -> None:
    guilty = []
    for kind, text in VECTORS:
        rendered = render(text, kind).html
        require_harmless_html(rendered)
        asked = opened(page, rendered)
        if asked or page.evaluate(LOOKS) != [0, False] or page.url != HOME:
            guilty.append((kind, text, rendered, asked))
    assert guilty == []
    assert len(VECTORS) >= 100


def test_a_page_that_does_is_noticed(page: Page) -> None:
    assert opened(page, f"<img src='{TRACKER}/pixel.gif'>") == [f"{TRACKER}/pixel.gif"]
    opened(page, f"<script>{RAN}</script>")
    assert page.evaluate(LOOKS) == [0, True]


def test_links_lead_outside_or_within_the_readme(page: Page) -> None:
    text = "# Up\n\n[up](#up) [out](https://example.org/) [ours](/logout) [mail](mailto:a@b.c)\n"
    opened(page, render(text, "text/markdown").html)
    links = page.locator("p a").evaluate_all(
        "all => all.map(a => [a.textContent, a.getAttribute('href'), a.rel])"
    )
    rel = "nofollow noopener noreferrer"
    assert links == [
        ["up", "#readme-up", rel],
        ["out", "https://example.org/", rel],
        ["ours", None, rel],
        ["mail", "mailto:a@b.c", rel],
    ]
    page.click("p a >> text=up")
    assert page.url == f"{HOME}#readme-up"
