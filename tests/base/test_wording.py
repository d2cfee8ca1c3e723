"""What an audit event says, in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from base.models import AuditEvent
from base.wording import ACTS, Difference, act_in_words, differences, in_words
from tests.clients import ROOT

_ACT = re.compile(r"[a-z_]+\.[a-z_-]+")


def event(action: str, subject: str, before: Any = None, after: Any = None) -> AuditEvent:
    return AuditEvent(
        action=action, subject=subject, before=before or {}, after=after or {}, actor="ann"
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            event("distribution.publish", "acme/pypi-local/frog-1.0.tar.gz", {}, {"size": 7}),
            "published acme/pypi-local/frog-1.0.tar.gz",
        ),
        (
            event(
                "grant.create", "acme/x", {}, {"subject": "user", "name": "bob", "role": "writer"}
            ),
            "made bob writer of acme/x",
        ),
        (
            event("grant.end", "acme/x", {"subject": "members", "name": "", "role": "reader"}),
            "took the role reader of acme/x from all members",
        ),
        (
            event(
                "grant.create", "acme/x", {}, {"subject": "team", "name": "pond", "role": "admin"}
            ),
            "made the team pond admin of acme/x",
        ),
        (
            event("contents.status", "acme/x/frog", {"status": "active"}, {"status": "archived"}),
            "set the status of acme/x/frog to archived",
        ),
        (event("claim.add", "acme/x", {}, {"pattern": "{frog}*"}), "claimed {frog}* for acme/x"),
        (event("some.new-act", "acme/x"), "some.new-act acme/x"),
    ],
)
def test_an_event_is_told_in_words(told: AuditEvent, words: str) -> None:
    assert in_words(told) == words


@pytest.mark.parametrize("action", ACTS)
def test_every_act_has_words_even_without_its_facts(action: str) -> None:
    assert "acme/x" in in_words(event(action, "acme/x"))
    assert "{" not in act_in_words(action)


def test_every_act_that_the_code_records_has_words() -> None:
    written = set(_acts_in_the_code())
    assert len(written) > 40
    assert written <= set(ACTS)


def test_the_table_of_the_documentation_has_every_act() -> None:
    assert sorted(_acts_in_the_table()) == sorted(ACTS)


def _acts_in_the_code() -> Iterator[str]:
    """Return what is given to the functions that record an event, whichever way it is chosen."""
    calls = (
        node
        for app in apps.get_app_configs()
        if ROOT in Path(app.path).parents and ".venv" not in app.path
        for path in Path(app.path).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("record")
    )
    for call in calls:
        for node in ast.walk(call):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and _ACT.fullmatch(text):
                yield text


def _acts_in_the_table() -> Iterator[str]:
    """Return the first column: `user.create`, `.change` are two acts."""
    text = (ROOT / "docs" / "administration.md").read_text()
    _, _, below = text.partition("## Audit\n")
    table, _, _ = below.partition("\n## ")
    for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        of = ""
        for name in re.findall(r"`([^`]+)`", cell):
            of = name.partition(".")[0] or of
            yield name if not name.startswith(".") else of + name


def test_only_what_differs_is_a_difference() -> None:
    told = event(
        "repository.change",
        "acme/x",
        {"quiet_period": 60, "description": "", "members": ["a", "b"], "gone": True},
        {"quiet_period": 60, "description": "Ours", "members": [], "qa.ok": {"by": None}},
    )
    assert differences(told) == [
        Difference("description", "nothing", "Ours"),
        Difference("members", "a, b", "nothing"),
        Difference("gone", "yes", ""),
        Difference("qa.ok", "", "by: nothing"),
    ]
