"""All that people come to Larder for, one thing after the other, in a real Chromium and by clients.

An administrator makes room for bob; bob publishes, finds, reads, compares, connects his clients
with what the pages give him to copy, and asks why a file is hidden. Nobody types an address: what
follows is behind a link or a button, or the test stops there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import dists
from tests.browser.dropping import drop
from tests.browser.signing_in import sign_in
from tests.browser.sound import listen_to
from tests.canaries import watch
from tests.journeys.crew import crew
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository
from tests.journeys.machine import Machine, signed_in
from tests.journeys.wire import Content, upload

LOCAL, VIRTUAL = "acme/jobs", "acme/everything"
WHEEL = "frog-1.0-py3-none-any.whl"
READ_WITHIN = 30_000  # milliseconds: the quiet period of a second, a bell, a worker


@pytest.fixture(scope="module")
def bob(embedded: Larder) -> str:
    """The password of bob, a member of acme who may read there and no more."""
    (password,) = embedded.manage(["create_user", "bob", "--tenant", "acme"])
    return password


@pytest.fixture(scope="module")
def attic(embedded: Larder) -> Repository:
    """A repository of acme that holds a frog 1.0 with other bytes than bob's."""
    repository = embedded.repository()
    embedded.forgive()
    filename, content = dists.make_wheel("frog", "1.0", description="Of another pond.")
    sent = Content(filename, len(content), [content])
    answer = upload(repository.url, embedded.writer, sent, name="frog", version="1.0")
    assert answer == (200, "OK")
    return repository


@pytest.fixture
def with_beat(embedded: Larder) -> Iterator[None]:
    """Beat, which rings for extraction as it does in production."""
    with crew(embedded, "beat-1"):
        yield


@pytest.mark.usefixtures("with_beat")
def test_the_main_jobs_are_done_by_clicking_and_what_is_copied_works(
    page: Page, embedded: Larder, attic: Repository, bob: str, machine: Machine
) -> None:
    wrong = listen_to(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, embedded, "admin", ADMIN_PASSWORD)
    make_the_local(page)
    let_bob_publish(page)
    make_the_virtual(page, LOCAL, attic.name)
    sign_out(page)
    sign_in(page, embedded, "bob", bob)
    publish_by_dropping(page, "1.0")
    find_by_property_and_read(page)
    publish_by_dropping(page, "2.0")
    compare_the_releases(page)
    install_with_pip(page, machine)
    install_with_uv(page, machine)
    publish_with_twine(page, machine)
    make_use_and_revoke_a_token(page, machine, Repository(f"{embedded.url}/{LOCAL}/"))
    explain_the_hidden_file(page, attic)
    assert wrong == []


def make_the_local(page: Page) -> None:
    """In the admin, where one comes by the menu behind one's name."""
    menu(page, "Administration")
    page.get_by_role("row", name="Repositories").get_by_role("link", name="Add").first.click()
    page.select_option("[name=tenant]", label="acme")
    page.fill("[name=key]", LOCAL.partition("/")[2])
    page.fill("[name=quiet_period]", "1")
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_contain_text(LOCAL)


def let_bob_publish(page: Page) -> None:
    """Give him a grant among those of the repository, and read what it comes to."""
    page.locator(".messagelist").get_by_role("link", name=LOCAL).click()
    row = page.locator("#grants-group tr.form-row:not(.empty-form)").last
    choose(page, row.locator(".field-membership"), "bob in acme")
    row.locator("select[name$=role]").select_option(label="writer")
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_contain_text(f"bob may now publish to {LOCAL}")


def make_the_virtual(page: Page, *members: str) -> None:
    """A second repository, over the first one and another."""
    page.click(".object-tools >> text=Add repository")
    page.select_option("[name=tenant]", label="acme")
    page.fill("[name=key]", VIRTUAL.partition("/")[2])
    page.select_option("[name=kind]", label="virtual")
    page.click("[name=_save]")
    for name in members:
        row = page.locator("#members-group tr.form-row:not(.empty-form)").last
        choose(page, row.locator(".field-repository"), name)
        page.click("[name=_continue]")
    expect(page.locator("#members-group tr.has_original")).to_have_count(len(members))


def publish_by_dropping(page: Page, version: str) -> None:
    """Drop a wheel on the repository's page for uploads, and wait until it has been read."""
    open_repository(page, LOCAL)
    page.click("main >> text=Upload")
    files = {"frog.pth": b"import frog\n"} if version == "2.0" else {}
    drop(page, *frog(version, files))
    expect(page.locator("[data-upload=ready]")).to_contain_text(f"frog {version}")
    page.click("text=Properties for these files")
    page.fill("[data-properties]", "qa.pond=north")
    page.click("[data-publish-all]")
    expect(page.locator("[data-upload=published]")).to_contain_text("Installable from now on")
    page.get_by_label("Breadcrumb").get_by_role("link", name="jobs").click()
    expect(page.locator("#projects")).to_contain_text("frog")
    expect(page.locator("#waiting[hx-get]")).to_have_count(0, timeout=READ_WITHIN)


def find_by_property_and_read(page: Page) -> None:
    """Search from the head of a page, and open the tab PyPI Info of what is found."""
    page.fill("#site-search", "qa.pond:north")
    page.press("#site-search", "Enter")
    expect(page.locator("#hits")).to_have_text(re.compile(r"\s*1 file\s*"))
    page.locator("main").get_by_role("link", name=WHEEL).click()
    page.click(".file-tabs >> text=PyPI Info")
    fields = page.locator("[aria-labelledby=fields]")
    expect(fields).to_contain_text("Frogs for functional units")
    expect(fields).to_contain_text(">=3.9")


def compare_the_releases(page: Page) -> None:
    """From the list of projects to the versions of one, and to what is new in the later."""
    page.locator("#projects").get_by_role("link", name="frog").click()
    page.click(".project-tabs >> text=Versions")
    page.click("main button:has-text('Compare')")
    expect(page.locator("h1")).to_contain_text("1.0 → 2.0")
    expect(page.locator(".surprises")).to_contain_text("it runs code each time Python starts")


def install_with_pip(page: Page, machine: Machine) -> None:
    """Make a token beside the snippets, copy one, run it, and see the request arrive."""
    page.get_by_label("Breadcrumb").get_by_role("link", name="frog").click()
    page.click("main >> text=Set me up")
    make_the_token(page, "install")
    copied = copy_snippet(page, "pip/command")
    machine.types(copied, "pip", PIP_TARGET=str(machine.home / "target"))
    assert (machine.home / "target" / "frog-2.0.dist-info").is_dir()
    seen = page.locator("#seen-title + p")
    expect(seen).to_contain_text(re.compile(r"pip \d+\.\d+"), timeout=20_000)
    expect(seen).to_contain_text("asked for frog. You are connected.")


def install_with_uv(page: Page, machine: Machine) -> None:
    """The same with uv, in the environment that its user is in."""
    page.get_by_label("Clients").get_by_role("link", name="uv").click()
    make_the_token(page, "install")
    venv = str(machine.home / "venv")
    machine.run("uv", "venv", venv)
    machine.types(copy_snippet(page, "uv/command"), "uv", VIRTUAL_ENV=venv)
    assert list(machine.home.glob("venv/lib/*/site-packages/frog-2.0.dist-info"))


def publish_with_twine(page: Page, machine: Machine) -> None:
    """With a token that publishes, from a project's folder."""
    page.get_by_label("Clients").get_by_role("link", name="twine").click()
    make_the_token(page, "publish")
    project = machine.folder("project")
    filename, content = frog("3.0")
    (project / "dist").mkdir()
    (project / "dist" / filename).write_bytes(content)
    lines = [copy_snippet(page, f"twine/{each}") for each in ("environment", "upload")]
    machine.types("\n".join(lines), "twine", within=project)
    expect(page.locator("#seen-title + p")).to_contain_text("sent an upload", timeout=20_000)


def make_use_and_revoke_a_token(page: Page, machine: Machine, local: Repository) -> None:
    """Under Tokens; pip is let in by it, and refused once it is revoked."""
    menu(page, "Tokens")
    page.click("text=New token")
    page.fill("[name=name]", "bob's laptop")
    page.get_by_label(local.name, exact=True).check()
    page.click("text=Make the token")
    page.get_by_label("Copy the token").click()
    secret = clipboard(page)
    watch(secret)
    index = signed_in(local.simple, secret)
    asked = ("download", "--no-deps", "--no-cache-dir", "--index-url", index, "frog==3.0")
    machine.run("pip", *asked)
    page.click("text=All tokens")
    row = page.get_by_role("row", name="bob's laptop")
    row.get_by_role("button", name="Revoke").click()
    expect(page.locator(".messages")).to_contain_text("is revoked")
    assert "401" in machine.fails("pip", *asked, "--no-input", "-v")


def explain_the_hidden_file(page: Page, attic: Repository) -> None:
    """Two members have a file of one name: the virtual shows the first one's and says so."""
    open_repository(page, VIRTUAL)
    page.click("main >> text=Explain")
    page.fill("[name=project]", "frog")
    page.click("main button:has-text('Explain')")
    expect(page.locator("#lines")).to_have_text("3 files shown, 1 hidden")
    lines = page.locator("[aria-labelledby=lines]")
    hidden = lines.get_by_role("row").filter(has_text="hidden")
    expect(hidden).to_contain_text(WHEEL)
    expect(hidden).to_contain_text(attic.name)
    expect(hidden).to_contain_text("other bytes")


def frog(version: str, files: dict[str, bytes] | None = None) -> tuple[str, bytes]:
    """Return bob's wheel."""
    return dists.make_wheel(
        "frog",
        version,
        requires_python=">=3.9",
        extra_headers=["Summary: Frogs for functional units"],
        files=files,
    )


def open_repository(page: Page, name: str) -> None:
    """Go home by the wordmark, and on to a repository from its shelf."""
    page.click(".wordmark")
    tenant, _, key = name.partition("/")
    page.locator(f"#{tenant}").get_by_role("link", name=key, exact=True).click()
    expect(page.locator("h1")).to_have_text(key)


def menu(page: Page, what: str) -> None:
    """Choose from the menu behind one's name."""
    page.click("button.user-button")
    page.click(f"#user-menu >> text={what}")


def sign_out(page: Page) -> None:
    """Leave."""
    menu(page, "Sign out")
    expect(page.locator(".site-header").get_by_role("link", name="Sign in")).to_be_visible()


def choose(page: Page, field: Locator, row: str) -> None:
    """Type into a field of the admin the first word of what it offers, and take it."""
    field.locator(".select2-selection").click()
    with page.expect_response(re.compile(r"/admin/autocomplete/\?term=\w")):
        page.locator(".select2-search__field").fill(row.partition(" ")[0])
    page.get_by_role("option", name=row, exact=True).click()


def make_the_token(page: Page, purpose: str) -> None:
    """Make a token beside the snippets, and never let it be put out."""
    page.select_option("[name=purpose]", purpose)
    page.select_option("[name=days]", label="a day")
    page.click("text=Make the token")
    watch(page.locator("code.secret").inner_text())


def copy_snippet(page: Page, which: str) -> str:
    """Press the button beside a snippet, and return what is on the clipboard then."""
    snippet = page.locator(f"[data-copy-source]:has([data-snippet='{which}'])")
    snippet.get_by_role("button").click()
    expect(snippet.locator("button[data-copied=yes]")).to_be_visible()
    return clipboard(page)


def clipboard(page: Page) -> str:
    """Return what was copied."""
    return str(page.evaluate("navigator.clipboard.readText()"))
