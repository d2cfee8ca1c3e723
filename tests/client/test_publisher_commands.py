"""Commands about publishers: the request that each comes to, and what is refused unsent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from larder_client import store
from larder_client.problems import REFUSED
from tests.client.conftest import Portal
from tests.client.test_logging_in import larder

HERE = "/repositories/acme/pypi-local/publishers"
ADD = ("publisher", "add", "acme/pypi-local", "frog")
_BARE = {"project": "frog", "claims": {}, "environment": "", "ref": ""}


@pytest.fixture(autouse=True)
def logged_in(portal: Portal, config: object) -> None:
    """Somebody has logged in with a token."""
    with store.locked():
        store.keep(portal.origin, {"username": "ann", "token": "lrd_x"}, is_current=True)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            ["--github", "acme/frog", "--workflow", "release.yml", "--environment", "release"],
            {
                "kind": "github",
                "issuer": "https://token.actions.githubusercontent.com",
                "source": "acme/frog",
                "workflow": "release.yml",
                "environment": "release",
            },
        ),
        (
            ["--gitlab", "acme/tools/frog", "--ref", "refs/tags/*", "--owner-id", "72"],
            {
                "kind": "gitlab",
                "issuer": "https://gitlab.com",
                "source": "acme/tools/frog",
                "workflow": ".gitlab-ci.yml",
                "ref": "refs/tags/*",
                "owner_id": "72",
            },
        ),
        (
            ["--gitlab", "acme/frog", "--issuer", "https://git.example", "--workflow", "ci.yml"],
            {
                "kind": "gitlab",
                "issuer": "https://git.example",
                "source": "acme/frog",
                "workflow": "ci.yml",
            },
        ),
        (
            ["--google", "releases@acme.example", "--claim", "sub=1234=5"],
            {
                "kind": "google",
                "issuer": "https://accounts.google.com",
                "source": "releases@acme.example",
                "workflow": "",
                "claims": {"sub": "1234=5"},
            },
        ),
        (
            ["--subject", "system:frog", "--issuer", "https://ci.example"],
            {
                "kind": "other",
                "issuer": "https://ci.example",
                "source": "system:frog",
                "workflow": "",
            },
        ),
    ],
)
def test_a_publisher_is_added_by_one_request(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    wanted: dict[str, Any],
) -> None:
    portal.answers[f"POST {HERE}"] = (201, {"name": "Whoever", "project": "frog"})
    assert larder(monkeypatch, *ADD, *words) == 0
    ((asked, _, body),) = portal.heard
    assert (asked, json.loads(body)) == (f"POST {HERE}", _BARE | wanted)
    assert capsys.readouterr().out == "Whoever may publish frog to acme/pypi-local.\n"


@pytest.mark.parametrize(
    ("words", "end", "sentence"),
    [
        (["--github", "acme/frog"], REFUSED, "Add: --workflow release.yml"),
        (["--subject", "system:frog"], REFUSED, "Add: --issuer URL"),
        ([], 2, "one of the arguments --github --gitlab --google --subject is required"),
        (["--github", "a/b", "--gitlab", "a/b"], 2, "not allowed with"),
        (["--google", "a@b", "--claim", "sub"], 2, "write it as name=value"),
    ],
)
def test_what_does_not_say_whom_is_not_sent(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    end: int,
    sentence: str,
) -> None:
    assert larder(monkeypatch, *ADD, *words) == end
    assert sentence in capsys.readouterr().err
    assert not portal.heard


@pytest.mark.parametrize(
    ("words", "sent", "whose"),
    [
        (
            ["--source-id", "816", "--owner-id", "72"],
            {"source_id": "816", "owner_id": "72"},
            "its number is 816 and the number of its owner is 72",
        ),
        (["--owner-id", "72"], {"owner_id": "72"}, "the number of its owner is 72"),
        (["--whoever-is-first"], {}, "as whoever publishes first"),
    ],
)
def test_others_are_trusted_by_the_numbers_that_one_says(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sent: dict[str, str],
    whose: str,
) -> None:
    now = {"source": "acme/frog", "source_id": "", "owner_id": ""} | sent
    portal.answers[f"POST {HERE}/7/anew"] = (200, now)
    assert larder(monkeypatch, "publisher", "anew", "acme/pypi-local", "7", *words) == 0
    ((asked, _, body),) = portal.heard
    assert (asked, json.loads(body)) == (f"POST {HERE}/7/anew", sent)
    assert capsys.readouterr().out == f"acme/frog is trusted anew: {whose}.\n"


@pytest.mark.parametrize("words", [[], ["--source-id", ""], ["--owner-id=1", "--whoever-is-first"]])
def test_nobody_is_trusted_anew_by_oversight(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    asked = ["publisher", "anew", "acme/pypi-local", "7", *words]
    assert larder(monkeypatch, *asked) == REFUSED
    assert "or --whoever-is-first" in capsys.readouterr().err
    assert not portal.heard


def test_publishers_are_listed_and_removed_by_their_ids(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {
        "id": 7,
        "project": "frog",
        "name": "GitHub: acme/frog, release.yml",
        "environment": "",
        "ref": "refs/tags/*",
        "claims": {"runner": "own"},
        "is_pending": True,
        "last_used_at": None,
        "owner_id": "",
        "source_id": "",
    }
    portal.answers[f"GET {HERE}"] = (200, {"results": [row], "next": None})
    assert larder(monkeypatch, "publisher", "list", "acme/pypi-local") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "ID"
    told = ["7", "frog", row["name"], "ref refs/tags/*, runner own", "yes", "-", "-", "-"]
    assert re.split("  +", line) == told
    assert larder(monkeypatch, "publisher", "list", "acme/pypi-local", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [row]
    portal.answers[f"DELETE {HERE}/7"] = (204, {})
    assert larder(monkeypatch, "publisher", "remove", "acme/pypi-local", "7") == 0
    assert "Publisher 7 of acme/pypi-local is trusted no longer." in capsys.readouterr().out
