"""Logging in and out, and what people do about tokens: with their password, typed each time."""

from __future__ import annotations

import getpass
import platform
import sys
from argparse import Namespace
from datetime import datetime, timedelta, timezone

from larder_client import store
from larder_client.access import credential_for
from larder_client.api import Api, Json, basic, bearer
from larder_client.origin import is_read_on_the_way, typed_origin
from larder_client.output import note, show, tell
from larder_client.problems import SIGN_IN, Problem

_LIMITS = ("id", "name", "owner", "tenant", "role", "repositories")


def origin_meant(asked: Namespace) -> str:
    """Return the Larder that a command is about: the named one, else the last logged in to."""
    return typed_origin(asked.url) if asked.url else store.current()


def signed_in(asked: Namespace) -> Api:
    """Return the API with what the login gives. Raises Problem where there is none."""
    origin = origin_meant(asked)
    found = credential_for(origin)
    if found is None:
        raise Problem(f"You are not logged in. Type: larder login {origin}", SIGN_IN)
    return Api(origin, bearer(found[1]))


def login(asked: Namespace) -> None:
    """Log in, and keep what brings access."""
    origin = typed_origin(asked.origin)
    if is_read_on_the_way(origin):
        note(f"{origin} is not encrypted: whoever is on the way reads what you send.")
    kept = _by_token(origin) if asked.token_stdin else _by_password(origin, asked)
    with store.locked():
        before = store.login_to(origin)
        store.keep(origin, kept, is_current=True)
    if before and "refresh_token" in before:
        _end(origin, before["refresh_token"])
    said = {"url": origin, "username": kept["username"]}
    tell(said, f"You are logged in to {origin} as {kept['username']}.", as_json=asked.json)


def logout(asked: Namespace) -> None:
    """End the login, here and on the server."""
    origin = origin_meant(asked)
    with store.locked():
        kept = store.login_to(origin)
        if kept is None:
            raise Problem(f"You are not logged in to {origin}.", SIGN_IN)
        store.forget(origin)
    if "refresh_token" in kept:
        _end(origin, kept["refresh_token"])
    tell({"url": origin}, f"You are logged out of {origin}.", as_json=asked.json)


def whoami(asked: Namespace) -> None:
    """Say who is logged in, and where they belong."""
    api = signed_in(asked)
    me = api.get("me")
    tenants = ", ".join(me["tenants"]) or "no tenant"
    said = f"{me['username']} at {api.origin}, in {tenants}"
    tell(me | {"url": api.origin}, said, as_json=asked.json)


def create_token(asked: Namespace) -> None:
    """Make a token, and print its secret."""
    wanted = {
        "tenant": asked.tenant,
        "name": asked.name,
        "role": asked.role,
        "repositories": asked.repository or None,
        "project_patterns": asked.project or [],
        "expires_at": _end_of(asked.days),
    }
    wanted |= {"owner": asked.owner} if asked.owner else {}
    made = _themselves(asked).send("POST", ("tokens",), wanted)
    tell(made, made["secret"], as_json=asked.json)


def change_token(asked: Namespace) -> None:
    """Change what a token may do, and what it is called; what is not said stays."""
    wanted: Json = {name: said for name in ("name", "role") if (said := getattr(asked, name))}
    if asked.repository or asked.everywhere:
        wanted["repositories"] = asked.repository
    if asked.project or asked.all_projects:
        wanted["project_patterns"] = asked.project or []
    if asked.days is not None or asked.endless:
        wanted["expires_at"] = _end_of(asked.days)
    if not wanted:
        raise Problem("Say what is to be changed; larder token change --help has what can be.")
    changed = _themselves(asked).send("PATCH", ("tokens", str(asked.id)), wanted)
    if asked.json:
        tell(changed, "", as_json=True)
    else:
        show([changed], (*_LIMITS, "project_patterns", "expires_at"), as_json=False)


def list_tokens(asked: Namespace) -> None:
    """List one's own tokens, or a tenant's."""
    query = {"tenant": asked.tenant} if asked.tenant else {}
    rows = list(_themselves(asked).rows("tokens", **query))
    columns = (*_LIMITS, "last_used_at", "expires_at", "revoked_at")
    show(rows, columns, as_json=asked.json)


def revoke_token(asked: Namespace) -> None:
    """Revoke a token."""
    _themselves(asked).send("DELETE", ("tokens", str(asked.id)))
    tell({"id": asked.id}, f"Token {asked.id} is revoked.", as_json=asked.json)


def _by_token(origin: str) -> store.Login:
    token = sys.stdin.readline().strip()
    me = Api(origin, bearer(token)).get("me")
    return {"username": me["username"], "token": token}


def _by_password(origin: str, asked: Namespace) -> store.Login:
    username = asked.username or input("User name: ").strip()
    api = Api(origin, basic(username, _password(asked)))
    name = f"{username} on {platform.node() or 'a machine'}"[:100]
    made = api.send("POST", ("logins",), {"name": name})
    return {"username": username, "refresh_token": made["refresh_token"]}


def _themselves(asked: Namespace) -> Api:
    """Return the API of a person who has typed their password: no login makes tokens."""
    origin = origin_meant(asked)
    kept = store.login_to(origin)
    if kept is None:
        raise Problem(f"You are not logged in. Type: larder login {origin}", SIGN_IN)
    return Api(origin, basic(kept["username"], _password(asked)))


def _password(asked: Namespace) -> str:
    if asked.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Problem("Nobody can be asked for a password here. Use --password-stdin.")
    return getpass.getpass("Password: ")


def _end(origin: str, refresh_token: str) -> None:
    try:
        Api(origin, {}).send("POST", ("logout",), {"refresh_token": refresh_token})
    except Problem as problem:
        if problem.code != SIGN_IN:  # it had ended already
            note(f"It is forgotten here, but revoke it under Tokens: {problem.sentence}")


def _end_of(days: int | None) -> str | None:
    if days is None:
        return None
    return (datetime.now(timezone.utc) + timedelta(days=days)).isoformat()
