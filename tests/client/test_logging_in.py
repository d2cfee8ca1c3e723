"""Logging in and out: what is sent, kept and ended."""

from __future__ import annotations

import io
import json
import sys

import pytest

from larder_client import accounts, cli, store
from larder_client.problems import SIGN_IN
from tests.client.conftest import Portal


def larder(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> int:
    """Type a command, and return how it ends."""
    monkeypatch.setattr(sys, "argv", ["larder", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def log_in(monkeypatch: pytest.MonkeyPatch, portal: Portal, refresh_token: str) -> int:
    portal.answers["POST /logins"] = (201, {"refresh_token": refresh_token})
    words = ("login", portal.origin, "--username", "ann", "--password-stdin")
    return larder(monkeypatch, *words, typed="her-password\n")


def test_the_password_is_sent_once_and_not_kept(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log_in(monkeypatch, portal, "lrr_first") == 0
    assert store.login_to(portal.origin) == {"username": "ann", "refresh_token": "lrr_first"}
    assert store.current() == portal.origin
    ((_, headers, _),) = portal.heard
    assert headers["Authorization"].startswith("Basic ")


def test_who_logs_in_in_clear_is_warned_but_not_of_their_own_machine(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log_in(monkeypatch, portal, "lrr_first")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(accounts, "is_read_on_the_way", lambda origin: origin == portal.origin)
    log_in(monkeypatch, portal, "lrr_second")
    assert f"{portal.origin} is not encrypted" in capsys.readouterr().err


def test_logging_in_again_ends_the_login_before(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.answers["POST /logout"] = (204, b"")
    log_in(monkeypatch, portal, "lrr_first")
    log_in(monkeypatch, portal, "lrr_second")
    asked, _, body = portal.heard[-1]
    assert (asked, json.loads(body)) == ("POST /logout", {"refresh_token": "lrr_first"})
    assert (store.login_to(portal.origin) or {})["refresh_token"] == "lrr_second"


@pytest.mark.parametrize("status", [204, 401, 503])
def test_logging_out_forgets_whatever_the_server_says(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    log_in(monkeypatch, portal, "lrr_first")
    portal.answers["POST /logout"] = (status, b"")
    capsys.readouterr()
    assert larder(monkeypatch, "logout") == 0
    assert store.login_to(portal.origin) is None
    assert ("revoke it under Tokens" in capsys.readouterr().err) == (status == 503)
    assert larder(monkeypatch, "logout", "--url", portal.origin) == SIGN_IN


def test_a_token_is_tried_before_it_is_kept(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    portal.answers["GET /me"] = (401, {"detail": "This token is not valid."})
    assert larder(monkeypatch, "login", portal.origin, "--token-stdin", typed="x\n") == SIGN_IN
    assert capsys.readouterr().err.splitlines()[-1] == "larder: This token is not valid."
    assert store.login_to(portal.origin) is None
    portal.answers["GET /me"] = (200, {"username": "acme/ci"})
    assert larder(monkeypatch, "login", portal.origin, "--token-stdin", typed="lrd_x\n") == 0
    assert store.login_to(portal.origin) == {"username": "acme/ci", "token": "lrd_x"}
