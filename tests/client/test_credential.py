"""What is shown to a server, and when a new access token is brought."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from larder_client import store
from larder_client.access import credential_for
from larder_client.problems import AWAY, SIGN_IN, Problem
from tests.client.conftest import Portal

ACCESS = "POST /access"


def log_in(portal: Portal, **more: str) -> None:
    with store.locked():
        store.keep(portal.origin, {"username": "ann", "refresh_token": "lrr_kept"} | more)


def given(portal: Portal, secret: str, minutes: int = 30) -> None:
    ends = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    said = {"username": "ann", "access_token": secret, "expires_at": ends}
    portal.answers[ACCESS] = (200, said)


def test_nobody_is_asked_where_nobody_has_logged_in(portal: Portal) -> None:
    assert credential_for(portal.origin) is None
    assert not portal.heard


def test_an_access_token_is_brought_once_while_it_lasts(portal: Portal) -> None:
    log_in(portal)
    given(portal, "lra_first")
    assert credential_for(portal.origin) == ("ann", "lra_first")
    given(portal, "lra_second")
    assert credential_for(portal.origin) == ("ann", "lra_first")
    ((_, headers, body),) = portal.heard
    assert json.loads(body) == {"refresh_token": "lrr_kept"}
    assert "Authorization" not in headers


def test_a_new_one_is_brought_before_the_old_one_ends(portal: Portal) -> None:
    log_in(portal)
    given(portal, "lra_first", minutes=9)
    credential_for(portal.origin)
    given(portal, "lra_second")
    assert credential_for(portal.origin) == ("ann", "lra_second")


def test_a_token_that_was_typed_is_shown_as_it_is(portal: Portal) -> None:
    with store.locked():
        store.keep(portal.origin, {"username": "ci", "token": "lrd_typed"})
    assert credential_for(portal.origin) == ("ci", "lrd_typed")
    assert not portal.heard


def test_a_login_that_has_ended_says_what_to_type(portal: Portal) -> None:
    log_in(portal)
    portal.answers[ACCESS] = (401, {"detail": "This token is not valid."})
    with pytest.raises(Problem, match=f"larder login {portal.origin}") as refused:
        credential_for(portal.origin)
    assert refused.value.code == SIGN_IN


def test_a_login_that_has_ended_is_asked_for_once_and_no_more(portal: Portal, config: Path) -> None:
    log_in(portal, access_token="lra_old", expires_at="2020-01-01T00:00:00Z")
    portal.answers[ACCESS] = (401, {"detail": "This token is not valid."})
    for _ in range(3):
        with pytest.raises(Problem, match=f"larder login {portal.origin}") as refused:
            credential_for(portal.origin)
        assert refused.value.code == SIGN_IN
    assert [asked for asked, _, _ in portal.heard] == [ACCESS]
    assert "lrr_kept" not in (config / "logins.json").read_text()
    log_in(portal)
    given(portal, "lra_anew")
    assert credential_for(portal.origin) == ("ann", "lra_anew")


def test_a_server_that_is_away_ends_no_login(portal: Portal) -> None:
    log_in(portal)
    portal.answers[ACCESS] = (503, b"<html>")
    with pytest.raises(Problem) as refused:
        credential_for(portal.origin)
    assert refused.value.code == AWAY
    given(portal, "lra_back")
    assert credential_for(portal.origin) == ("ann", "lra_back")
