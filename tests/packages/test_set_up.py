"""The page that sets a client up: its snippets, the token made for them, and who has called."""

from __future__ import annotations

import re
import tomllib
from http import HTTPStatus
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import members, tokens
from accounts.models import Membership
from accounts.roles import Role
from base.audit import SYSTEM
from packages.set_up.clients import GROUPS, Block, clients
from packages.set_up.filling import Setting, filled, offered
from repos import client_calls, configure
from repos.models import ClientCall, Kind, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.searches import pip_search, searched
from tests.uploads import published, upload
from tests.virtuals import make_virtual

EVERYTHING = Setting(
    base_url="https://larder.example",
    repository="acme/local",
    user="ann@pond",
    project="frog",
    secret="lrd_secret",
    may_publish=True,
)


def snippets_of(page: str) -> dict[str, str]:
    """Return the texts of a page's snippets."""
    found = BeautifulSoup(page, "html.parser").select("[data-snippet]")
    return {str(each["data-snippet"]): each.get_text() for each in found}


def shown(client: Client, path: str = "/acme/local/-/set-up/") -> str:
    answer = client.get(path)
    assert answer.status_code == HTTPStatus.OK
    return answer.content.decode()


def make_token(client: Client, path: str, purpose: str = "install", **change: str) -> Any:
    return client.post(path, {"purpose": purpose, "days": "7", "form_key": "one"} | change)


@pytest.fixture
def wes(client: Client, cast: Cast) -> Client:
    """The browser of wes, who publishes to acme/local."""
    client.force_login(cast.acme.writer.user)
    return client


@pytest.fixture(autouse=True)
def no_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a process that has noted nothing."""
    monkeypatch.setattr(client_calls, "_noted", {})


# The texts.


def test_every_client_is_offered_in_a_group_and_every_file_is_a_client() -> None:
    assert list(clients()) == [slug for group in GROUPS.values() for slug in group]


@pytest.mark.parametrize("slug", list(clients()))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_snippet_is_filled_and_none_suggests_another_index(slug: str, scheme: str) -> None:
    setting = Setting(
        base_url=f"{scheme}://larder.example",
        repository="acme/local",
        user="ann@pond",
        secret="lrd_secret",
        may_publish=True,
    )
    for snippets in filled(clients()[slug], setting).values():
        for each in snippets:
            assert "§" not in each.text
            assert not re.search("extra|find-links|explicit|supplemental", each.text), each.text
            assert "".join(text for text, _ in each.parts) == each.text
            assert all((text == "lrd_secret") == is_secret for text, is_secret in each.parts)


def test_a_name_that_no_url_may_hold_is_quoted_there_alone() -> None:
    texts = {
        f"{client.slug}/{each.snippet.id}": each.text
        for client in offered(EVERYTHING)
        for snippets in filled(client, EVERYTHING).values()
        for each in snippets
    }
    assert "https://ann%40pond:lrd_secret@larder.example/acme/local/simple/" in texts["pip/conf"]
    assert "login ann@pond" in texts["netrc/netrc"]


@pytest.mark.parametrize("slug", ["github-actions", "gitlab-ci", "cloud-build"])
def test_what_a_ci_reads_is_yaml_and_runs_the_commands_of_the_clients(slug: str) -> None:
    blocks = filled(clients()[slug], EVERYTHING)
    tested = {
        line
        for name in ("pip", "twine")
        for snippets in filled(clients()[name], EVERYTHING).values()
        for each in snippets
        for line in each.text.splitlines()
    }
    # What makes a distribution to publish; it is no snippet of ours.
    tested |= {"pip install build twine", "python -m build"}
    for snippets in blocks.values():
        for each in snippets:
            ran = list(commands_in(yaml.safe_load(each.text.replace("$$", "$"))))
            assert ran
            assert {line for line in ran if not line.startswith("export ")} <= tested
            assert "lrd_secret" not in each.text, "a CI has its own place for secrets"


def commands_in(node: Any, key: str = "") -> list[str]:
    """Return the shell commands in a CI's document."""
    if isinstance(node, dict):
        return [line for name, each in node.items() for line in commands_in(each, str(name))]
    if isinstance(node, list):
        return [line for each in node for line in commands_in(each, key)]
    is_command = key in {"run", "script", "args"} and node != "-c"
    return str(node).strip().splitlines() if is_command else []


def test_what_belongs_into_pyproject_is_toml() -> None:
    for slug in ("uv", "pdm"):
        (text,) = [
            each.text
            for snippets in filled(clients()[slug], EVERYTHING).values()
            for each in snippets
            if each.snippet.path == "pyproject.toml"
        ]
        assert tomllib.loads(text)["tool"][slug]


def test_who_has_not_signed_in_gets_no_snippet_that_needs_a_token() -> None:
    setting = Setting(base_url="https://larder.example", repository="acme/open", user="")
    offered_to_anyone = offered(setting)
    assert [each.slug for each in offered_to_anyone[:3]] == ["pip", "uv", "poetry"]
    assert "netrc" not in {each.slug for each in offered_to_anyone}
    for client in offered_to_anyone:
        for snippets in filled(client, setting).values():
            for each in snippets:
                assert "YOUR_TOKEN" not in each.text
                assert "@larder" not in each.text


# The page.


@pytest.mark.parametrize("slug", list(clients()))
def test_each_client_has_its_page(wes: Client, slug: str) -> None:
    page = shown(wes, f"/acme/local/-/set-up/{slug}/")
    assert snippets_of(page)
    assert 'aria-current="page">' in page


def test_without_a_token_the_snippets_say_where_to_put_one(wes: Client) -> None:
    texts = snippets_of(shown(wes))
    assert texts["pip/conf"] == (
        "[global]\nindex-url = http://wes:YOUR_TOKEN@testserver/acme/local/simple/"
    )


def test_a_token_is_made_as_small_as_its_purpose_and_shown_in_that_answer_alone(
    wes: Client, cast: Cast, time: MovableClock
) -> None:
    path = "/acme/local/-/set-up/pip/"
    answer = make_token(wes, path)
    page = answer.content.decode()
    (secret,) = set(re.findall(r"lrd_\w{57}", page))
    token = tokens.find(secret)
    assert token is not None
    assert (token.role, token.name) == (
        Role.READER,
        f"pip for acme/local, {time():%Y-%m-%d}",
    )
    assert [each.repository for each in token.repositories.all()] == [cast.acme.repository]
    assert token.expires_at is not None
    assert (token.expires_at - time()).days == 7
    assert secret in snippets_of(page)["pip/conf"]
    assert f'<span class="secret">{secret}</span>' in page
    assert "no-store" in answer.headers["Cache-Control"]
    assert make_token(wes, path).status_code == HTTPStatus.FOUND
    assert "lrd_" not in shown(wes, path)
    assert secret not in str(dict(wes.session))


def test_who_publishes_gets_a_token_that_may(wes: Client, cast: Cast) -> None:
    page = make_token(wes, "/acme/local/-/set-up/twine/", "publish").content.decode()
    secret = re.findall(r"lrd_\w{57}", page)[0]
    by = cast.acme.writer
    by.secret = secret
    assert upload(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=by).status_code == 200


def test_a_reader_sees_nothing_of_publishing_and_gets_no_token_for_it(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.acme.reader.user)
    page = shown(client, "/acme/local/-/set-up/uv/")
    assert "uv/publish" not in snippets_of(page)
    assert "twine" not in page
    assert client.get("/acme/local/-/set-up/twine/").status_code == HTTPStatus.NOT_FOUND
    answer = make_token(client, "/acme/local/-/set-up/uv/", "publish")
    assert "lrd_" not in answer.content.decode()
    assert "Select a valid choice" in answer.content.decode()


def test_a_virtual_publishes_to_its_deployment_repository(client: Client, cast: Cast) -> None:
    virtual = make_virtual(cast.acme, "all", [cast.acme.repository])
    for person in (cast.acme.writer, cast.acme.reader):
        grant(virtual, Role.READER, person)
    client.force_login(cast.acme.writer.user)
    path = "/acme/all/-/set-up/uv/"
    assert "uv/publish" not in snippets_of(shown(client, path))
    settings = VirtualSettings.objects.filter(repository=virtual).first()
    settings = settings or VirtualSettings(repository=virtual)
    settings.deployment = cast.acme.repository
    configure.save_virtual(settings, by=SYSTEM)
    page = make_token(client, path, "publish").content.decode()
    text = snippets_of(page)["uv/publish"]
    assert "export UV_PUBLISH_URL=http://testserver/acme/all/" in text
    by = cast.acme.writer
    by.secret = re.findall(r"lrd_\w{57}", page)[0]
    sent = upload(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=by, to="/acme/all/")
    assert sent.status_code == HTTPStatus.OK, sent.reason_phrase
    client.force_login(cast.acme.reader.user)
    assert "uv/publish" not in snippets_of(shown(client, path))


def test_who_administers_the_local_is_led_from_ci_to_its_publishers(
    client: Client, wes: Client, cast: Cast
) -> None:
    virtual = make_virtual(cast.acme, "all", [cast.acme.repository])
    VirtualSettings.objects.update_or_create(
        repository=virtual, defaults={"deployment": cast.acme.repository}
    )
    link = 'Without a stored secret: <a href="/acme/local/-/publishers/">'
    paths = [f"/acme/{key}/-/set-up/github-actions/" for key in ("local", "all")]
    assert link not in shown(wes, paths[0])
    client.force_login(cast.acme.admin.user)
    assert all(link in shown(client, path) for path in paths)
    assert link not in shown(client, "/acme/local/-/set-up/pip/")


def test_the_snippets_install_what_was_asked_for_or_the_newest_project(
    wes: Client, cast: Cast
) -> None:
    assert "pip install your-project" in shown(wes)
    for name in ("frog", "toad"):
        published(Client(), name, "1.0", make_wheel(name, "1.0"), by=cast.acme.writer)
    assert "pip install toad" in shown(wes)
    assert "pip install frog" in shown(wes, "/acme/local/-/set-up/?project=Frog")
    evil = shown(wes, "/acme/local/-/set-up/?project=x;rm%20-rf")
    assert "rm -rf" not in evil
    assert "pip install toad" in evil


def test_anybody_sets_up_what_anyone_may_read(client: Client, cast: Cast) -> None:
    grant(cast.acme.repository, Role.READER)
    page = shown(client)
    assert snippets_of(page)["pip/conf"].endswith("= http://testserver/acme/local/simple/")
    assert "No token needed" in page
    assert "/-/set-up/seen/" not in page


def test_who_is_no_member_is_told_that_a_token_needs_one(client: Client, cast: Cast) -> None:
    grant(cast.acme.repository, Role.READER)
    client.force_login(cast.stranger.user)
    page = shown(client)
    assert "you are no member of acme" in page
    answer = make_token(client, "/acme/local/-/set-up/pip/")
    assert "lrd_" not in answer.content.decode()


def test_a_token_makes_no_tokens(client: Client, cast: Cast) -> None:
    sent = {"purpose": "install", "days": "7"}
    answer = client.post("/acme/local/-/set-up/", sent, headers=cast.acme.writer.headers)
    assert answer.status_code == HTTPStatus.FORBIDDEN


def test_no_client_of_another_name(wes: Client) -> None:
    assert wes.get("/acme/local/-/set-up/conda/").status_code == HTTPStatus.NOT_FOUND


def test_it_asks_few_questions_and_as_many_for_a_full_repository(wes: Client, cast: Cast) -> None:
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as asked:
            shown(wes)
        counts.append(len(asked))
        name = f"frog-{number}"
        published(Client(), name, "1.0", make_wheel(name, "1.0"), by=cast.acme.writer)
    assert len(set(counts)) == 1
    assert counts[0] <= 12


# Who has called.

PIP = "pip/26.3 {}"


def said(client: Client, query: str = "") -> str:
    page = shown(client, f"/acme/local/-/set-up/seen/{query}")
    return re.sub(r"\s+", " ", BeautifulSoup(page, "html.parser").get_text()).strip()


def call(cast: Cast, path: str = "/acme/local/simple/frog/", agent: str = PIP) -> None:
    Client().get(path, headers=cast.acme.writer.headers | {"User-Agent": agent})


def test_it_waits_until_a_client_has_called_and_says_which(
    wes: Client, cast: Cast, time: MovableClock
) -> None:
    published(Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    assert said(wes) == "Waiting for your first request …"
    call(cast)
    client_calls.write_down()
    time.move(seconds=3)
    assert said(wes) == "connected pip 26.3 asked for frog. You are connected. 3 s ago"
    assert "connected pip 26.3 asked for frog" in re.sub(
        r"\s+", " ", BeautifulSoup(shown(wes), "html.parser").get_text()
    )
    time.move(minutes=5)
    assert said(wes).endswith("5 min ago")
    time.move(days=1)
    assert said(wes) == "Waiting for your first request …"
    assert client_calls.forget() == 1


def test_who_invents_names_for_a_client_fills_no_table(
    cast: Cast, time: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_calls, "_CLIENTS_KEPT", 3)
    shelf = cast.acme.repository
    for number in range(5):
        client_calls.note(
            cast.acme.reader.limited, "acme", "local", user_agent=f"invented/{number}"
        )
        time.move(seconds=1)
    client_calls.note(cast.acme.writer.limited, "acme", "local", user_agent="pip/26.3")
    client_calls.write_down()
    assert client_calls.forget() == 2
    kept = ClientCall.objects.order_by("client").values_list("client", flat=True)
    assert list(kept) == ["invented 2", "invented 3", "invented 4", "pip 26.3"]
    assert client_calls.last_call(shelf, cast.acme.reader.user) is not None


def test_a_refusal_is_told_in_the_words_of_the_terminal(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    client.force_login(cast.acme.reader.user)
    upload(
        Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.reader,
        User_Agent="twine/6.2 requests/2",
    )  # fmt: skip
    client_calls.write_down()
    assert "refused twine 6.2: You may read acme/local but not publish to it" in said(client)


def test_a_search_is_no_upload(wes: Client, cast: Cast) -> None:
    """It is posted to the URL that uploads are posted to."""
    pip = Client(headers={"User-Agent": "pip/26.3"})
    searched(pip, "/acme/local/", pip_search("frog"), cast.acme.writer)
    client_calls.write_down()
    assert "pip 26.3 asked what projects there are." in said(wes)


def test_an_upload_is_told(wes: Client, cast: Cast) -> None:
    upload(
        Client(), "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer,
        User_Agent="uv/0.11",
    )  # fmt: skip
    client_calls.write_down()
    assert "uv 0.11 sent an upload. You are connected." in said(wes)


def test_after_making_a_token_its_own_calls_are_waited_for(wes: Client, cast: Cast) -> None:
    call(cast, "/acme/local/simple/")
    client_calls.write_down()
    page = make_token(wes, "/acme/local/-/set-up/").content.decode()
    assert "Waiting for your first request with this token" in page
    (query,) = set(re.findall(r'hx-get="[^"?]+(\?token=\w{8})"', page))
    assert "Waiting" in said(wes, query)
    by = cast.acme.writer
    by.secret = re.findall(r"lrd_\w{57}", page)[0]
    call(cast, "/acme/local/simple/")
    client_calls.write_down()
    assert "pip 26.3 asked what projects there are. You are connected." in said(wes, query)


def test_one_sees_ones_own_clients_alone(client: Client, cast: Cast) -> None:
    call(cast, "/acme/local/simple/")
    client_calls.write_down()
    client.force_login(cast.acme.reader.user)
    assert "Waiting" in said(client)
    identifier = cast.acme.writer.token.identifier
    assert "Waiting" in said(client, f"?token={identifier}")


def test_a_request_itself_writes_nothing_and_browsers_are_no_clients(
    wes: Client, cast: Cast
) -> None:
    headers = cast.acme.writer.headers | {"User-Agent": PIP}
    with CaptureQueriesContext(connection) as asked:
        Client().get("/acme/local/simple/", headers=headers)
    assert not [query for query in asked if not query["sql"].startswith("SELECT")]
    wes.get("/acme/local/simple/", headers={"User-Agent": "Mozilla/5.0"})
    for agent in ("", "(", "\u00e4/1"):
        call(cast, agent=agent)
    Client().get("/acme/local/simple/", headers={"User-Agent": PIP})
    client_calls.write_down()
    assert [each.client for each in ClientCall.objects.all()] == ["pip 26.3"]


def test_many_calls_are_written_by_one_statement_and_of_nowhere_by_none(
    cast: Cast, django_assert_num_queries
) -> None:
    for number in range(10):
        call(cast, "/acme/local/simple/", agent=f"client/{number}")
        call(cast, f"/acme/nowhere-{number}/simple/")
    with django_assert_num_queries(2):
        client_calls.write_down()
    with django_assert_num_queries(0):
        client_calls.write_down()
    assert ClientCall.objects.count() == 10


def test_one_caller_does_not_crowd_out_the_others_nor_spoil_their_notes(cast: Cast) -> None:
    for number in range(100):
        client_calls.note(
            cast.acme.writer.principal, "acme", "local", user_agent=f"odd/{number}", project="a\0b"
        )
    client_calls.note(cast.acme.reader.principal, "acme", "local", user_agent="pip/26.3")
    client_calls.write_down()
    assert ClientCall.objects.filter(client="pip 26.3").count() == 1
    assert ClientCall.objects.filter(project="").count() == ClientCall.objects.count() == 21


def test_what_a_process_holds_is_bounded(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr(client_calls, "_AT_MOST", 3)
    principal = cast.acme.writer.principal
    for number in range(9):
        client_calls.note(principal, "acme", "local", user_agent=f"client/{number}")
    client_calls.write_down()
    assert ClientCall.objects.count() == 3


def test_a_member_of_another_tenant_may_not_look(client: Client, cast: Cast) -> None:
    client.force_login(cast.globex.writer.user)
    for end in ("", "pip/", "seen/"):
        answer = client.get(f"/acme/local/-/set-up/{end}")
        assert answer.status_code == HTTPStatus.FORBIDDEN


def test_a_session_without_a_place_in_the_tenant_gets_no_token_by_force(
    client: Client, cast: Cast
) -> None:
    """Whoever has left the tenant since the form was opened."""
    grant(cast.acme.repository, Role.READER)
    client.force_login(cast.acme.reader.user)
    shown(client)
    members.end_membership(Membership.objects.get(user=cast.acme.reader.user), by=SYSTEM)
    answer = make_token(client, "/acme/local/-/set-up/")
    assert "you are no member of acme" in answer.content.decode()


def test_a_remote_has_nothing_to_publish_to(wes: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "far", Kind.REMOTE)
    grant(remote, Role.WRITER, cast.acme.writer)
    page = shown(wes, "/acme/far/-/set-up/uv/")
    assert "uv/add" in snippets_of(page)
    assert "uv/publish" not in snippets_of(page)


def test_the_blocks_come_in_the_order_in_which_one_does_them() -> None:
    for client in offered(EVERYTHING):
        order = [list(Block).index(block) for block in filled(client, EVERYTHING)]
        assert order == sorted(order)
