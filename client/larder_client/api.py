"""Larder's REST: one request and its answer, over the standard library."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from larder_client import __version__
from larder_client.problems import AWAY, Problem, code_of

Json = dict[str, Any]
_MOST = 20_000_000  # bytes of an answer


class _NoRedirect(HTTPRedirectHandler):
    """Follows nothing: a credential goes where it was meant to go, and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Leave the answer as it is: an error."""


_opener = build_opener(_NoRedirect)


def bearer(secret: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {secret}"}


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header that shows a user name and a password."""
    both = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {both}"}


class Api:
    """The REST of the Larder at one origin, as one caller uses it."""

    def __init__(self, origin: str, headers: Mapping[str, str], *, timeout: float = 60) -> None:
        self.origin = origin
        self._headers = {"User-Agent": f"larder-client/{__version__}", **headers}
        self._timeout = timeout

    def get(self, *path: str, **query: str) -> Json:
        """Read something."""
        return self.send("GET", path, query=query)

    def send(
        self, method: str, path: tuple[str, ...], body: Json | None = None, *,
        query: Mapping[str, str] | None = None,
    ) -> Json:  # fmt: skip
        """Send a request with a body of JSON, and return its answer. Raises Problem."""
        data = None if body is None else json.dumps(body).encode()
        # Whoever types a command means the state that there is.
        headers = {"Content-Type": "application/json"} if data else {}
        headers |= {"If-Match": "*"} if method in {"PUT", "PATCH", "DELETE"} else {}
        return self._ask(Request(self._url(path, query), data, headers, method=method))  # noqa: S310 - origins are http or https

    def upload(self, path: tuple[str, ...], file: IO[bytes], size: int, sha256: str) -> Json:
        """Send the bytes of a file, and return the answer. Raises Problem."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        url = self._url(path, {"sha256": sha256})
        return self._ask(Request(url, file, headers, method="PUT"))  # noqa: S310 - as above

    def rows(self, *path: str, **query: str) -> Iterator[Json]:
        """Read all pages of a list."""
        page = self.get(*path, **query)
        yield from page["results"]
        while page["next"]:
            asked = urlsplit(page["next"]).query
            page = self._ask(Request(f"{self._url(path, None)}?{asked}"))  # noqa: S310 - as above
            yield from page["results"]

    def _url(self, path: tuple[str, ...], query: Mapping[str, str] | None) -> str:
        url = "/".join([f"{self.origin}/api/v1", *(quote(part, safe="") for part in path)])
        return f"{url}?{urlencode(query)}" if query else url

    def _ask(self, request: Request) -> Json:
        for name, value in self._headers.items():
            request.add_header(name, value)
        try:
            with _opener.open(request, timeout=self._timeout) as response:
                return _content(response)
        except HTTPError as refusal:
            with refusal:
                raise _problem(self.origin, refusal) from None
        except URLError as error:
            raise Problem(f"{self.origin} cannot be reached: {error.reason}.", AWAY) from None
        except (OSError, HTTPException) as error:
            raise Problem(f"{self.origin} broke off: {error}.", AWAY) from None


def _content(response: HTTPResponse) -> Json:
    text = response.read(_MOST)
    try:
        content = json.loads(text) if text else {}
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Problem("The answer is no JSON. Is this the URL of a Larder?", AWAY)
    return content


def _problem(origin: str, refusal: HTTPError) -> Problem:
    """Return the server's own sentence."""
    try:
        sentence = json.loads(refusal.read(_MOST))["detail"]
    except (ValueError, KeyError, TypeError, OSError):
        sentence = f"{origin} answered {refusal.code} {refusal.reason}."
    return Problem(" ".join(str(sentence).split()), code_of(refusal.code))
