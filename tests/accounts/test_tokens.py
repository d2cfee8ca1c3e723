"""Tokens: made once, found by their secret, and dead when they should be."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from accounts import members, tokens
from accounts.models import Token
from base.audit import SYSTEM
from base.stamps import access_stamp
from tests.cast import Cast
from tests.conftest import MovableClock


def test_a_token_reads_as_secret_scanners_expect(cast: Cast) -> None:
    assert re.fullmatch(r"lrd_[0-9A-Za-z]{57}", cast.acme.writer.secret)


def test_the_secret_is_not_stored(cast: Cast) -> None:
    secret = cast.acme.writer.secret
    stored = Token.objects.values_list("identifier", "digest", "name")
    assert not [row for row in stored if secret in row or secret[12:55] in "".join(row)]


def test_a_secret_finds_its_token(cast: Cast) -> None:
    found = tokens.find(cast.acme.writer.secret)
    assert found is not None
    assert found.membership.user == cast.acme.writer.user


def test_one_changed_letter_finds_nothing_and_asks_no_database(
    cast: Cast, django_assert_num_queries
) -> None:
    secret = cast.acme.writer.secret
    changed = secret[:20] + ("a" if secret[20] != "a" else "b") + secret[21:]
    with django_assert_num_queries(0):
        assert tokens.find(changed) is None


def test_an_expired_token_is_dead(cast: Cast, time: MovableClock) -> None:
    membership = cast.acme.writer.token.membership
    _, secret = tokens.create(
        membership=membership, name="short", by=SYSTEM, expires_at=time() + timedelta(hours=1)
    )
    assert tokens.find(secret) is not None
    time.move(hours=1)
    assert tokens.find(secret) is None


def test_a_revoked_token_is_dead_and_moves_the_access_stamp(cast: Cast) -> None:
    before = access_stamp()
    tokens.revoke(cast.acme.writer.token, by=SYSTEM)
    assert tokens.find(cast.acme.writer.secret) is None
    assert access_stamp() != before


def test_minting_a_token_moves_no_stamp(cast: Cast) -> None:
    before = access_stamp()
    tokens.create(membership=cast.acme.writer.token.membership, name="new", by=SYSTEM)
    assert access_stamp() == before


def test_a_disabled_owner_kills_the_token(cast: Cast) -> None:
    user = cast.acme.writer.user
    user.is_active = False
    members.save_user(user, by=SYSTEM)
    assert tokens.find(cast.acme.writer.secret) is None


def test_leaving_the_tenant_ends_its_tokens(cast: Cast) -> None:
    members.end_membership(cast.acme.writer.token.membership, by=SYSTEM)
    assert tokens.find(cast.acme.writer.secret) is None


@pytest.mark.parametrize("text", ["", "lrd_", "lrd_" + "x" * 57, "secret", "lrd_" + "é" * 57])
def test_what_is_no_token_finds_nothing(cast: Cast, text: str) -> None:
    assert tokens.find(text) is None
