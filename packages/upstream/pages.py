"""Reads an upstream's pages: the Simple API in JSON (PEP 691) and in HTML (PEP 503)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import msgspec

from packages.filenames import EXTENSIONS, NormalizedName
from packages.upstream.connection import Reply
from packages.upstream.errors import UpstreamUnreadable
from packages.upstream.links import (
    LINES_AT_MOST,
    Claimed,
    Document,
    Scalar,
    believed,
    last_part,
    too_long,
)

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
)

# What the pages of indexes and the folder listings of web servers are called.
_A_LISTING = re.compile(
    r"\s*(links for|simple index|simple package|index of|directory listing|(?:\S+: )?links for)",
    re.IGNORECASE,
)


_BRACES_AT_MOST = 5 * LINES_AT_MOST
_COMMAS_AT_MOST = 15 * LINES_AT_MOST

_Marks = dict[str, Scalar]


class _JsonPage(msgspec.Struct):
    files: list[Claimed]
    meta: dict[str, _Marks | Scalar] | Scalar = None
    status: _Marks | Scalar = msgspec.field(default=None, name="project-status")


class _JsonList(msgspec.Struct):
    projects: list[msgspec.Raw]
    meta: object = None


_json_list = msgspec.json.Decoder(_JsonList)
_json_page = msgspec.json.Decoder(_JsonPage)


def read_page(reply: Reply, project: NormalizedName) -> Document:
    """Return what a page says of `project`. Raises UpstreamUnreadable when it is none."""
    return _read_json(reply, project) if is_json(reply) else _read_html(reply, project)


def is_json(reply: Reply) -> bool:
    """Say whether a page is JSON: by its type, else by how it begins."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if "html" in kind:
        return False
    return kind.endswith("json") or reply.body.lstrip()[:1] == b"{"


def require_version(version: object) -> None:
    """PEP 629: a client must not read a page of another major version than it knows."""
    if version is not None and (not isinstance(version, str) or not version.startswith("1.")):
        raise UpstreamUnreadable("The page is of another version of the Simple API than 1.")


def _read_json(reply: Reply, project: NormalizedName) -> Document:
    # Counted before anything is built: a few bytes of JSON become a hundred in memory.
    if reply.body.count(b"{") > _BRACES_AT_MOST or reply.body.count(b",") > _COMMAS_AT_MOST:
        raise too_long()
    try:
        page = _json_page.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UpstreamUnreadable("The answer is no page of the Simple API in JSON.") from None
    meta = page.meta if isinstance(page.meta, dict) else {}
    require_version(meta.get("api-version"))
    status = page.status or meta.get("project-status")
    marker = status if isinstance(status, dict) else {}
    return believed(
        project,
        page.files,
        base=reply.url,
        status=marker.get("status"),
        reason=marker.get("reason"),
    )


def _read_html(reply: Reply, project: NormalizedName) -> Document:
    page = read_html(reply)
    return believed(
        project,
        page.links(),
        base=page.base,
        status=page.meta.get("pypi:project-status"),
        reason=page.meta.get("pypi:project-status-reason"),
    )


def read_html(reply: Reply) -> HtmlPage:
    """Return the anchors of an HTML page. Raises UpstreamUnreadable when it is no index's."""
    page = HtmlPage(reply.url)
    page.feed(reply.body.decode(errors="replace"))
    page.close()
    if not page.is_a_listing:
        raise UpstreamUnreadable("The answer is an HTML page, but not one of an index.")
    require_version(page.meta.get("pypi:repository-version"))
    return page


def read_json_list(reply: Reply) -> tuple[str, int]:
    """Return the version of a list of projects in JSON, and how many it has."""
    try:
        page = _json_list.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UpstreamUnreadable("The answer is no list of the Simple API in JSON.") from None
    version = page.meta.get("api-version") if isinstance(page.meta, dict) else None
    require_version(version)
    return version if isinstance(version, str) else "1.0", len(page.projects)


class HtmlPage(HTMLParser):
    """Collects what a page of the Simple API in HTML says: anchors, base, meta, title."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = url
        self.meta: dict[str, str] = {}
        self.anchors: list[dict[str, str | None]] = []
        self._has_base = False
        self._within = ""
        self._title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the page is about."""
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            if len(self.anchors) >= LINES_AT_MOST:
                raise too_long()
            self.anchors.append(values)
        elif tag == "base" and values.get("href") and not self._has_base:
            self._has_base = True
            self.base = _joined(self.base, values["href"] or "")
        elif tag == "meta" and (name := values.get("name")) and name.startswith("pypi:"):
            self.meta.setdefault(name, values.get("content") or "")
        elif tag in {"title", "h1"}:
            self._within = tag

    def handle_endtag(self, tag: str) -> None:
        """Note where a heading ends."""
        if tag == self._within:
            self._within = ""
            self._title += "\n"

    def handle_data(self, data: str) -> None:
        """Note what the page calls itself."""
        if self._within and len(self._title) < 1000:  # noqa: PLR2004 - a heading is shorter
            self._title += data

    @property
    def is_a_listing(self) -> bool:
        """Say whether this is an index's page, or a folder's; an error page is neither."""
        return (
            "pypi:repository-version" in self.meta
            or any(_A_LISTING.match(line) for line in self._title.splitlines())
            or any(last_part(anchor["href"] or "").endswith(EXTENSIONS) for anchor in self.anchors)
        )

    def links(self) -> Iterator[Claimed]:
        """Yield the anchors in the form of PEP 691."""
        for anchor in self.anchors:
            url = anchor["href"] or ""
            yield Claimed(
                url=url.strip(),
                hashes=_fragment(url),
                requires_python=anchor.get("data-requires-python"),
                # PEP 592: the attribute's presence is the mark, its value the reason.
                yanked=(anchor["data-yanked"] or True) if "data-yanked" in anchor else False,
                core_metadata=_metadata(anchor),
                provenance=anchor.get("data-provenance"),
            )

    def names(self) -> Sequence[str]:
        """Return the last parts of the links: the projects of a root page."""
        return [_last_folder(anchor["href"] or "") for anchor in self.anchors]


def _metadata(anchor: dict[str, str | None]) -> _Marks | bool | None:
    """PEP 714: the newer attribute is read first."""
    for name in ("data-core-metadata", "data-dist-info-metadata"):
        if name in anchor:
            value = anchor[name] or "true"
            return True if value == "true" else _pair(value)
    return None


def _fragment(url: str) -> _Marks:
    _, _, fragment = url.partition("#")
    found: _Marks = {}
    for part in fragment.split("&"):
        found |= _pair(part)
    return found


def _pair(text: str) -> _Marks:
    name, equals, value = text.partition("=")
    return {name.strip().lower(): value.strip()} if equals else {}


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return base


def _last_folder(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""
