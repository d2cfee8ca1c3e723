"""What each refusal becomes on the wire: status, reason phrase, headers and body.

twine, Poetry and Hatch print only the reason phrase, uv only the body: the same sentence stands
in both. On "File already exists" the words and the 400 are what every client knows, and it is
never problem+json, which would break uv's check.
"""

from __future__ import annotations

import json
from http import HTTPStatus

from accounts.authentication import CredentialsRefused
from accounts.logins import LoginMissing
from accounts.members import PasswordStands
from accounts.rest.callers import CHALLENGE
from accounts.rest.once import KeyUsed
from accounts.rest.versions import ChangedMeanwhile, VersionNotSaid
from accounts.throttle import FailuresUncounted, TooManyFailures
from accounts.tokens import TokenMissing
from base.errors import InvalidInput, LarderError, NotThere
from packages.attestations import VerifierAway
from packages.index.base import (
    FileBroken,
    FileNotFound,
    FileWithheld,
    IndexNotServed,
    IndexUnavailable,
    ProjectNotFound,
)
from packages.search.engines import SearchTooSlow
from packages.storage import StorageFailed
from packages.uploads import (
    FileExists,
    FileTooLarge,
    NameServedUpstream,
    ProjectClosed,
    QuotaExceeded,
    ReleaseClosed,
)
from pypi.answer import SAFE_METHODS, Answer, Ask
from pypi.negotiate import best_match
from repos.access import NotYours, RepositoryMissing, RoleMissing, SignInRequired


class MethodNotAllowed(LarderError):
    """This URL does not answer that method; `allowed` names those it does."""

    def __init__(self, sentence: str, *, allowed: str = "GET, HEAD") -> None:
        super().__init__(sentence)
        self.allowed = allowed


class FromAnotherSite(LarderError):
    """A page of another site sent this with a browser's remembered credentials."""


class NotTheIndex(LarderError):
    """A project is asked for beside `simple/`: somebody's index URL lacks its end."""


class LoopDetected(LarderError):
    """The request came from this very installation, through its own upstreams."""


class NoLongerOffered(LarderError):
    """An action of the old upload API that no index offers any more."""


# The first class that fits decides, so the special ones stand before InvalidInput.
_STATUS: tuple[tuple[type[LarderError], int], ...] = (
    (SignInRequired, 401),
    (CredentialsRefused, 401),
    (RoleMissing, 403),
    (NotYours, 403),
    (ProjectClosed, 403),
    (ReleaseClosed, 403),
    (NameServedUpstream, 403),
    (QuotaExceeded, 403),
    (FileWithheld, 403),
    (FromAnotherSite, 403),
    (RepositoryMissing, 404),
    (ProjectNotFound, 404),
    (FileNotFound, 404),
    (TokenMissing, 404),
    (LoginMissing, 404),
    (NotThere, 404),
    (MethodNotAllowed, 405),
    (KeyUsed, 409),
    (PasswordStands, 409),
    (NoLongerOffered, 410),
    # Not 404, which would send uv and pip on to the next index.
    (NotTheIndex, 410),
    (ChangedMeanwhile, 412),
    (FileTooLarge, 413),
    (VersionNotSaid, 428),
    (TooManyFailures, 429),
    (FileExists, 400),
    (InvalidInput, 400),
    # Not 503, which pip asks for again five times, with pauses that grow.
    (IndexNotServed, 501),
    (FileBroken, 502),
    (FailuresUncounted, 503),
    (StorageFailed, 503),
    (IndexUnavailable, 503),
    (SearchTooSlow, 503),
    (VerifierAway, 503),
    (LoopDetected, 508),
)
_REASON_AT_MOST = 300
_COME_AGAIN_AFTER = "1"  # seconds
_PROBLEM = "application/problem+json"


def answer_for(error: LarderError, ask: Ask) -> Answer:
    """Return the refusal that `error` means to whoever sent `ask`."""
    status = status_of(error)
    if isinstance(error, RepositoryMissing) and ask.method in SAFE_METHODS:
        # An index that is not there must not be 404 to an installer: uv and pip would go on to
        # the next index and take a stranger's file. uv stops at 410.
        status = HTTPStatus.GONE
    headers = headers_of(error, fetch_mode=ask.header("sec-fetch-mode"))
    headers["Content-Type"], body = _body(error, status, ask)
    return Answer(status=status, headers=headers, body=body, reason=reason_phrase(error.sentence))


def status_of(error: LarderError) -> int:
    """Return the status that a refusal has on every door."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def headers_of(error: LarderError, *, fetch_mode: str) -> dict[str, str]:
    """Return the headers that go with a refusal, whatever its body.

    A browser's navigation (`Sec-Fetch-Mode`) gets no challenge: its own password box is not our
    sign-in.
    """
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Authorization, Cookie"}
    if status_of(error) == HTTPStatus.UNAUTHORIZED and fetch_mode != "navigate":
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    if isinstance(error, TooManyFailures | VerifierAway):
        headers["Retry-After"] = str(error.retry_after)
    elif status_of(error) == HTTPStatus.SERVICE_UNAVAILABLE:
        # RFC 9110. pip and uv come again by themselves: when, is better said than guessed.
        headers["Retry-After"] = _COME_AGAIN_AFTER
    return headers


def reason_phrase(sentence: str) -> str:
    """Return `sentence` as a reason phrase: one bounded line of printable ASCII.

    Anything else in a reason makes gunicorn answer 500, and twine then sends the file again.
    """
    plain = "".join(char if " " <= char <= "~" else "?" for char in " ".join(sentence.split()))
    return plain if len(plain) <= _REASON_AT_MOST else plain[: _REASON_AT_MOST - 3] + "..."


def _body(error: LarderError, status: int, ask: Ask) -> tuple[str, bytes]:
    offered = ["application/json", "text/plain"]
    if not isinstance(error, FileExists) and _PROBLEM in ask.header("accept").lower():
        offered.insert(0, _PROBLEM)
    kind = best_match(ask.header("accept"), offered)
    if kind == _PROBLEM:
        problem = {"title": HTTPStatus(status).phrase, "detail": error.sentence, "status": status}
        return _PROBLEM, json.dumps(problem).encode()
    if kind == "application/json":
        # uv reads `code`, and only when the type is exactly this, without a charset.
        code = f"{status} {error.sentence}"
        return kind, json.dumps({"code": code, "message": error.sentence}).encode()
    return "text/plain; charset=utf-8", f"{error.sentence}\n".encode()
