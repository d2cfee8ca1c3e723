"""Takes the pictures of README and docs in Chromium, from a furnished Larder."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.house import LOCAL, VIRTUAL, House, furnished
from tests.browser.screens import FILE
from tests.browser.signing_in import sign_in
from tests.clients import ROOT
from tests.journeys import larder as larders
from tests.journeys.larder import ADMIN_PASSWORD

FOLDER = ROOT / "docs" / "images"
# Name of the picture, page, theme, width and height in CSS pixels.
PICTURES = (
    ("home", "", "light", 1280, 800),
    ("repository", f"{LOCAL}/", "light", 1280, 860),
    ("project", f"{LOCAL}/project/acme-billing/", "light", 1280, 900),
    ("file", f"{FILE}?tab=contents", "dark", 1280, 800),
    ("compare", f"{LOCAL}/-/compare/acme-billing/?from=2.0&to=2.1", "light", 1280, 800),
    ("set-up", f"{VIRTUAL}/-/set-up/", "light", 1280, 800),
    ("explain", f"{VIRTUAL}/-/explain/?project=acme-billing", "light", 1280, 800),
    ("tree", f"{LOCAL}/browse/acme-billing/2.1/", "dark", 1280, 800),
    ("phone", f"{LOCAL}/project/acme-billing/", "dark", 390, 844),
)


def main() -> int:
    """Take all pictures, or those whose names are given, and return the exit code."""
    wanted = sys.argv[1:] or [name for name, *_ in PICTURES]
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("Chromium is not installed: `apt install chromium` or `make parts`.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        larders.embedded() as larder,
        furnished(larder, ADMIN_PASSWORD) as house,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, path, theme, width, height in PICTURES:
            if name in wanted:
                _take(browser, house, path, FOLDER / f"{name}.png", (theme, width, height))
        browser.close()
    return 0


def _take(
    browser: Browser, house: House, path: str, picture: Path, look: tuple[str, int, int]
) -> None:
    theme, width, height = look
    with browser.new_context(
        color_scheme=theme,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
        device_scale_factor=2 if width < 800 else 1,
    ) as context:
        page = sign_in(context.new_page(), house.larder, "wes", house.passwords["wes"])
        page.goto(f"{house.larder.url}/{path}")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=picture)


if __name__ == "__main__":
    sys.exit(main())
