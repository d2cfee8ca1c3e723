"""From what a request carries to the principal who calls.

A credential that is wrong is refused, never overlooked: a caller who sends one wants to be
somebody, and serving them as nobody would hide the mistake.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from accounts import last_use, logins, publishing, throttle, tokens
from accounts.models import Login, User
from accounts.principal import Principal, TokenLimits
from base.errors import LarderError


class CredentialsRefused(LarderError):
    """The credential is wrong, expired, revoked, or its owner is disabled."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What the caller showed: a secret, and for Basic the user name beside it."""

    username: str
    secret: str
    is_basic: bool


# The headers that hold credentials, in lower case.
SHOWN_IN = ("authorization", "x-jfrog-art-api")


def credentials_in(headers: Mapping[str, str]) -> Credentials | None:
    """Return the credentials in `headers` (lower-case names), or None when there are none.

    Basic with a user name and a password or token, `Authorization: Bearer`, and Artifactory's
    `X-JFrog-Art-Api`. A Basic one with an empty password is none. Raises CredentialsRefused when
    the header cannot be read.
    """
    if key := headers.get("x-jfrog-art-api", "").strip():
        return Credentials(username="", secret=key, is_basic=False)
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return Credentials(username="", secret=rest.strip(), is_basic=False)
    if scheme.lower() != "basic":
        raise CredentialsRefused("Sign in with a user name and a token (Basic) or a Bearer token.")
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except ValueError:  # not ASCII, not base 64, not UTF-8
        raise CredentialsRefused("The Authorization header cannot be read.") from None
    username, colon, secret = text.partition(":")
    # twine and pip pass on what was pasted, line breaks included. A password may end in a space.
    if _looks_like_token(secret.strip()):
        secret = secret.strip()
    if not colon:
        raise CredentialsRefused("The Authorization header cannot be read.")
    if not secret:
        # Of a URL that names the user alone pip and uv send an empty password before they ask the
        # keyring, uv for each file: that is no guess.
        return None
    return Credentials(username=username.strip(), secret=secret, is_basic=True)


def authenticate(credentials: Credentials, *, address: str) -> Principal:
    """Return who the credentials belong to, or raise CredentialsRefused.

    Basic takes any user name with a token as the password, or a user name with its password.
    Raises TooManyFailures where too many wrong ones came (accounts.throttle). A good token is
    let in all the same, so that nobody's mistakes lock out the CI beside them.
    """
    if credentials.is_basic and not _looks_like_token(credentials.secret):
        user = by_password(credentials.username, credentials.secret, address=address)
        return Principal(user=user, address=address)
    if logins.looks_like_access(credentials.secret):
        login = logins.by_access_token(credentials.secret)
        if login is None:
            raise _wrong_token(address)
        return Principal(user=login.user, token=TokenLimits.of_login(login), address=address)
    if publishing.looks_like_one(credentials.secret):
        minted = publishing.find(credentials.secret)
        if minted is None:
            raise _not_valid() if publishing.was_one(credentials.secret) else _wrong_token(address)
        return Principal(token=TokenLimits.of_publishing(minted), address=address)
    token = tokens.find(credentials.secret)
    if token is None:
        raise _wrong_token(address)
    last_use.note(token)
    return Principal(user=token.membership.user, token=TokenLimits.of(token), address=address)


def by_refresh_token(secret: str, *, address: str) -> Login:
    """Return the login of a refresh token: for the one door that takes such, and no other.

    Raises CredentialsRefused or TooManyFailures. A token of a login that is over is refused and
    not counted: it is no guess, and a machine that goes on sending it locks out nobody beside it.
    """
    login = logins.by_refresh_token(secret)
    if login is not None:
        return login
    raise _not_valid() if logins.was_refresh_token(secret) else _wrong_token(address)


def by_password(username: str, password: str, *, address: str) -> User:
    """Return the user of this name and password, for every door that takes passwords.

    Raises CredentialsRefused, TooManyFailures or FailuresUncounted. A name that nobody has is
    answered as one that somebody has: the same work, the same count, the same words.
    """
    throttle.require_room(address=address, account=username)
    # A control character is in no user name, and PostgreSQL would refuse to look for a NUL.
    known = User.objects.filter(username=username)
    user = known.first() if username.isprintable() else None
    if user is None:
        make_password(password)  # takes as long as checking one
    elif check_password(password, user.password) and user.is_active:
        throttle.require_room_still(address=address, account=username)
        return user
    throttle.count_failure(address=address, account=username)
    raise CredentialsRefused("The user name or password is wrong, or the account is disabled.")


def _looks_like_token(text: str) -> bool:
    looks = (tokens.looks_like_one, logins.looks_like_access, publishing.looks_like_one)
    return any(each(text) for each in looks)


def _wrong_token(address: str) -> CredentialsRefused:
    """Count a wrong token, and return what its sender hears."""
    if settings.WRONG_TOKENS_ARE_COUNTED:
        with suppress(throttle.FailuresUncounted):  # it is wrong, counted or not
            throttle.count_failure(address=address)
    return _not_valid()


def _not_valid() -> CredentialsRefused:
    return CredentialsRefused("This token is not valid: it is wrong, expired or revoked.")


class PasswordBackend(BaseBackend):
    """What Django asks when somebody signs in, and who a session belongs to."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: object,
    ) -> User | None:
        """Return the user, or None when name or password is wrong; other refusals are raised."""
        address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
        try:
            return by_password(username or "", password or "", address=address)
        except CredentialsRefused:
            return None

    def get_user(self, user_id: int) -> User | None:
        """Return whose session it is, unless they are disabled."""
        return User.objects.filter(pk=user_id, is_active=True).first()


def signed_in(request: HttpRequest) -> Principal:
    """Return who has signed in with the browser that sent `request`; anonymous when nobody.

    A session that outlived its user's account or password is over: CredentialsRefused, this once,
    and the browser is a stranger's afterwards.
    """
    is_claimed = SESSION_KEY in request.session  # asked first: Django forgets it on the way
    user = request.user if isinstance(request.user, User) else None
    if is_claimed and user is None:
        request.session.flush()
        raise CredentialsRefused(
            "You are signed in no longer: the password was changed or the account disabled."
        )
    return Principal(user=user, address=request.META.get("REMOTE_ADDR", ""))


def caller_of(request: HttpRequest) -> Principal:
    """Return who asks for a page: by the credentials they show, else by their session cookie.

    Raises CredentialsRefused when what they show is wrong; the session does not make it good.
    """
    address = request.META.get("REMOTE_ADDR", "")
    credentials = credentials_in({name.lower(): value for name, value in request.headers.items()})
    return authenticate(credentials, address=address) if credentials else signed_in(request)


def again(principal: Principal) -> Principal:
    """Return the same caller as they stand now, or raise CredentialsRefused.

    For work that took long: since it began the token may be revoked, its owner disabled, or the
    password that they came with another one.
    """
    if principal.token is not None and principal.token.publishing_id is not None:
        return _publishing_again(principal, principal.token.publishing_id)
    if principal.user is None:
        return principal
    living = User.objects.filter(pk=principal.user.pk, is_active=True)
    limits = principal.token
    if limits is None:
        living = living.filter(password=principal.user.password)
    elif limits.login_id is not None:
        login = logins.living().filter(pk=limits.login_id).first()
        limits = limits if logins.still_holds(login) else None
    else:
        token = tokens.living().filter(pk=limits.token_id).first()
        limits = None if token is None else TokenLimits.of(token)
    user = living.first()
    if user is None or (principal.token is not None and limits is None):
        raise CredentialsRefused("The credential is no longer valid.")
    return Principal(user=user, token=limits, address=principal.address)


def _publishing_again(principal: Principal, pk: int) -> Principal:
    minted = publishing.living().filter(pk=pk).first()
    if minted is None:
        raise CredentialsRefused("The credential is no longer valid.")
    return Principal(token=TokenLimits.of_publishing(minted), address=principal.address)
