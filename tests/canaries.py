"""Searches everything that a test run puts out for the secrets that it made: none may be there.

Every token that `accounts.tokens` makes in a test, every password that `accounts.members` is
given and every upstream's that `repos.configure` is given is a canary. Tokens of ours are known
by their looks, the checksum included, and not remembered: a run makes thousands of them, and
would look for each in tens of thousands of answers. Searched are, for each test: what was written
to standard output and standard error, every log line as our formatter writes it, and every answer
that Django's test client got. Of the journeys: the logs of their servers. A find fails the test,
with the place and never the secret.

The one place where a secret has to be is in ALLOWED, by name and with the reason.
"""

from __future__ import annotations

import base64
import functools
import logging
import os
import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
import pytest
from django.apps import apps
from django.urls import Resolver404

# The views, by name, whose answer shows a secret.
ALLOWED: Mapping[str, str] = {
    "admin:accounts_token_add": "the one page that shows a new token, this once",
    "new-token": "the same, for people's own tokens",
    "rest-logins": "the one answer that shows a refresh token",
    "rest-access": "the one answer that shows an access token",
    "set-up": "the same, in the snippets of a client",
    "rest-tokens": "the same, to a script",
    "set-up-client": "the same, of another client",
}
_SHORTEST = 10  # shorter ones, "wrong" for example, are words as well
_TOKEN = re.compile(rb"lr[dr]_[0-9A-Za-z]{57}")
_LONG_BASE_64 = re.compile(rb"[0-9A-Za-z+/_-]{82,}")  # a token's 61 bytes take 82 characters


_AS_IN_URLS = bytes.maketrans(b"-_", b"+/")


class Canaries:
    """The secrets of this process's tests so far, and where some of them were found."""

    def __init__(self) -> None:
        self._forms: list[bytes] = []
        self._found: list[str] = []

    def watch(self, secret: str) -> None:
        """Look for `secret` from now on, also as URLs and Basic authentication spell it."""
        if len(secret) >= _SHORTEST and not self.is_in(secret.encode()):
            self._forms += _spellings(secret)

    def search(self, content: str | bytes, place: str) -> None:
        """Note `place` when one of the secrets is in `content`."""
        data = content.encode(errors="replace") if isinstance(content, str) else content
        if self.is_in(data):
            self._found.append(place)

    def is_in(self, data: bytes) -> bool:
        """Say whether a secret stands in `data`."""
        if any(form in data for form in self._forms):
            return True
        return any(_is_token(match) for text in _readings(data) for match in _TOKEN.findall(text))

    def take_found(self) -> list[str]:
        """Return the places found since the last call."""
        found, self._found = self._found, []
        return sorted(set(found))


canaries = Canaries()


def watch(*secrets: str) -> None:
    """Look for these from now on: for secrets that are made elsewhere, as the journeys' are."""
    for secret in secrets:
        canaries.watch(secret)


def require_none_in(logs: Iterable[Path]) -> None:
    """Fail where a secret stands in the logs of servers that the tests have run."""
    for log in logs:
        assert not canaries.is_in(log.read_bytes()), f"A secret of the tests stands in {log}."


def _spellings(secret: str) -> Iterable[bytes]:
    yield secret.encode()
    yield quote(secret, safe="").encode()
    # In Basic authentication a user name of any length stands before it: base 64 then begins at
    # one of three places. The ends depend on what is beside it and are left out.
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode())
        yield encoded[(4 if before else 0) : len(encoded) - 4]


def _readings(data: bytes) -> Iterable[bytes]:
    """Return `data` as it is, and what stands in it in base 64, wherever that begins."""
    yield data
    for found in _LONG_BASE_64.findall(data):
        run = found.translate(_AS_IN_URLS)
        for start in range(4):
            text = run[start : len(run) - ((len(run) - start) % 4 == 1)]
            yield base64.b64decode(text + b"==")


def _is_token(text: bytes) -> bool:
    """Say whether `text` has a token's checksum; made-up ones of tests and documents have not."""
    if not apps.ready:  # a bench, or whoever takes pictures, runs servers and no Django itself
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
        django.setup()
    from accounts import tokens  # noqa: PLC0415 - Django is set up after this plugin is loaded

    body = text.decode()[len(tokens.PREFIX) : -tokens._CHECKSUM_LENGTH]
    return text.decode().endswith(tokens._checksum(body))


class _Formatted(logging.Handler):
    """Searches each log line as it is written for people, by our own formatter."""

    def emit(self, record: logging.LogRecord) -> None:
        canaries.search(self.format(record), f"a log line of {record.name}")


def _after(function: Callable[..., Any], see: Callable[..., None]) -> Callable[..., Any]:
    """Return `function` with `see` told what it was given and what it returned."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        see(result, *args, **kwargs)
        return result

    return wrapped


def _see_answer(response: Any, *_: Any, **__: Any) -> None:
    with suppress(Resolver404):
        if response.resolver_match.view_name in ALLOWED:
            return
    place = f"the answer {response.status_code} to {response.request['REQUEST_METHOD']}"
    head = f"{response.reason_phrase}\n{dict(response.headers)}\n{response.cookies}"
    canaries.search(head, f"{place}, headers")
    if not response.streaming:
        canaries.search(response.content, f"{place}, body")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Watch the places where secrets are made, once Django is set up."""
    from django.test import Client  # noqa: PLC0415 - as above

    from accounts import members, tokens  # noqa: PLC0415 - as above
    from repos import configure  # noqa: PLC0415 - as above

    def see_password(_made: Any, *_: Any, password: str | None = None, **__: Any) -> None:
        watch(password or "")

    tokens.create = _after(tokens.create, lambda made, **_: watch(made[1]))
    members.hash_password = _after(members.hash_password, lambda _, password: watch(password))
    configure.save_upstream = _after(configure.save_upstream, see_password)
    Client.request = _after(Client.request, _see_answer)  # type: ignore[method-assign]
    root = logging.getLogger()
    handler = _Formatted()
    handler.setFormatter(root.handlers[0].formatter)
    root.addHandler(handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that has put out a secret."""
    report = yield
    for name, output in report.sections:
        if name in {f"Captured {stream} {report.when}" for stream in ("stdout", "stderr")}:
            canaries.search(output, name.lower())
    found = canaries.take_found()
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = f"A secret of the tests stands in {', '.join(found)}."
        report.sections = []  # which would show it
    return report
