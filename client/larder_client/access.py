"""What to sign in with at an origin: the token that was kept, or an access token that still lasts.

An access token is brought anew when less than a third of it is left, by one process at a time: who
waited for the lock finds the token that the one before brought. A login that the server calls
ended is marked so: its refresh token goes, and nobody asks with it again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone

from larder_client import store
from larder_client.api import Api
from larder_client.problems import AWAY, SIGN_IN, Problem

SECONDS = 3.0  # a client that waits for its password waits no longer
_LEFT_SECONDS = 600


def credential_for(origin: str) -> tuple[str, str] | None:
    """Return user name and secret for an origin; None where nobody has logged in to it.

    Raises Problem where there is a login that brings no access.
    """
    login = store.login_to(origin)
    if login is None or _lasts(login):
        return _shown(login)
    with store.locked():
        login = store.login_to(origin)
        if login is None or _lasts(login):
            return _shown(login)
        if "refresh_token" not in login:
            raise _ended(origin)
        login |= _new_access(origin, login)
        store.keep(origin, login)
    return _shown(login)


def _new_access(origin: str, login: store.Login) -> store.Login:
    """Return the access that a login brings. The caller holds the lock."""
    api = Api(origin, {}, timeout=SECONDS)
    try:
        given = api.send("POST", ("access",), {"refresh_token": login["refresh_token"]})
    except Problem as problem:
        if problem.code == SIGN_IN:
            now = datetime.now(timezone.utc).isoformat()
            store.keep(origin, {"username": login["username"], "ended_at": now})
            raise _ended(origin) from None
        raise
    try:
        datetime.fromisoformat(_ends(given))
        return {name: given[name] for name in ("username", "access_token", "expires_at")}
    except (KeyError, ValueError):
        raise Problem(f"{origin} gives no access: is it a Larder?", AWAY) from None


def _ended(origin: str) -> Problem:
    return Problem(f"Your login has ended. Type: larder login {origin}", SIGN_IN)


def _lasts(login: store.Login) -> bool:
    if "token" in login:
        return True
    if "access_token" not in login:
        return False
    return datetime.fromisoformat(_ends(login)).timestamp() - time.time() > _LEFT_SECONDS


def _ends(given: Mapping[str, str]) -> str:
    return given["expires_at"].replace("Z", "+00:00")  # Python 3.10 reads no Z


def _shown(login: store.Login | None) -> tuple[str, str] | None:
    if login is None:
        return None
    return login["username"], login.get("token") or login["access_token"]
