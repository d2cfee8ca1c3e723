"""The page, REST and the command: the same hits, the same refusals, and nothing of others'."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from packages.search.hits import COUNTED_AT_MOST, PER_PAGE
from repos import configure
from repos.models import Kind
from tests.cast import Cast, Person, grant, make_repository
from tests.packages.search.shelves import put

REST = "/api/v1/search"


@pytest.fixture
def shelves(cast: Cast) -> None:
    """Files of the same property in both tenants."""
    for house, name in ((cast.acme, "frog-fu"), (cast.globex, "secret-frog")):
        put(house.repository, name, "1.0", {"qa.approved": ["yes"]})


def asked(client: Client, query: str, person: Person | None = None, **more: str):
    headers = getattr(person, "headers", {})
    return client.get(REST, {"q": query, **more}, headers=headers)


def test_rest_answers_with_files_counts_and_repositories(
    client: Client, cast: Cast, shelves: None
) -> None:
    answer = asked(client, "qa.approved:yes", cast.acme.reader)
    assert answer["Content-Type"] == "application/json"
    said = answer.json()
    assert (said["of"], said["count"], said["next"]) == ("files", 1, None)
    assert said["repositories"] == [{"repository": "acme/local", "count": 1}]
    assert said["hits"][0]["filename"] == "frog_fu-1.0-py3-none-any.whl"


@pytest.mark.parametrize("query", ["frog", "secret", "qa.approved:yes", "tenant:globex frog"])
def test_nothing_tells_of_what_one_may_not_read(
    client: Client, cast: Cast, shelves: None, query: str
) -> None:
    told = {
        name: asked(client, query, person).content.decode()
        for name, person in (
            ("reader", cast.acme.reader),
            ("member", cast.acme.member),
            ("anonymous", None),
        )
    }
    for said in told.values():
        assert "secret" not in said.replace(f'"query":"{query}"', "")
        assert "globex" not in said.replace(f'"query":"{query}"', "")
    assert json.loads(told["member"])["count"] == json.loads(told["anonymous"])["count"] == 0
    assert json.loads(told["anonymous"])["repositories"] == []


def test_what_is_not_yours_is_answered_like_what_is_not_there(
    client: Client, cast: Cast, shelves: None
) -> None:
    told = [
        asked(client, f"repository:{name}", cast.acme.reader).json()
        for name in ("globex/local", "nobody/local", "globex/wrong")
    ]
    assert [{**each, "query": ""} for each in told[1:]] == [{**told[0], "query": ""}] * 2


def test_a_token_of_another_repository_finds_nothing(
    client: Client, cast: Cast, shelves: None
) -> None:
    other = make_repository(cast.acme.tenant, "other")
    configure.limit_token(cast.acme.admin.token, [other], by=SYSTEM)
    assert asked(client, "qa.approved:yes", cast.acme.admin).json()["count"] == 0


@pytest.mark.parametrize(
    ("query", "detail", "column"),
    [
        ("team:red and or", "column 14: A condition or a word is missing here.", 14),
        ("kind:virtual", "column 1: Files are in locals and remotes.", 1),
        ("state:eager", "column 1: state is one of pending,", 1),
        ("", "Say what to search for, as q.", None),
    ],
)
def test_rest_refuses_with_a_problem_that_names_the_column(
    client: Client, cast: Cast, query: str, detail: str, column: int | None
) -> None:
    answer = asked(client, query, cast.acme.reader)
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert (answer.status_code, said["status"], said.get("column")) == (400, 400, column)
    assert said["detail"].startswith(detail)
    assert answer.reason_phrase.startswith(detail)


@pytest.mark.parametrize("page", ["x", "bnVsbA", "WzFd", "WyJhIl0", "WzFlOTld", "Wy0xXQ", "\x00"])
def test_a_page_that_nobody_named_is_refused(client: Client, cast: Cast, page: str) -> None:
    answer = asked(client, "qa.approved:yes", cast.acme.reader, page=page)
    is_one = page == "WzFd"  # [1]: that is one
    assert answer.status_code == (200 if is_one else 400)


def test_pages_follow_each_other_and_are_counted_to_a_bound(client: Client, cast: Cast) -> None:
    for number in range(PER_PAGE + 5):
        put(cast.acme.repository, f"frog-{number}", "1.0", {"team": ["red"]})
    for query in ("team:red", "frog"):
        seen, url = [], f"{REST}?q={query}"
        while url:
            said = client.get(url, headers=cast.acme.reader.headers).json()
            seen += [hit["project"] for hit in said["hits"]]
            assert said["count"] == PER_PAGE + 5 <= COUNTED_AT_MOST
            url = "/" + said["next"].split("/", 3)[3] if said["next"] else ""
        assert sorted(seen) == sorted(f"frog-{number}" for number in range(PER_PAGE + 5))


def test_unsafe_methods_and_wrong_credentials_are_problems(client: Client, cast: Cast) -> None:
    posted = client.post(REST, {"q": "frog"}, headers=cast.acme.reader.headers)
    assert (posted.status_code, posted["Allow"]) == (405, "GET, HEAD")
    wrong = client.get(REST, {"q": "frog"}, headers={"Authorization": "Bearer lrd_wrong"})
    assert (wrong.status_code, wrong["Content-Type"]) == (401, "application/problem+json")
    assert wrong["WWW-Authenticate"].startswith("Basic ")


def page(client: Client, query: str, person: Person | None = None, **more: str) -> BeautifulSoup:
    if person:
        client.force_login(person.user)
    return BeautifulSoup(client.get("/search/", {"q": query, **more}).content, "html.parser")


def test_the_page_shows_hits_and_narrows_by_repository(
    client: Client, cast: Cast, shelves: None
) -> None:
    put(make_repository(cast.acme.tenant, "other"), "toad", "1.0", {"qa.approved": ["yes"]})
    shown = page(client, "qa.approved:yes", cast.acme.admin)
    assert [link.text for link in shown.select("tbody th a")] == [
        "toad-1.0-py3-none-any.whl",
        "frog_fu-1.0-py3-none-any.whl",
    ]
    facets = {link.text: link["href"] for link in shown.select(".facets a")}
    assert list(facets) == ["acme/other", "acme/local"] or list(facets) == [
        "acme/local",
        "acme/other",
    ]
    narrowed = BeautifulSoup(client.get(f"/search/{facets['acme/other']}").content, "html.parser")
    assert len(narrowed.select("tbody tr")) == 1
    words = page(client, "frog", cast.acme.admin)
    links = [link["href"] for link in words.select("tbody th a")]
    assert links == ["/acme/local/project/frog-fu/"]


def test_hits_divide_by_kind_python_and_licence_and_each_part_is_a_link(
    client: Client, cast: Cast, shelves: None
) -> None:
    local = cast.acme.repository
    said = {"pypi.requires.python": [">=3.9"], "pypi.license.expression": ["MIT"]}
    put(local, "newt", "1.0", {**said, "qa.approved": ["yes"]})
    hidden = {"pypi.license": ["Secret-Licence"], "qa.approved": ["yes"]}
    put(cast.globex.repository, "newt", "1.0", hidden)
    shown = page(client, "qa.approved:yes", cast.acme.reader)
    assert "Secret-Licence" not in shown.text
    choices = {link.text: link["href"] for link in shown.select(".facets a")}
    assert {">=3.9", "MIT"} <= set(choices)
    for label in (">=3.9", "MIT"):
        narrowed = BeautifulSoup(client.get(f"/search/{choices[label]}").content, "html.parser")
        assert [each.text.strip() for each in narrowed.select("tbody th a")] == [
            "newt-1.0-py3-none-any.whl"
        ]
        chips = {chip.code.text: chip["href"] for chip in narrowed.select(".chip") if chip.code}
        assert chips["qa.approved:yes"] != "/search/"
        assert len(chips) == 2
    (only,) = page(client, "kind:wheel", cast.acme.reader).select(".chip")
    assert only["href"] == "/search/"


def test_projects_lead_to_their_files(client: Client, cast: Cast, shelves: None) -> None:
    shown = page(client, "frog", cast.acme.reader)
    (way,) = shown.select(".hits-head a")
    files = BeautifulSoup(client.get(f"/search/{way['href']}").content, "html.parser")
    assert [each.text.strip() for each in files.select("tbody th a")] == [
        "frog_fu-1.0-py3-none-any.whl"
    ]


def test_half_a_query_that_is_being_typed_is_no_error(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.reader.user)
    assert client.get("/search/", {"q": "frog and"}).status_code == 400
    typed = client.get("/search/", {"q": "frog and"}, headers={"HX-Request": "true"})
    assert typed.status_code == 200
    assert "column 9" in typed.content.decode()


def test_the_page_asks_little_however_much_there_is(
    client: Client, cast: Cast, shelves: None, django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.acme.reader.user)
    for query in ("frog", "kind:wheel", "qa.approved:yes"):
        # Twelve; in a test a transaction's begin and end are queries too, its savepoint's.
        with django_assert_max_num_queries(14):
            client.get("/search/", {"q": query})


def test_the_page_shows_what_a_virtual_shows_and_asks_as_little(
    client: Client, cast: Cast, shelves: None, django_assert_max_num_queries: Any
) -> None:
    for number in range(PER_PAGE + 1):
        put(cast.acme.repository, f"newt-{number:02}", "1.0", {})
    virtual = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    grant(virtual, Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    for query, first in (("newt", "newt-00"), ("kind:wheel", "newt_50-1.0-py3-none-any.whl")):
        asked = {"q": f"repository:acme/all {query}"}
        client.get("/search/", asked)
        # Twelve, a transaction's begin and end, and on PostgreSQL its limits.
        with django_assert_max_num_queries(15):
            shown = client.get("/search/", asked).content.decode()
        assert "What acme/all shows of it" in shown
        hits = BeautifulSoup(shown, "html.parser").select("tbody th a")
        assert (hits[0].text, len(hits)) == (first, PER_PAGE)


def test_the_palette_leads_to_what_the_reader_may_read(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.reader.user)
    found = client.get("/search/go/", {"q": "ac loc"}).content.decode()
    assert "/acme/local/" in found
    assert "q=ac%20loc" in found
    for typed in ("glo", "globex/local", "\x00", "x" * 5000):
        assert "/globex/" not in client.get("/search/go/", {"q": typed}).content.decode()


def test_the_page_points_at_the_column(client: Client, cast: Cast) -> None:
    shown = page(client, "team:red and or", cast.acme.reader)
    (caret,), (refused,) = shown.select(".caret"), shown.select("#refused")
    assert caret.text.splitlines()[-1] == " " * 13 + "^"
    assert "column 14: A condition" in refused.text


def test_the_empty_page_explains_itself_with_examples_that_work(client: Client, cast: Cast) -> None:
    links = page(client, "", cast.acme.reader).select(".examples a")
    assert len(links) >= 5
    for link in links:
        assert client.get(f"/search/{link['href']}").status_code == 200


def test_a_repositorys_box_searches_there(client: Client, cast: Cast, shelves: None) -> None:
    other = put(make_repository(cast.acme.tenant, "other"), "frog", "1.0")
    shown = page(client, "frog or toad", cast.acme.admin, **{"in": str(other.repository)})
    assert [link.text for link in shown.select("tbody th a")] == ["frog"]


def test_a_virtual_that_is_not_for_everybody_asks_to_sign_in(client: Client, cast: Cast) -> None:
    virtual = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    grant(virtual, Role.READER)
    answer = client.get("/search/", {"q": "repository:acme/all"})
    assert (answer.status_code, answer["Location"][:18]) == (302, "/accounts/sign-in/")
    assert asked(client, "repository:acme/all").status_code == 401


def test_the_command_prints_a_table_or_json(cast: Cast, shelves: None) -> None:
    said = command("qa.approved:yes", "--as", "ray")
    assert said.splitlines() == [
        "acme/local  frog_fu-1.0-py3-none-any.whl  1.0  pending",
        "1 files.",
    ]
    assert len(json.loads(command("frog", "--json"))["projects"]) == 2
    assert "secret-frog" in command("frog")
    with pytest.raises(CommandError, match="column 1: A condition"):
        command("and")
    with pytest.raises(CommandError, match="no user nobody"):
        command("frog", "--as", "nobody")
    assert command("frgo-fu").splitlines()[-1].endswith("These names are like it.")


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("search", *arguments, stdout=output)
    return output.getvalue()
