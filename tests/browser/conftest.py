"""What browser tests ask for: Chromium, a running Larder, and another site that means no good."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.signing_in import sign_in
from tests.journeys import larder as larders
from tests.journeys.larder import ADMIN_PASSWORD, Larder
from tests.journeys.machine import Machine
from tests.parts.missing import missing

# Nothing is measured here: on two busy processors a page may come late.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine. As root, in a container, it has no sandbox of its own.

    For one module: while it runs there is an event loop, in which Django asks no database.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("chromium", "`apt install chromium` or `make parts`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of a visitor whom nobody knows."""
    with chromium.new_context() as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def embedded() -> Iterator[Larder]:
    """Larder on SQLite and folders."""
    with larders.embedded() as running:
        yield running


class OtherSite:
    """A site at `localhost`, which is another one than `127.0.0.1` to a browser.

    `pages` holds what it serves, by path.
    """

    def __init__(self) -> None:
        pages = self.pages = {"/": ""}

        class Handler(BaseHTTPRequestHandler):
            timeout = 5  # a browser opens connections that it may never use

            def do_GET(self) -> None:
                page = pages.get(self.path)
                self.send_response(200 if page is not None else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"

    def visit(self, page: Page, content: str) -> None:
        """Let the browser open a page of this site with `content`."""
        self.pages["/"] = f"<!DOCTYPE html><title>Elsewhere</title><body>{content}</body>"
        page.goto(f"{self.url}/")


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[OtherSite]:
    """The other site."""
    site = OtherSite()
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def administrator(page: Page, embedded: Larder) -> Page:
    """A browser in which the administrator has signed in."""
    return sign_in(page, embedded, "admin", ADMIN_PASSWORD)


@pytest.fixture(scope="module")
def password(embedded: Larder) -> str:
    """The password of wes, who publishes to acme's repositories."""
    (made,) = embedded.manage(["set_password", "wes"])
    return made


@pytest.fixture
def wes(page: Page, embedded: Larder, password: str) -> Page:
    """A browser in which wes has signed in."""
    return sign_in(page, embedded, "wes", password)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any configuration."""
    home = tmp_path / "home"
    home.mkdir()
    return Machine(home)
