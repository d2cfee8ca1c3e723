"""The logins of this machine: one file, readable by its owner alone.

`larder login` writes a refresh token there and the backend the access token it got last. Whoever
changes the file holds the lock beside it, and puts a whole new file in the place of the old one.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from larder_client.problems import SIGN_IN, Problem

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_WAIT_SECONDS = 10.0
_OTHERS = 0o077
# What a login is by: a token that was typed, what brings access, or when it was found to be over.
_KINDS = {"token", "refresh_token", "ended_at"}
Login = dict[str, str]


def folder() -> Path:
    """Return where the file is: LARDER_CONFIG, else where this system keeps settings."""
    if told := os.environ.get("LARDER_CONFIG"):
        return Path(told)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "larder"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "larder"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "larder"


def login_to(origin: str) -> Login | None:
    """Return the login to an origin, if there is one."""
    found: Login | None = _read()["logins"].get(origin)
    return found


def current() -> str:
    """Return the origin that was logged in to last. Raises Problem."""
    origin = _read()["current"]
    if not origin:
        raise Problem("You are logged in nowhere. Type: larder login URL", SIGN_IN)
    return str(origin)


def keep(origin: str, login: Login, *, is_current: bool = False) -> None:
    """Keep a login, in the place of another to the same origin. The caller holds the lock."""
    content = _read()
    content["logins"][origin] = login
    if is_current:
        content["current"] = origin
    _write(content)


def forget(origin: str) -> None:
    """Remove the login to an origin. The caller holds the lock."""
    content = _read()
    content["logins"].pop(origin, None)
    if content["current"] == origin:
        content["current"] = next(iter(content["logins"]), "")
    _write(content)


@contextmanager
def locked() -> Iterator[None]:
    """Let no other process change the file meanwhile. Raises Problem where one takes too long."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    until = time.monotonic() + _WAIT_SECONDS
    with (folder() / "logins.lock").open("a+") as lock:
        while not _take(lock):
            if time.monotonic() > until:
                raise Problem(f"Another process holds {lock.name}.")
            time.sleep(0.02)
        yield  # closing the file lets the lock go


def _take(lock: IO[str]) -> bool:
    with suppress(OSError):
        if sys.platform == "win32":
            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _read() -> dict[str, Any]:
    path = folder() / "logins.json"
    try:
        with path.open() as file:
            mode = os.fstat(file.fileno()).st_mode
            content = json.load(file)
    except FileNotFoundError:
        return {"current": "", "logins": {}}
    except ValueError:
        content = None
    if os.name == "posix" and mode & _OTHERS:
        raise Problem(f"Others may read {path}. Type: chmod 600 '{path}'")
    if not _is_whole(content):
        raise Problem(f"{path} cannot be read. Remove it and log in again.")
    return dict(content)


def _is_whole(content: Any) -> bool:  # noqa: ANN401 - it is whatever JSON holds
    if not isinstance(content, dict) or not isinstance(content.get("current"), str):
        return False
    logins = content.get("logins")
    return isinstance(logins, dict) and all(
        isinstance(login, dict) and "username" in login and _KINDS & set(login)
        for login in logins.values()
    )


def _write(content: dict[str, Any]) -> None:
    descriptor, name = tempfile.mkstemp(dir=folder(), prefix="logins.")  # 0600 from the start
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(folder() / "logins.json")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
