"""The Simple API: the root list and the page of one project (PEP 503, 691)."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from base import clock
from packages.filenames import NameRefused, NormalizedName, parse_name
from packages.index.base import ProjectList, ProjectNotFound
from packages.index.opening import open_index
from pypi import render
from pypi.answer import Answer, Ask, Pieces, caching, etag_of, is_unchanged
from pypi.errors import NotTheIndex
from pypi.negotiate import HTML, HTML_V1, JSON_V1, simple_type, takes_gzip

_GZIP_FROM = 1000  # bytes; smaller pages do not gain from it


def project_list(ask: Ask) -> Answer:
    """Answer `simple/`: every project of the repository."""
    repository = ask.readable
    if not _path(ask).endswith("/"):
        return _moved(ask, f"{_path(ask)}/")
    index = open_index(repository, ask.principal, ask.scope)
    projects = index.projects()
    if projects.digest:
        answer = _long_list(ask, projects)
    else:
        answer = _page(
            ask,
            serial=projects.serial,
            as_json=lambda: b"".join(render.project_list_json(projects)),
            as_html=lambda: b"".join(render.project_list_html(projects)),
        )
        answer.ground = index.ground
    if projects.stale_since is not None:
        answer.headers |= _staleness(projects.stale_since)
    return answer


def project_page(ask: Ask, project: str) -> Answer:
    """Answer `simple/<project>/`: the files of one project.

    PEP 503: a name that is not normalised may be redirected to the one that is.
    """
    repository = ask.readable
    normalized = readable_name(project, str(repository))
    path = _path(ask)
    above = path.rstrip("/").rpartition("/")[0]
    if path != f"{above}/{normalized}/":
        return _moved(ask, f"{above}/{normalized}/")
    index = open_index(repository, ask.principal, ask.scope)
    page = index.page(normalized)
    answer = _page(
        ask,
        serial=page.serial,
        as_json=lambda: render.project_json(page, ask.url),
        as_html=lambda: render.project_html(page, ask.url),
    )
    if page.stale_since is not None:
        answer.headers |= _staleness(page.stale_since)
    else:
        answer.ground = index.ground
    return answer


def _staleness(since: datetime) -> dict[str, str]:
    """Say how old a page is that upstream could not be asked for (RFC 9111 5.1, RFC 7234 5.5.1)."""
    age = max(0, int((clock.now() - since).total_seconds()))
    return {"Age": str(age), "Warning": '110 larder "Response is Stale"'}


def beside_the_index(ask: Ask) -> Answer:
    """Tell whoever asks for `<repository>/<project>/` where the index is."""
    _ = ask.readable
    where = f"/{ask.tenant}/{ask.key}/"
    raise NotTheIndex(f"The index is at {where}simple/, not at {where}.")


def no_such_page(ask: Ask, rest: str) -> Answer:  # noqa: ARG001 - the URL has it
    """Refuse an index URL that leads nowhere: mistyped, or below a repository that is there."""
    repository = ask.readable
    raise ProjectNotFound(f"There is no such page in {repository}.")


def readable_name(project: str, repository: str) -> NormalizedName:
    """Return the normalised name; what cannot be a name at all is a project we do not have."""
    try:
        return parse_name(project)
    except NameRefused:
        raise ProjectNotFound(f"There is no such project in {repository}.") from None


def _path(ask: Ask) -> str:
    return urlsplit(ask.url).path


def _moved(ask: Ask, path: str) -> Answer:
    """Redirect to the one spelling of this URL. It will never be another, so for good."""
    query = urlsplit(ask.url).query
    location = f"{path}?{query}" if query else path
    return Answer(status=301, headers={"Location": location} | caching(ask, "no-cache"))


def _long_list(ask: Ask, projects: ProjectList) -> Answer:
    """Return a list that is rendered as it is sent: its ETag is of the names, not of the bytes."""
    kind, headers = _kind(ask, projects.serial)
    headers |= caching(ask, "no-cache")
    headers["ETag"] = etag_of(f"{kind} {render.API_VERSION} {projects.digest}".encode())
    if is_unchanged(ask, headers["ETag"]):
        return Answer(status=304, headers=headers)
    rendered = render.project_list_json if kind == JSON_V1 else render.project_list_html
    # For HEAD a stream of nothing: its length is not known before it is made.
    pieces = rendered(projects) if ask.method != "HEAD" else iter(())
    return Answer(status=200, headers=headers, stream=Pieces(pieces))


def _page(
    ask: Ask, *, serial: int, as_json: Callable[[], bytes], as_html: Callable[[], bytes]
) -> Answer:
    kind, headers = _kind(ask, serial)
    body = as_json() if kind == JSON_V1 else as_html()
    return revalidated(ask, body, headers)


def _kind(ask: Ask, serial: int) -> tuple[str, dict[str, str]]:
    """Return the type that the caller wants, and the headers that say so."""
    kind = simple_type(ask.header("accept"), ask.query.get("format", ""))
    return kind, {
        "Content-Type": kind if kind in {JSON_V1, HTML_V1} else f"{HTML}; charset=utf-8",
        "X-PyPI-Last-Serial": str(serial),
    }


def revalidated(
    ask: Ask, body: bytes, headers: dict[str, str], *, policy: str = "no-cache"
) -> Answer:
    """Return `body`, compressed if asked so, or 304 when the caller has these very bytes.

    `no-cache`: kept, and asked for again each time. pip and uv take any `max-age` at its word
    and would not see a release published meanwhile.
    """
    headers |= caching(ask, policy)
    if len(body) >= _GZIP_FROM and takes_gzip(ask.header("accept-encoding")):
        body = gzip.compress(body, compresslevel=5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    headers["ETag"] = etag_of(body)
    if is_unchanged(ask, headers["ETag"]):
        # RFC 9111: what a 304 says replaces what the caller has kept; its policy too.
        kept = {"Cache-Control", "Content-Security-Policy", "ETag", "Vary"} & set(headers)
        return Answer(status=304, headers={name: headers[name] for name in kept})
    return Answer(status=200, headers=headers, body=body)
