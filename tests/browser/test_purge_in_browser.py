"""Purging what a remote keeps, in a real Chromium: asked for, watched, gone on after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests import dists
from tests.browser.sound import listen_to, require_sound_at_each_width
from tests.journeys.distributions import File
from tests.journeys.indexes import static_index
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository
from tests.journeys.machine import sha256_of
from tests.journeys.remotes import make_remote

NAMES = ("frog", "newt", "toad")
# A worker that does one step and is killed, as by an administrator who is out of memory.
_BE_KILLED = """
import os, signal
import django
django.setup()
from datetime import timedelta
from packages import purge
from packages.models import CachePurge
purge.LEASE = timedelta(0)  # the next worker need not wait for its end
steps = purge.steps(purge.take(CachePurge.objects.all()))
next(steps)
os.kill(os.getpid(), signal.SIGKILL)
"""
_KILLED = f"""
import subprocess, sys
print(subprocess.run([sys.executable, "-c", {_BE_KILLED!r}]).returncode)
"""
_GO_ON = """
import django
django.setup()
from packages.purge import purge_due
print(purge_due())
"""


@pytest.fixture
def remote(embedded: Larder, tmp_path: Path) -> Iterator[Repository]:
    """A remote that keeps three files of three projects."""
    files = []
    for name in NAMES:
        filename, content = dists.make_wheel(name, "1.0")
        (tmp_path / filename).write_bytes(content)
        files.append(File(tmp_path / filename, name, "1.0", sha256_of(content)))
    embedded.forgive()
    with static_index(files) as index:
        made = make_remote(embedded, f"kept-{tmp_path.name.replace('_', '-')}", index)
        for file in files:
            fetch(embedded, made, file.path.name)
        yield made


def fetch(embedded: Larder, remote: Repository, filename: str) -> None:
    url = f"{remote.url}files/{filename.split('-', 1)[0]}/{filename}"
    answer = requests.get(url, auth=("__token__", embedded.reader), timeout=30)
    assert answer.status_code == 200


def sign_in(page: Page, embedded: Larder) -> Page:
    embedded.forgive()
    page.goto(f"{embedded.url}/accounts/sign-in/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", ADMIN_PASSWORD)
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{embedded.url}/")
    return page


def test_a_purge_is_asked_for_watched_and_survives_a_killed_worker(
    administrator: Page, embedded: Larder, remote: Repository
) -> None:
    wrong = listen_to(administrator)
    administrator.goto(remote.url)
    administrator.click("nav >> text=Cache")
    administrator.click("button:has-text('Purge')")
    expect(administrator.locator(".field-error")).to_contain_text("type acme/kept-")
    administrator.get_by_label("The repository's name").fill(remote.name)
    administrator.click("button:has-text('Purge')")
    state = administrator.locator("#purge-state")
    expect(state).to_contain_text("waits for a worker")
    assert embedded.python(_KILLED).strip() == "-9"
    expect(state).to_contain_text("1 of 3", timeout=10_000)  # by itself
    fetch(embedded, remote, "frog-1.0-py3-none-any.whl")  # fetched anew, and stays
    assert embedded.python(_GO_ON).strip() == "2"
    expect(state).to_contain_text("The purge has ended.", timeout=10_000)
    expect(state).to_contain_text("3 files")
    administrator.reload()
    expect(administrator.locator(".meta")).to_contain_text("1 file")
    # What was tried without the name typed is a refusal, which browsers log.
    assert [each for each in wrong if "400" not in each] == []


def test_a_purge_is_begun_in_the_admin_and_by_command(
    administrator: Page, embedded: Larder, remote: Repository
) -> None:
    administrator.goto(f"{embedded.url}/admin/packages/remote/")
    row = administrator.locator("#result_list tr", has_text=remote.name.partition("/")[2])
    row.locator("input[type=checkbox]").check()
    administrator.select_option(
        "select[name=action]", label="Purge the cache of the chosen remotes"
    )
    administrator.click("button[name=index]")
    administrator.get_by_label(f"Type {remote.name} to go on:").fill(remote.name)
    administrator.click("input[value=Purge]")
    expect(administrator.locator(".messagelist")).to_contain_text("Purging 1 remote.")
    expect(row).to_contain_text("0 of 0 files")
    # Who asks again is told of the same one, and does it where no worker is at it.
    (said,) = embedded.manage(["purge_cache", remote.name, "--no-input"])
    assert said.startswith("3 files let go, ")
    administrator.reload()
    expect(row).to_contain_text("none")


def test_no_page_breaks_a_rule_of_accessibility_or_runs_off_a_phone(
    chromium: Browser, embedded: Larder, remote: Repository
) -> None:
    def look(theme: str) -> None:
        with chromium.new_context(color_scheme=theme) as context:  # type: ignore[arg-type]
            page = sign_in(context.new_page(), embedded)
            page.goto(f"{remote.url}-/cache/")
            require_sound_at_each_width(page)
            if page.locator("button:has-text('Purge')").count():
                page.click("button:has-text('Purge')")
                require_sound_at_each_width(page)  # with an error

    look("light")
    with chromium.new_context(java_script_enabled=False) as context:
        page = sign_in(context.new_page(), embedded)
        page.goto(f"{remote.url}-/cache/")
        page.get_by_label("The repository's name").fill(remote.name)
        page.click("button:has-text('Purge')")
        assert embedded.python(_KILLED).strip() == "-9"
        page.click("text=See how far it is now")
        expect(page.locator("#purge-state")).to_contain_text("1 of 3")
    look("light")
    look("dark")
    embedded.python(_GO_ON)
    look("dark")
