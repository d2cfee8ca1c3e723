"""What is sent to change a token: what was said, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from larder_client.problems import REFUSED
from tests.client.conftest import Portal
from tests.client.test_logging_in import larder, log_in

CHANGE = "PATCH /tokens/7"
TOKEN = {
    "id": 7,
    "name": "CI",
    "owner": "ann",
    "tenant": "acme",
    "role": "reader",
    "repositories": None,
    "project_patterns": ["frog*"],
    "expires_at": None,
}


def change(portal: Portal, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    portal.answers[CHANGE] = (200, TOKEN)
    log_in(monkeypatch, portal, "lrr_first")
    typed = ("token", "change", "7", *words, "--password-stdin")
    return larder(monkeypatch, *typed, typed="her-password\n")


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["--name", "CI of frog"], {"name": "CI of frog"}),
        (["--role", "reader"], {"role": "reader"}),
        (
            ["--repository", "acme/a", "--repository", "acme/b"],
            {"repositories": ["acme/a", "acme/b"]},
        ),
        (["--everywhere"], {"repositories": None}),
        (
            ["--project", "frog*", "--role", "writer"],
            {"role": "writer", "project_patterns": ["frog*"]},
        ),
        (["--all-projects"], {"project_patterns": []}),
        (["--endless"], {"expires_at": None}),
    ],
)
def test_what_is_not_said_stays(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, words: list[str], sent: dict[str, Any]
) -> None:
    assert change(portal, monkeypatch, *words) == 0
    asked, headers, body = portal.heard[-1]
    assert (asked, json.loads(body)) == (CHANGE, sent)
    assert headers["Authorization"].startswith("Basic ")  # as herself, not by the login


def test_days_are_counted_from_now(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert change(portal, monkeypatch, "--days", "30") == 0
    _, _, body = portal.heard[-1]
    assert list(json.loads(body)) == ["expires_at"]
    assert json.loads(body)["expires_at"].endswith("+00:00")


def test_what_it_may_do_now_is_shown(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(portal, monkeypatch, "--role", "reader")
    head, row = capsys.readouterr().out.splitlines()[-2:]
    assert head.split() == [
        *("ID", "NAME", "OWNER", "TENANT", "ROLE", "REPOSITORIES"),
        *("PROJECT", "PATTERNS", "EXPIRES", "AT"),
    ]
    assert row.split() == ["7", "CI", "ann", "acme", "reader", "-", "frog*", "-"]
    change(portal, monkeypatch, "--role", "reader", "--json")
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :]) == TOKEN


def test_nothing_said_is_nothing_sent(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change(portal, monkeypatch) == REFUSED
    assert "Say what is to be changed" in capsys.readouterr().err
    assert CHANGE not in [asked for asked, _, _ in portal.heard]


def test_a_refusal_is_the_servers_sentence(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(monkeypatch, portal, "lrr_first")
    refusal = "A token is only ever narrowed; this would widen role."
    portal.answers[CHANGE] = (400, {"detail": refusal})
    words = ("token", "change", "7", "--role", "admin", "--password-stdin")
    assert larder(monkeypatch, *words, typed="her-password\n") == REFUSED
    assert refusal in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--repository", "acme/a", "--everywhere"],
        ["--project", "frog", "--all-projects"],
        ["--days", "3", "--endless"],
        ["--role", "owner"],
    ],
)
def test_what_contradicts_itself_cannot_be_typed(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    assert change(portal, monkeypatch, *words) == 2
