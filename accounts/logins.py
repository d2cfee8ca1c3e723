"""Logins of the larder command: a refresh token that is kept, and access tokens that end soon.

docs/decisions/0013 says why. A refresh token looks as a token does, with a prefix of its own, and
is stored as a digest. Of access tokens nothing is stored: one names its login and its end, signed
with the installation's key, and is worth what that login is worth at the moment of use.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare

from accounts import tokens
from accounts.models import Login, User
from base import audit, clock
from base.audit import Actor
from base.errors import LarderError
from base.stamps import configuring, move_access

REFRESH_PREFIX = "lrr_"
ACCESS_PREFIX = "lra_"
LOGIN_LASTS = timedelta(days=90)
ACCESS_LASTS = timedelta(minutes=30)
# After its end: so long REST lists it, and its refresh token is known to be no guess.
KEPT_FOR = timedelta(days=30)
_signer = Signer(salt="accounts.logins", sep=".")


class LoginMissing(LarderError):
    """The caller has no such login; whether somebody else has is not told."""


def create(*, user: User, name: str, by: Actor) -> tuple[Login, str]:
    """Make a login and return it with its refresh token, which is shown now and never again."""
    identifier, secret = tokens.new_secret(REFRESH_PREFIX)
    now = clock.now()
    login = Login(
        user=user,
        name=name,
        identifier=identifier,
        digest=tokens.digest_of(secret),
        password_mark=user.get_session_auth_hash(),
        created_at=now,
        expires_at=now + LOGIN_LASTS,
    )
    with transaction.atomic():
        login.full_clean()
        login.save()
        after = {"owner": user.username, "name": name, "expires_at": login.expires_at}
        audit.record(by=by, action="login.create", subject=str(login), after=after)
    return login, secret


def one_of(user: User, pk: int) -> Login:
    """Return a login of the user's. Raises LoginMissing."""
    login = Login.objects.filter(user=user, pk=pk).first()
    if login is None:
        raise LoginMissing("You have no such login.")
    return login


def revoke(login: Login, *, by: Actor) -> None:
    """End `login` with every access token of it, from the next request on, in every process."""
    now = clock.now()
    with configuring():
        if not Login.objects.filter(pk=login.pk, revoked_at__isnull=True).update(revoked_at=now):
            raise ValidationError("This login is revoked already.")
        login.revoked_at = now
        move_access()
        before, after = {"revoked_at": None}, {"revoked_at": now}
        audit.record(by=by, action="login.revoke", subject=str(login), before=before, after=after)


def access_token(login: Login) -> tuple[str, datetime]:
    """Return a new access token of `login` and when it ends, and note that the login was used."""
    now = clock.now()
    Login.objects.filter(pk=login.pk).update(last_used_at=now)
    ends = min(now + ACCESS_LASTS, login.expires_at).replace(microsecond=0)
    return ACCESS_PREFIX + _signer.sign(f"{login.identifier}.{int(ends.timestamp())}"), ends


def by_refresh_token(secret: str) -> Login | None:
    """Return the living login that a refresh token belongs to, with its user; else None."""
    login = _of_refresh_token(secret, living())
    return login if still_holds(login) else None


def was_refresh_token(secret: str) -> bool:
    """Say whether a login, living or over, has had this refresh token: then it is no guess."""
    return _of_refresh_token(secret, Login.objects.all()) is not None


def _of_refresh_token(secret: str, among: QuerySet[Login]) -> Login | None:
    identifier = tokens.identifier_in(secret) if secret.startswith(REFRESH_PREFIX) else None
    if identifier is None:
        return None
    login = among.filter(identifier=identifier).first()
    return login if tokens.is_secret_of(login, secret) else None


def by_access_token(secret: str) -> Login | None:
    """Return the living login that an access token belongs to, with its user; else None."""
    try:
        identifier, ends = _signer.unsign(secret.removeprefix(ACCESS_PREFIX)).split(".")
    except BadSignature:
        return None
    if datetime.fromtimestamp(int(ends), UTC) <= clock.now():
        return None
    login = living().filter(identifier=identifier).first()
    return login if still_holds(login) else None


def forget() -> int:
    """Remove the logins that ended long ago, and say how many they were."""
    long_ago = clock.now() - KEPT_FOR
    ended = Login.objects.filter(Q(expires_at__lte=long_ago) | Q(revoked_at__lte=long_ago))
    return ended.delete()[0]


def looks_like_access(text: str) -> bool:
    """Say whether `text` has an access token's prefix."""
    return text.startswith(ACCESS_PREFIX)


def living() -> QuerySet[Login]:
    """Return the logins that are neither ended nor of a disabled user, with their users."""
    return Login.objects.select_related("user").filter(
        expires_at__gt=clock.now(), revoked_at__isnull=True, user__is_active=True
    )


def still_holds(login: Login | None) -> bool:
    """Say whether there is a login, and its user has the password that it was made with.

    A mark that an earlier key of the installation made is made anew, as Django does in sessions.
    """
    if login is None:
        return False
    mark, present = login.password_mark, login.user.get_session_auth_hash()
    if constant_time_compare(mark, present):
        return True
    earlier = login.user.get_session_auth_fallback_hash()
    if not any(constant_time_compare(mark, each) for each in earlier):
        return False
    Login.objects.filter(pk=login.pk, password_mark=mark).update(password_mark=present)
    return True
