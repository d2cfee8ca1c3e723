"""The search for secrets finds them, in whatever spelling, and says where without saying what."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import get_resolver, reverse

from accounts import tokens
from tests.canaries import ALLOWED, Canaries
from tests.cast import basic
from tests.clients import ROOT

SECRET = "canary-of-this-very-test!"
# Each of these puts its secret out in another place; the last two do not.
_TELLTALES = """
import base64, logging, sys
import pytest
from django.http import HttpResponse, HttpResponseNotFound
from django.test import Client
from tests.cast import basic

@pytest.fixture
def secret(cast):
    return cast.acme.writer.secret

def test_stdout(secret):
    print(secret)

def test_stderr(secret):
    print(basic("somebody", secret), file=sys.stderr)

def test_log(secret):
    logging.getLogger("tests").warning("used %s", base64.b64encode(f"a:{secret}".encode()))

def test_body(client, secret, monkeypatch):
    monkeypatch.setattr("portal.home.render", lambda *_, **__: HttpResponseNotFound(secret))
    client.get("/")

def test_reason(client, secret, monkeypatch):
    monkeypatch.setattr("portal.home.render", lambda *_, **__: HttpResponse(reason=secret))
    client.get("/")

def test_cookie(client, secret, monkeypatch):
    answer = HttpResponse()
    answer.set_cookie("token", secret)
    monkeypatch.setattr("portal.home.render", lambda *_, **__: answer)
    client.get("/")

def test_struck_out_log(secret):
    logging.getLogger("tests").warning("used %s", secret)

def test_quiet(client, secret):
    client.get("/", headers=basic("", secret))
"""


@pytest.mark.parametrize(
    "text",
    [
        f"x{SECRET}y",
        "https://u:canary-of-this-very-test%21@host/",
        *(basic("u" * length, SECRET)["Authorization"] for length in range(4)),
    ],
    ids=["as it is", "in a URL", "Basic u0", "Basic u1", "Basic u2", "Basic u3"],
)
def test_a_secret_is_found_in_every_spelling(text: str) -> None:
    canaries = Canaries()
    canaries.watch(SECRET)
    canaries.search("nothing", "nowhere")
    canaries.search(text, "here")
    assert canaries.take_found() == ["here"]
    assert canaries.take_found() == []


def in_base_64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SPELLINGS: list[Callable[[str], str]] = [
    lambda token: f"({token})",
    lambda token: f"abc{token}def",
    lambda token: f"https://u:{token}@host/",
    *(lambda token, who="u" * length: basic(who, token)["Authorization"] for length in range(4)),
    # With more around it, before and after it is spelled so.
    *(lambda token, end="u" * length: in_base_64(f"a:{token}{end}") for length in range(4)),
    *(lambda token, by="u" * length: f"{by}{in_base_64(token)}{by}" for length in range(4)),
    # As URLs spell it: what stands before and after has a - and a _ then.
    lambda token: in_base_64(f"a>>>{token}a???").translate(str.maketrans("+/", "-_")),
]


def test_a_token_is_found_although_nobody_said_so() -> None:
    made_up = "lrd_" + "A" * 57
    real = made_up[: -tokens._CHECKSUM_LENGTH] + tokens._checksum("A" * tokens._BODY_LENGTH)
    for spell in SPELLINGS:
        assert not Canaries().is_in(spell(made_up).encode()), spell(made_up)
        assert Canaries().is_in(spell(real).encode()), spell(real)


def test_a_word_is_no_secret() -> None:
    canaries = Canaries()
    canaries.watch("wrong")
    assert not canaries.is_in(b"This is wrong.")


def test_every_place_that_may_show_one_has_its_reason() -> None:
    named = set(get_resolver().reverse_dict)
    there = [view for view in ALLOWED if view in named or reverse(view)]
    assert all(len(ALLOWED[view].split()) > 3 for view in there)


def test_a_run_that_puts_a_secret_out_fails_where_it_does(tmp_path: Path) -> None:
    telltales = tmp_path / "test_telltales.py"
    telltales.write_text(_TELLTALES)
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    for name in ("LARDER_TEST_HOME", "LARDER_DATABASE_URL", "LARDER_TEST_FAILURES"):
        ours.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-q"]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), str(telltales)],
        cwd=ROOT,
        env=ours,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    failed = [line.split("::")[1] for line in said.splitlines() if line.startswith("FAILED")]
    names = [line.split(" ")[0].strip() for line in failed]
    assert names == [
        f"test_{place}" for place in ("stdout", "stderr", "log", "body", "reason", "cookie")
    ], said
    assert "2 passed" in said
    assert "a log line of tests" in said
    assert "the answer 404 to GET, body" in said
    assert not Canaries().is_in(said.encode())
