"""The jobs that people do about themselves, in a real Chromium: set up, tokens, why this file."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests import dists
from tests.browser.signing_in import sign_in
from tests.browser.sound import listen_to, require_sound_at_each_width
from tests.canaries import watch
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine
from tests.journeys.wire import Content, request, upload

VIRTUAL = "/main/pypi-virtual/"


@pytest.fixture(scope="module")
def pond(embedded: Larder) -> Repository:
    """A repository of acme with a frog in it."""
    repository = embedded.repository()
    publish(embedded, repository.url, embedded.writer)
    return repository


@pytest.fixture(scope="module")
def virtual(embedded: Larder) -> str:
    """The first virtual, which shows a frog that was published to its local."""
    publish(embedded, f"{embedded.url}/main/pypi-local/", embedded.admin)
    return embedded.url + VIRTUAL


def publish(embedded: Larder, to: str, token: str) -> None:
    embedded.forgive()
    filename, content = dists.make_wheel("frog", "1.0")
    sent = upload(to, token, Content(filename, len(content), [content]), name="frog", version="1.0")
    assert sent == (200, "OK")


def secret_on(page: Page) -> str:
    """Return the token that the page shows, and never let it be put out."""
    secret = page.locator("code.secret").inner_text()
    watch(secret)
    return secret


def test_the_snippet_that_was_copied_installs_and_the_page_sees_it(
    wes: Page, pond: Repository, machine: Machine
) -> None:
    wrong = listen_to(wes)
    wes.goto(f"{pond.url}project/frog/")
    wes.click("text=Set me up")
    wes.select_option("[name=purpose]", "install")
    wes.select_option("[name=days]", "1")
    wes.click("text=Make the token")
    expect(wes.locator("#seen-title + p")).to_contain_text("Waiting for your first request")
    secret_on(wes)
    command = wes.locator("[data-snippet='pip/command']").inner_text()
    program, *arguments = command.split()
    machine.run(program, *arguments, "--target", str(machine.home / "target"))
    assert (machine.home / "target" / "frog-1.0.dist-info").is_dir()
    line = wes.locator("#seen-title + p")
    expect(line).to_contain_text("asked for frog. You are connected.", timeout=20_000)
    expect(line).to_contain_text(re.compile(r"pip \d+\.\d+"))
    expect(line).to_contain_text(re.compile(r"\d+ s ago"))
    assert wrong == []


def test_the_token_is_masked_until_asked_for_and_copied_whole(wes: Page, pond: Repository) -> None:
    wes.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wes.goto(f"{pond.url}-/set-up/uv/")
    wes.click("text=Make the token")
    secret = secret_on(wes)
    shown = wes.locator(".snippet .secret").first
    colour = "each => getComputedStyle(each).color"
    assert shown.evaluate(colour) == "rgba(0, 0, 0, 0)"
    wes.locator("[data-snippet='uv/environment']").locator("xpath=../..").get_by_role(
        "button"
    ).click()
    wes.wait_for_selector("button[data-copied=yes]")
    copied = wes.evaluate("navigator.clipboard.readText()")
    assert copied.endswith(f"_PASSWORD={secret}")
    wes.keyboard.press("Tab")
    wes.locator("#reveal").focus()
    wes.keyboard.press("Space")
    assert shown.evaluate(colour) != "rgba(0, 0, 0, 0)"
    wes.goto(f"{pond.url}-/set-up/uv/")
    assert secret not in wes.content()


def test_reloading_the_answer_makes_no_second_token(
    wes: Page, embedded: Larder, pond: Repository
) -> None:
    """With scripts a reload asks for the page anew; without them it sends the form again."""
    wes.goto(f"{pond.url}-/set-up/pdm/")
    wes.click("text=Make the token")
    secret = secret_on(wes)
    wes.reload()
    expect(wes.locator("button:has-text('Make the token')")).to_be_visible()
    assert secret not in wes.content()
    wes.goto(f"{embedded.url}/accounts/tokens/")
    expect(wes.locator("tr", has_text="PDM")).to_have_count(1)


def test_it_works_without_scripts(
    chromium: Browser, embedded: Larder, password: str, pond: Repository
) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = sign_in(context.new_page(), embedded, "wes", password)
        page.goto(f"{pond.url}-/set-up/")
        page.click("nav[aria-label=Clients] >> text=Poetry")
        assert page.url == f"{pond.url}-/set-up/poetry/"
        page.click("text=Make the token")
        secret = secret_on(page)
        assert secret in page.inner_text("[data-snippet='poetry/credentials']")
        page.reload()
        assert "its token was made then" in page.inner_text(".messages")
        assert secret not in page.content()
        assert requests.get(f"{pond.simple}frog/", auth=("wes", secret), timeout=30).ok
        line = page.locator("#seen-title + p")
        for _ in range(10):  # it is written down within seconds
            page.wait_for_timeout(1000)
            page.click("text=Check again")
            if "python-requests" in line.inner_text():  # not what came before, by another client
                break
        expect(line).to_contain_text("python-requests")
        expect(line).to_contain_text("asked for frog. You are connected.")


def test_a_token_is_made_used_narrowed_and_revoked(
    wes: Page, embedded: Larder, pond: Repository
) -> None:
    wrong = listen_to(wes)
    wes.click("button.user-button")
    wes.click("#user-menu >> text=Tokens")
    wes.click("text=New token")
    wes.fill("[name=name]", "of the browser")
    wes.select_option("[name=role]", label="read and publish")
    wes.get_by_label(pond.name, exact=True).check()
    wes.click("text=Make the token")
    secret = secret_on(wes)
    with request("GET", pond.simple, secret) as answer:
        assert answer.status == 200
        answer.read()
    wes.click("text=All tokens")
    wes.click("text=of the browser")
    wes.select_option("[name=role]", label="read")
    wes.fill("[name=project_patterns]", "acme-*")
    wes.click("main button:has-text('Save')")
    row = wes.locator("tr", has_text="of the browser")
    expect(row).to_contain_text("projects acme-*")
    expect(row).not_to_contain_text("publish")
    row.get_by_role("button", name="Revoke").click()
    expect(wes.locator(".messages")).to_contain_text("is revoked. Nothing accepts it any more.")
    with request("GET", pond.simple, secret) as answer:
        assert answer.status == 401
        answer.read()
    assert wrong == []
    embedded.forgive()


def test_a_hidden_file_is_explained_and_the_way_to_its_setting_leads_there(
    administrator: Page, virtual: str
) -> None:
    wrong = listen_to(administrator)
    administrator.goto(virtual)
    administrator.click("main >> text=Explain")
    administrator.fill("[name=project]", "Frog")
    administrator.click("main button:has-text('Explain')")
    lines = administrator.locator("[aria-labelledby=lines]")
    expect(lines).to_contain_text("1 file shown, 0 hidden")
    expect(lines).to_contain_text("takes it")
    expect(administrator.locator(".notice").first).to_contain_text(
        "For Python 3.12 on Linux x86-64 pip takes frog-1.0-py3-none-any.whl, because 1.0 is the "
        "only version that fits"
    )
    explained = administrator.url
    set_status(administrator, virtual, "quarantined")
    administrator.goto(explained)
    expect(lines).to_contain_text("hidden it is quarantined in main/pypi-local")
    administrator.click("text=the project's status (main/pypi-local)")
    administrator.click("#result_list >> text=frog")
    administrator.select_option("[name=status]", "active")
    administrator.click("[name=_save]")
    administrator.goto(explained)
    expect(lines).to_contain_text("1 file shown, 0 hidden")
    assert wrong == []


def set_status(page: Page, virtual: str, status: str) -> None:
    """Give the frog of the local a status, in the admin."""
    page.goto(virtual.removesuffix(VIRTUAL) + "/admin/packages/project/?q=frog")
    page.click("#result_list >> text=frog")
    page.select_option("[name=status]", status)
    page.click("[name=_save]")


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    """Each of the two."""
    return str(request.param)


@pytest.fixture
def looking(chromium: Browser, embedded: Larder, password: str, theme: str) -> Iterator[Page]:
    """A window of wes in one of the themes."""
    with chromium.new_context(color_scheme=theme) as context:  # type: ignore[arg-type]
        yield sign_in(context.new_page(), embedded, "wes", password)


def test_no_page_breaks_a_rule_of_accessibility_or_runs_off_a_phone(
    looking: Page, embedded: Larder, pond: Repository
) -> None:
    wrong = listen_to(looking)
    own = ("", "password/", "tokens/", "tokens/new/")
    urls = [f"{embedded.url}/accounts/{path}" for path in own]
    urls += [f"{pond.url}-/set-up/{client}/" for client in ("pip", "github-actions", "windows")]
    urls += [f"{pond.url}-/explain/", f"{pond.url}-/explain/?project=frog"]
    for url in urls:
        looking.goto(url)
        require_sound_at_each_width(looking)
    looking.goto(f"{embedded.url}/accounts/tokens/new/")
    looking.fill("[name=name]", "x")
    looking.click("text=Make the token")
    require_sound_at_each_width(looking)  # with an error
    looking.goto(f"{pond.url}-/set-up/uv/")
    looking.click("text=Make the token")
    secret_on(looking)
    require_sound_at_each_width(looking)
    looking.goto(f"{embedded.url}/accounts/tokens/")
    looking.click("tbody th a >> nth=0")
    looking.wait_for_url(re.compile(r"/accounts/tokens/\d+/$"))
    require_sound_at_each_width(looking)
    assert wrong == []
