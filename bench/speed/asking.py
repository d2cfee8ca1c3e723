"""One question to a contestant, and what an answer must hold to be counted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException
from urllib.parse import urldefrag, urljoin, urlsplit, urlunsplit

from bench.speed.results import Void

HTML = "application/vnd.pypi.simple.v1+html, text/html;q=0.5"
JSON = "application/vnd.pypi.simple.v1+json"
INSTALLER = f"{JSON}, text/html;q=0.1"  # either, as pip and uv ask
_SECONDS = 300


@dataclass(frozen=True)
class Answer:
    """What came back; the body unpacked."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: int = 0  # bytes of the body as it came

    @property
    def is_json(self) -> bool:
        """Whether it is a page in JSON."""
        return "json" in self.headers.get("content-type", "")

    @property
    def is_packed(self) -> bool:
        """Whether it came compressed."""
        return self.headers.get("content-encoding", "") == "gzip"


def get(url: str, headers: Mapping[str, str]) -> Answer:
    """Ask once, over a connection of its own."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
    try:
        target = urlunsplit(("", "", parts.path, parts.query, ""))
        connection.request("GET", target, headers=dict(headers))
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        raise Void(f"no answer: {error}") from error
    finally:
        connection.close()
    found, sent = {name.lower(): value for name, value in response.headers.items()}, len(body)
    if found.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Answer(url, response.status, found, body, sent)


def checked(url: str, headers: Mapping[str, str], require: Callable[[Answer], None]) -> Answer:
    """Ask once, and return the answer: it is there, and passes `require`. Raises Void."""
    answer = get(url, headers)
    require_status(answer, 200)
    require(answer)
    return answer


def links(answer: Answer) -> dict[str, str]:
    """Return the URLs that a page names, by file name, or by project name for a root list."""
    if answer.is_json:
        page = json.loads(answer.body)
        if "files" not in page:
            return {each["name"]: urljoin(answer.url, each["name"]) for each in page["projects"]}
        return {each["filename"]: urljoin(answer.url, each["url"]) for each in page["files"]}
    parser = _Anchors()
    parser.feed(answer.body.decode())
    return {name: urldefrag(urljoin(answer.url, href)).url for name, href in parser.found.items()}


class _Anchors(HTMLParser):
    """Collects anchors: text and href."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where an anchor leads."""
        if tag == "a":
            self._href = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        """Note what it is called."""
        if self._href and data.strip():
            self.found[data.strip().rstrip("/")] = self._href
            self._href = ""


def require_status(answer: Answer, status: int) -> None:
    """Refuse an answer of another status."""
    if answer.status != status:
        raise Void(f"answers {answer.status}, not {status}")


def require_kind(answer: Answer, accept: str, *, packed: bool) -> None:
    """Refuse an answer that is not what was asked for."""
    if (accept == JSON) != answer.is_json:
        raise Void("has no JSON" if accept == JSON else "answers JSON to who asks for HTML")
    if packed != answer.is_packed:
        raise Void("does not compress" if packed else "compresses unasked")


def require_names(answer: Answer, names: set[str]) -> None:
    """Refuse a page that does not list exactly these."""
    found = set(links(answer))
    if found != names:
        missing, more = len(names - found), len(found - names)
        raise Void(f"wrong page: {missing} of {len(names)} missing, {more} too many")


def require_among(answer: Answer, names: Iterable[str]) -> None:
    """Refuse a page that lacks any of these."""
    if missing := set(names) - set(links(answer)):
        raise Void(f"stale page: without {', '.join(sorted(missing))}")


def validator(answer: Answer) -> dict[str, str]:
    """Return the header by which a caller asks whether an answer is still so."""
    if etag := answer.headers.get("etag"):
        return {"If-None-Match": etag}
    if modified := answer.headers.get("last-modified"):
        return {"If-Modified-Since": modified}
    raise Void("gives no validator")
