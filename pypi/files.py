"""Gives out files, whole or in ranges; beside them core metadata and provenance (PEP 658, 740)."""

from __future__ import annotations

from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from http import HTTPStatus

from django.conf import settings

from base.connections import give_back
from packages import downloads, storage
from packages.index.base import Arriving, FileNotFound, Stored
from packages.index.opening import open_index
from packages.shown_file import unlisted_file
from pypi.answer import NEVER_A_PAGE, Answer, Ask, caching, is_unchanged
from pypi.ranges import Unsatisfiable, asked_range
from pypi.render import PROVENANCE
from pypi.simple import readable_name, revalidated
from repos.models import Kind, Repository

_METADATA = ".metadata"
_PROVENANCE_TYPE = "application/vnd.pypi.integrity.v1+json"
_GIVEN_OUT = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
# Under a URL that names the digest, the bytes never change.
_IMMUTABLE = "max-age=365000000, immutable"
# Files up to that size are read as a whole, and the hot lane holds their bytes. Not larger ones:
# those of one large installation would drive out the pages of everybody.
_HELD_AT_MOST = 16 * 1024
_CONTENT_TYPES = {
    "whl": "application/zip",
    "egg": "application/zip",
    "zip": "application/zip",
    "gz": "application/gzip",
    "tgz": "application/gzip",
    "bz2": "application/x-bzip2",
    "tar": "application/x-tar",
}


def file(ask: Ask, project: str, filename: str, sha256: str = "") -> Answer:
    """Answer `files/<project>/[<sha256>/]<filename>`, and what is served beside that file."""
    repository = ask.readable
    if not filename.isprintable():  # PostgreSQL would not even look for a NUL
        raise FileNotFound(f"There is no such file in {repository}.")
    index = open_index(repository, ask.principal, ask.scope)
    name = readable_name(project, str(repository))
    policy = _IMMUTABLE if sha256 else "no-cache"
    if filename.endswith(_METADATA):
        raw = index.metadata(name, filename.removesuffix(_METADATA), sha256)
        headers = {"Content-Type": "text/plain; charset=utf-8"} | NEVER_A_PAGE
        answer = revalidated(ask, raw, headers, policy=policy)
    elif filename.endswith(PROVENANCE):
        raw = index.provenance(name, filename.removesuffix(PROVENANCE), sha256)
        headers = {"Content-Type": _PROVENANCE_TYPE} | NEVER_A_PAGE
        # Not for ever: the same bytes can come with other attestations, where files are overwritten
        # or of another member of a virtual.
        answer = revalidated(ask, raw, headers)
    else:
        found = index.open(name, filename, sha256)
        answer = given_out(ask, found, policy, through=repository)
    answer.ground = index.ground
    return answer


def unlisted(ask: Ask, path: str) -> Answer:
    """Answer `-/raw/<path>`: a file that was put there by its path and has no name yet.

    Whoever may read the repository gets it; once it has its name, they are led to its URL there.
    """
    repository = ask.readable
    there = unlisted_file(repository, path)
    if there.held is None or there.row is None:  # what is put by a path is held
        raise FileNotFound(f"There is no such file in {repository}.")
    if there.row.release is not None:
        # The paths of a remote's files are our own, and alike in each of its scopes.
        if repository.kind == Kind.REMOTE:
            raise FileNotFound(f"There is no such file in {repository}.")
        name = f"{there.project}/{there.filename}"
        headers = {"Location": f"/{repository}/files/{name}", "Cache-Control": "no-cache"}
        return Answer(status=302, headers=headers)
    return given_out(ask, there.held, "no-cache", through=repository)


def given_out(ask: Ask, found: Stored | Arriving, policy: str, *, through: Repository) -> Answer:
    """Return the bytes of a file that was opened in a repository, and count the download."""
    if isinstance(found, Arriving):
        distribution, answer = None, _arriving(ask, found, policy)
    else:
        distribution, answer = found.row.pk, _bytes_of(ask, found, policy)
    if answer.status in _GIVEN_OUT and _is_download(ask):
        answer.note = partial(
            downloads.note,
            through=through.pk,
            holder=found.repository_id,
            distribution=distribution,
            filename=found.filename,
            size=int(answer.headers.get("Content-Length") or found.size or 0),
        )
        answer.note(by=ask.principal)
    return answer


def _is_download(ask: Ask) -> bool:
    """Say whether it is one: who asks for a part looks inside, or has the beginning already."""
    wanted = ask.header("range")
    return ask.method == "GET" and (not wanted or wanted.startswith("bytes=0-"))


def _arriving(ask: Ask, arriving: Arriving, policy: str) -> Answer:
    """Return a file that is not here yet: about it, as it comes, or a part once all is here.

    A part is asked for by who has the rest, or wants to look inside: both can wait.
    """
    etag = f'"{arriving.sha256}"' if arriving.sha256 else ""
    if etag and is_unchanged(ask, etag):
        return Answer(status=304, headers={"ETag": etag, **caching(ask, policy)})
    size, stream = arriving.size, None
    # HEAD without a size would read as an empty file.
    if ask.method != "HEAD" or size is None:
        waits = bool(ask.header("range")) or ask.method == "HEAD"
        found = (arriving.complete() if waits else None) or arriving.begin()
        if not (isinstance(found, Stored) or found.size is not None or ask.knows_chunks):
            found.stream.close()
            found = arriving.complete() or arriving.begin()
        if isinstance(found, Stored):
            return _bytes_of(ask, found, policy)
        size, stream = found.size, found.stream
    headers = {
        **caching(ask, policy),
        **NEVER_A_PAGE,
        "Accept-Ranges": "bytes",
        "Content-Type": content_type(arriving.filename),
        "Content-Disposition": f'attachment; filename="{arriving.filename}"',
    }
    if etag:
        headers["ETag"] = etag
    if size is not None:
        headers["Content-Length"] = str(size)
    return Answer(status=200, headers=headers, stream=stream)


def _bytes_of(ask: Ask, stored: Stored, policy: str) -> Answer:
    """Return the bytes, the range that was asked for, or that the caller has them."""
    etag = f'"{stored.sha256}"'
    modified = format_datetime(stored.uploaded_at.replace(microsecond=0), usegmt=True)
    headers = {
        **caching(ask, policy),
        **NEVER_A_PAGE,
        "ETag": etag,
        "Last-Modified": modified,
        "Accept-Ranges": "bytes",
        "Content-Type": content_type(stored.filename),
        "Content-Disposition": f'attachment; filename="{stored.filename}"',
    }
    if is_unchanged(ask, etag) or _is_unmodified(ask, stored):
        return Answer(status=304, headers=headers)
    if settings.ACCEL_PREFIX:
        headers["X-Accel-Redirect"] = f"{settings.ACCEL_PREFIX}/{stored.storage_key}"
        return Answer(status=200, headers=headers)  # nginx sends the file, and its ranges
    try:
        wanted = asked_range(ask, size=stored.size, etag=etag, modified=modified)
    except Unsatisfiable:
        return Answer(status=416, headers=headers | {"Content-Range": f"bytes */{stored.size}"})
    start, length = wanted or (0, stored.size)
    headers["Content-Length"] = str(length)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{stored.size}"
    answer = Answer(status=200 if wanted is None else 206, headers=headers)
    if ask.method == "HEAD":
        return answer
    if length <= _HELD_AT_MOST:
        give_back()
        answer.body = storage.part(stored.storage_key, start=start, length=length)
        return answer
    open_it = partial(storage.open_range, stored.storage_key, start=start, length=length)
    answer.stream = open_it()
    answer.reopen = open_it
    return answer


def _is_unmodified(ask: Ask, stored: Stored) -> bool:
    """Say whether `If-Modified-Since` holds; If-None-Match, where sent, decides instead."""
    since = ask.header("if-modified-since")
    if not since or ask.header("if-none-match"):
        return False
    try:
        return stored.uploaded_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError, OverflowError):
        return False


def content_type(filename: str) -> str:
    """Return the archive's type. Never one that a browser would show."""
    ending = filename.rpartition(".")[2]
    return _CONTENT_TYPES.get(ending, "application/octet-stream")
