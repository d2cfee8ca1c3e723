"""From headers to a principal: every way that clients show who they are."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import members, tokens
from accounts.authentication import CredentialsRefused, again, authenticate, credentials_in
from accounts.principal import Principal
from base.audit import SYSTEM
from tests.cast import Cast, Member, basic, make_user


def call(headers: dict[str, str]) -> Principal:
    credentials = credentials_in({name.lower(): value for name, value in headers.items()})
    assert credentials is not None
    return authenticate(credentials, address="10.0.0.1")


@pytest.mark.parametrize("username", ["__token__", "", "oauth2accesstoken", "wes", "anything"])
def test_basic_takes_any_user_name_with_a_token(cast: Cast, username: str) -> None:
    who = call(basic(username, cast.acme.writer.secret))
    assert who.user == cast.acme.writer.user
    assert who.token is not None


def test_bearer_and_artifactorys_header_take_a_token(cast: Cast) -> None:
    secret = cast.acme.writer.secret
    for headers in ({"Authorization": f"Bearer {secret}"}, {"X-JFrog-Art-Api": secret}):
        assert call(headers).user == cast.acme.writer.user


def test_white_space_around_a_token_is_forgiven(cast: Cast) -> None:
    assert call(basic("__token__", f" {cast.acme.writer.secret}\n")).user == cast.acme.writer.user


def test_basic_takes_a_user_name_with_its_password(db: None) -> None:
    user = make_user("pia", password="a long enough password: yes")
    who = call(basic("pia", "a long enough password: yes"))
    assert who.user == user
    assert who.token is None


def test_a_password_may_end_in_a_space(db: None) -> None:
    user = make_user("pia", password=" a-long-enough-password ")
    assert call(basic("pia", " a-long-enough-password ")).user == user


@pytest.mark.parametrize(
    "headers",
    [
        basic("pia", "wrong"),
        basic("nobody", "wrong"),
        basic("pia\x00", "a-long-enough-password"),
        basic("pia", "a-long-enough\x00-password"),
        basic("__token__", "lrd_" + "A" * 57),
        {"Authorization": "Bearer a-long-enough-password"},
        {"X-JFrog-Art-Api": "AKCp123"},
    ],
)
def test_a_wrong_credential_is_refused(db: None, headers: dict[str, str]) -> None:
    make_user("pia", password="a-long-enough-password")
    with pytest.raises(CredentialsRefused):
        call(headers)


def test_a_service_account_has_no_password(cast: Cast) -> None:
    members.service_account(tenant=cast.acme.tenant, name="ci", by=SYSTEM)
    for password in ("ci", "!", " "):
        with pytest.raises(CredentialsRefused):
            call(basic("acme/ci", password))


@pytest.mark.parametrize(
    "value", ["Basic", "Basic %%%", "Basic /w==", "Digest x", "Negotiate abc", "Basic éé"]
)
def test_a_header_that_cannot_be_read_is_refused(db: None, value: str) -> None:
    with pytest.raises(CredentialsRefused):
        call({"Authorization": value})


_HEADER_VALUE = st.text(st.characters(max_codepoint=255), max_size=200)  # as WSGI gives them
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=300, deadline=None)
@given(_HEADER_VALUE, st.sampled_from(["", "Basic ", "Bearer ", "basic\t", "BASIC  "]))
def test_whatever_a_header_says_it_is_read_or_refused(value: str, scheme: str) -> None:
    for name in ("authorization", "x-jfrog-art-api"):
        with suppress(CredentialsRefused):
            read = credentials_in({name: scheme + value})
            assert read is None or read.secret or not read.is_basic
            assert read is None or (scheme + value).strip()


@settings(max_examples=300, deadline=None)
@given(_TEXT, _TEXT)
def test_a_name_and_a_password_arrive_as_they_were_sent(username: str, password: str) -> None:
    read = credentials_in({"authorization": basic(username, password)["Authorization"]})
    name, _, rest = username.partition(":")  # RFC 7617: a name has no colon
    secret = f"{rest}:{password}" if ":" in username else password
    if not secret:
        assert read is None
        return
    assert read is not None
    assert (read.username, read.secret) == (name.strip(), secret)


def test_no_credentials_are_no_error() -> None:
    assert credentials_in({}) is None
    assert credentials_in({"authorization": "  "}) is None


def test_a_refusal_does_not_repeat_the_secret(db: None) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        call(basic("pia", "hunter2-hunter2"))
    assert "hunter2" not in str(refused.value)


def disable(person: Member) -> None:
    person.user.is_active = False
    members.save_user(person.user, by=SYSTEM)


def revoke(person: Member) -> None:
    tokens.revoke(person.token, by=SYSTEM)


@pytest.mark.parametrize("change", [disable, revoke])
def test_who_was_let_in_is_asked_again(cast: Cast, change) -> None:
    who = cast.acme.writer.limited
    assert again(who).user == cast.acme.writer.user
    change(cast.acme.writer)
    with pytest.raises(CredentialsRefused):
        again(who)
