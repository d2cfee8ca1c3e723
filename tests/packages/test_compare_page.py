"""Two releases side by side: what to look at first, and everything that differs."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from accounts.roles import Role
from packages.compare.texts import diff
from packages.models import Distribution
from tests.cast import Cast, grant
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.packages.opened import publish, read_all
from tests.virtuals import make_virtual

PAGE = "/acme/local/-/compare/frog/"
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HH", 3, 62) + b"\0" * 100
SCRIPTS = "[console_scripts]\n"


def wheel(version: str, scripts: str, requires: list[str], **files: bytes) -> tuple[str, bytes]:
    named = {path.replace("__", "."): content for path, content in files.items()}
    entry_points = {f"frog-{version}.dist-info/entry_points.txt": (SCRIPTS + scripts).encode()}
    return make_wheel(
        "frog",
        version,
        requires_dist=requires,
        files=named | entry_points,
        description=f"Hops to {version}.",
    )


@pytest.fixture
def pond(client: Client, cast: Cast, time: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A reader's browser before two releases that were read, each a wheel and an sdist."""
    by = cast.acme.writer
    old = wheel("1.0", "frog = frog:hop\n", ["toad>1", "newt"], a__py=b"one\ntwo\n", same__py=b"1")
    new = wheel(
        "2.0",
        "frog = frog:jump\nfrogd = frog:serve\n",
        ["toad>2", "eft @ https://example.com/eft.zip"],
        a__py=b"one\n2wo\n",
        same__py=b"1",
        fast__so=ELF,
        frog__pth=b"import frog\n",
    )
    publish("frog", "1.0", old, by=by)
    publish("frog", "2.0", new, by=by)
    for version, code in (("1.0", b"import os\n"), ("2.0", b"import re\n")):
        publish("frog", version, make_sdist("frog", version, files={"setup.py": code}), by=by)
    read_all(time, monkeypatch)
    client.force_login(cast.acme.reader.user)
    return client


def page_of(client: Client, url: str, status: int = 200) -> BeautifulSoup:
    answer = client.get(url)
    assert answer.status_code == status
    return BeautifulSoup(unescape(answer.content.decode()), "html.parser")


def cells(page: BeautifulSoup, section: str) -> list[list[str]]:
    rows = page.select(f"[aria-labelledby={section}] tbody tr")
    return [
        [re.sub(r"\s+", " ", each.get_text(" ", strip=True)) for each in row.select("th, td")]
        for row in rows
    ]


def test_code_that_runs_by_itself_comes_first(pond: Client) -> None:
    found = page_of(pond, PAGE).select(".surprises li")
    told = [
        (each.select("span")[0].get_text(), each.select("code")[0].get_text()) for each in found
    ]
    assert told[0] == ("new .pth file", "frog.pth")
    assert set(told[1:]) == {
        ("new native code", "fast.so"),
        ("changed command", "frog"),
        ("new command", "frogd"),
        ("new import name", "fast"),
        ("requirement by address", "eft"),
    }


def test_requirements_and_entry_points_are_told_one_by_one(pond: Client) -> None:
    page = page_of(pond, PAGE)
    assert cells(page, "requirements") == [
        ["eft", "added", "", "eft @ https://example.com/eft.zip"],
        ["newt", "removed", "newt", ""],
        ["toad", "changed", "toad>1", "toad>2"],
    ]
    assert [row[:2] for row in cells(page, "entry-points")] == [
        ["console_scripts: frog", "changed"],
        ["console_scripts: frogd", "added"],
    ]


def test_another_readme_of_the_same_length_is_told(pond: Client) -> None:
    length = "12 characters"
    assert ["README", "changed", length, length] in cells(page_of(pond, PAGE), "metadata")


def test_files_of_one_size_differ_by_their_digests(pond: Client) -> None:
    told = {row[0]: row[1] for row in cells(page_of(pond, PAGE), "tree")}
    assert told["a.py"] == "changed"
    assert told["fast.so"] == "added"
    assert "same.py" not in told
    sdists = f"{PAGE}?from=1.0&to=2.0&old=frog-1.0.tar.gz&new=frog-2.0.tar.gz"
    page = page_of(pond, sdists)
    assert {row[0]: row[1] for row in cells(page, "tree")}["setup.py"] == "changed"
    assert page.select(".surprises .badge.spoiled")[0].get_text() == "changed file"


def test_the_text_of_a_member_is_compared_line_by_line(pond: Client) -> None:
    page = page_of(pond, f"{PAGE}?from=1.0&to=2.0&member=a.py")
    lines = [
        (row["class"][0], row.select("td")[-1].get_text()) for row in page.select(".diff tr[class]")
    ]
    assert lines[1:] == [("same", " one"), ("removed", "-two"), ("added", "+2wo")]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("from=1.0&to=1.0", 200, "These are the same bytes."),
        ("from=9.9", 400, "frog has no release '9.9' that you may see here."),
        ("to=<b>", 400, "frog has no release '<b>' that you may see here."),
        ("from=1.0&to=2.0&member=nothing", 200, "There is no such member in either file."),
        ("from=1.0&to=2.0&member=fast.so", 200, "It is no text in UTF-8"),
        ("from=1&to=2", 200, "frog 1.0 → 2.0"),
        ("from=1.0&to=2.0&old=x&after=%00", 200, "To look at first"),
    ],
)
def test_odd_questions_have_plain_answers(pond: Client, query: str, status: int, says: str) -> None:
    answer = pond.get(f"{PAGE}?{query}")
    assert answer.status_code == status
    page = BeautifulSoup(answer.content, "html.parser")
    assert says in re.sub(r"\s+", " ", page.get_text())


def test_a_virtual_compares_what_it_shows(pond: Client, cast: Cast) -> None:
    grant(make_virtual(cast.acme, "all", [cast.acme.repository]), Role.READER, cast.acme.reader)
    here, there = page_of(pond, PAGE), page_of(pond, PAGE.replace("local", "all"))
    assert cells(here, "tree") == cells(there, "tree") != []


def test_one_release_and_one_that_waits_are_told_plainly(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    client.force_login(cast.acme.reader.user)
    publish("frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    assert "1.0 is the only release here" in page_of(client, PAGE).get_text()
    publish("frog", "2.0", make_wheel("frog", "2.0"), by=cast.acme.writer)
    assert "waits to be read" in page_of(client, PAGE).get_text()
    Distribution.objects.update(deleted_at=time())
    assert "has no files" in page_of(client, PAGE).get_text()


def test_texts_that_are_made_to_take_long_are_given_up() -> None:
    old = [str(number % 90) for number in range(9_000)]
    new = [str(number * 7 % 90) for number in range(9_000)]
    assert len(diff(old, new).lines) <= 1_500
    assert diff(["a"], ["a"]).lines == ()


@pytest.mark.parametrize("where", ["local", "all"])
def test_it_asks_the_database_no_more_than_a_dozen_things(
    pond: Client, cast: Cast, where: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    grant(make_virtual(cast.acme, "all", [cast.acme.repository]), Role.READER, cast.acme.reader)
    page_of(pond, PAGE.replace("local", where))  # a virtual's decision is made once, and held
    with django_assert_max_num_queries(12):
        page_of(pond, PAGE.replace("local", where))
