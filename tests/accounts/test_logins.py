"""Logins of the larder command: what their two tokens open, and when they end."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.signing import Signer

from accounts import logins, members, tokens
from accounts.authentication import CredentialsRefused, again, authenticate, credentials_in
from accounts.models import Login, SignInFailures, Token, User
from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from repos.access import PeopleOnly, may, readable_by, require_person, require_tenant_admin
from tests.cast import Cast, basic
from tests.conftest import MovableClock
from tests.portal.test_rest import Rest, by_session, by_token, told


def call(secret: str) -> Principal:
    credentials = credentials_in({"authorization": f"Bearer {secret}"})
    assert credentials is not None
    return authenticate(credentials, address="10.0.0.1")


def made(user: User) -> tuple[Login, str, str]:
    """Return a login with its refresh token and an access token."""
    login, refresh = logins.create(user=user, name="laptop", by=SYSTEM)
    return login, refresh, logins.access_token(login)[0]


def test_an_access_token_does_in_all_tenants_what_its_owner_may(cast: Cast) -> None:
    wes, ada = cast.acme.writer.user, cast.acme.admin.user
    for user in (wes, ada, cast.superuser.user):
        themselves, by_access = Principal(user=user), call(made(user)[2])
        assert set(readable_by(by_access)) == set(readable_by(themselves))
        for house in (cast.acme, cast.globex):
            for role in Role:
                assert may(by_access, house.repository, role) == may(
                    themselves, house.repository, role
                )
    assert require_tenant_admin(call(made(ada)[2]), "acme") == cast.acme.tenant


def test_an_access_token_is_a_password_of_any_user_name(cast: Cast) -> None:
    _, _, access = made(cast.acme.writer.user)
    headers = {name.lower(): value for name, value in basic("wes", f" {access}\n").items()}
    credentials = credentials_in(headers)
    assert credentials is not None
    who = authenticate(credentials, address="10.0.0.1")
    assert who.actor.name == "wes"
    assert who.actor.token.startswith("laptop (")


def test_an_access_token_opens_nothing_that_is_for_people_themselves(cast: Cast) -> None:
    with pytest.raises(PeopleOnly):
        require_person(call(made(cast.acme.admin.user)[2]))
    by_access = Rest({"Authorization": f"Bearer {made(cast.superuser.user)[2]}"})
    new = {"name": "x", "tenant": "acme", "role": "reader", "repositories": None}
    before = Token.objects.count(), Login.objects.count()
    told(by_access("POST", "/tokens", new | {"expires_at": None}), 403)
    told(by_access("POST", "/logins", {"name": "x"}), 403)
    told(by_access("GET", "/users"), 403)
    told(by_access("GET", "/tenants/acme/audit"), 403)
    page = by_access.client.post("/acme/local/-/set-up/", headers=by_access.headers)
    assert page.status_code == 403
    assert (Token.objects.count(), Login.objects.count()) == before


def test_an_access_token_ends_after_half_an_hour(cast: Cast, time: MovableClock) -> None:
    _, _, access = made(cast.acme.writer.user)
    time.move(seconds=logins.ACCESS_LASTS.total_seconds() - 1)
    assert call(access).user == cast.acme.writer.user
    time.move(seconds=1)
    with pytest.raises(CredentialsRefused):
        call(access)


def test_a_refresh_token_is_no_credential(cast: Cast) -> None:
    _, refresh, _ = made(cast.acme.writer.user)
    for headers in (basic("wes", refresh), {"X-JFrog-Art-Api": refresh}):
        told(Rest(headers)("GET", "/me"), 401)
    with pytest.raises(CredentialsRefused):
        call(refresh)


def test_only_a_refresh_token_brings_access(cast: Cast) -> None:
    _, refresh, access = made(cast.acme.writer.user)
    anybody = Rest({})
    given = anybody("POST", "/access", {"refresh_token": refresh})
    assert given.status_code == 200
    assert given["Cache-Control"] == "no-store"
    assert given.json()["username"] == "wes"
    assert call(given.json()["access_token"]).user == cast.acme.writer.user
    mistyped = refresh[:-1] + ("0" if refresh[-1] != "0" else "1")
    as_token = tokens.PREFIX + refresh.removeprefix(logins.REFRESH_PREFIX)
    for other in (access, cast.acme.writer.secret, mistyped, as_token, "lrr_", "é"):
        told(anybody("POST", "/access", {"refresh_token": other}), 401)


def test_guesses_at_refresh_tokens_are_counted(cast: Cast) -> None:
    _, refresh, _ = made(cast.acme.writer.user)
    anybody = Rest({})
    for _ in range(10):
        told(anybody("POST", "/access", {"refresh_token": "lrr_wrong"}), 401)
    refused = anybody("POST", "/access", {"refresh_token": "lrr_wrong"})
    assert "Too many" in told(refused, 429)
    assert anybody("POST", "/access", {"refresh_token": refresh}).status_code == 200


def _expired(login: Login) -> None:
    Login.objects.filter(pk=login.pk).update(expires_at=clock.now())


def _changed_password(login: Login) -> None:
    members.save_user(login.user, by=SYSTEM, password="another-password-of-theirs")


def _disabled(login: Login) -> None:
    login.user.is_active = False
    members.save_user(login.user, by=SYSTEM)


def _revoked(login: Login) -> None:
    logins.revoke(login, by=SYSTEM)


@pytest.mark.parametrize("ending", [_changed_password, _disabled, _revoked])
def test_a_login_ends_with_all_its_tokens_at_once(cast: Cast, ending: Any) -> None:
    login, refresh, access = made(cast.acme.writer.user)
    while_working = call(access)
    ending(login)
    with pytest.raises(CredentialsRefused):
        call(access)
    with pytest.raises(CredentialsRefused):
        again(while_working)
    told(Rest({})("POST", "/access", {"refresh_token": refresh}), 401)


@pytest.mark.parametrize("ending", [_changed_password, _disabled, _revoked, _expired])
@pytest.mark.parametrize("door", ["/access", "/logout"])
def test_a_refresh_token_that_has_ended_is_no_guess(cast: Cast, door: str, ending: Any) -> None:
    login, refresh, _ = made(cast.acme.writer.user)
    ending(login)
    for _ in range(12):
        told(Rest({})("POST", door, {"refresh_token": refresh}), 401)
    assert not SignInFailures.objects.exists()
    body = refresh[4:12] + "0" * 43
    guess = logins.REFRESH_PREFIX + body + tokens._checksum(body)  # of the same row
    for _ in range(10):
        told(Rest({})("POST", door, {"refresh_token": guess}), 401)
    told(Rest({})("POST", door, {"refresh_token": guess}), 429)
    told(Rest({})("POST", door, {"refresh_token": refresh}), 401)


NEW_KEY = "another-secret-key-of-fifty-characters-and-some-more"


def test_a_login_outlives_the_change_of_the_secret_key(
    cast: Cast, settings: Any, monkeypatch: Any
) -> None:
    _, refresh, access = made(cast.acme.writer.user)
    unused = made(cast.acme.writer.user)[1]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW_KEY
    # Each process makes its signer when it starts.
    monkeypatch.setattr(logins, "_signer", Signer(salt=logins._signer.salt, sep="."))
    who = call(access)
    assert again(who) == who
    assert logins.by_refresh_token(refresh)
    settings.SECRET_KEY_FALLBACKS = []  # what was used meanwhile goes on, the others are over
    assert logins.by_refresh_token(refresh)
    assert logins.by_refresh_token(unused) is None


def test_a_password_that_was_changed_ends_logins_under_earlier_keys_too(
    cast: Cast, settings: Any
) -> None:
    login, refresh, _ = made(cast.acme.writer.user)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW_KEY
    _changed_password(login)
    assert logins.by_refresh_token(refresh) is None


def test_a_login_ends_by_itself_and_its_last_access_with_it(cast: Cast, time: MovableClock) -> None:
    login, refresh, _ = made(cast.acme.writer.user)
    time.move(days=90, minutes=-1)
    access, ends = logins.access_token(login)
    assert ends <= login.expires_at
    time.move(minutes=1)
    with pytest.raises(CredentialsRefused):
        call(access)
    told(Rest({})("POST", "/access", {"refresh_token": refresh}), 401)


def test_work_that_takes_long_goes_on_while_the_login_lives(cast: Cast) -> None:
    who = call(made(cast.acme.writer.user)[2])
    assert again(who) == who


def test_an_access_token_that_was_changed_is_refused(cast: Cast) -> None:
    _, _, access = made(cast.acme.writer.user)
    identifier, ends, signature = access.removeprefix("lra_").split(".")
    later = f"lra_{identifier}.{int(ends) + 1}.{signature}"
    for secret in (later, access[:-1], "lra_", "lra_..", "lra_é.1.é", f"{access}x"):
        with pytest.raises(CredentialsRefused):
            call(secret)


def test_logging_out_takes_the_refresh_token_alone(cast: Cast) -> None:
    login, refresh, access = made(cast.acme.writer.user)
    told(Rest({"Authorization": f"Bearer {access}"})("DELETE", f"/logins/{login.pk}"), 403)
    assert Rest({})("POST", "/logout", {"refresh_token": refresh}).status_code == 204
    told(Rest({})("POST", "/logout", {"refresh_token": refresh}), 401)


def test_people_see_and_end_their_own_logins_only(cast: Cast) -> None:
    login, *_ = made(cast.acme.writer.user)
    own = by_session(cast.acme.writer)
    page = own.client.get("/accounts/tokens/", headers=own.headers).content.decode()
    assert f"lrr_{login.identifier}" in page
    assert [each["id"] for each in own("GET", "/logins").json()["results"]] == [login.pk]
    other = by_session(cast.acme.admin)
    page = other.client.get("/accounts/tokens/", headers=other.headers).content.decode()
    assert login.identifier not in page
    told(other("DELETE", f"/logins/{login.pk}"), 404)
    told(by_token(cast.acme.writer)("GET", "/logins"), 403)
    assert own("DELETE", f"/logins/{login.pk}").status_code == 204
    told(own("DELETE", f"/logins/{login.pk}"), 400)
    page = own.client.get("/accounts/tokens/", headers=own.headers).content.decode()
    assert login.identifier not in page


def test_a_secret_of_a_login_is_stored_nowhere(cast: Cast) -> None:
    _, refresh, access = made(cast.acme.writer.user)
    stored = str(list(Login.objects.values()))
    assert refresh not in stored
    assert access not in stored
