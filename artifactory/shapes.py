"""The JSON of files and folders, as Artifactory's clients read it (protocol by their sources)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from packages.models import Distribution
from packages.paths import Entry
from packages.provenance import uploader
from pypi.answer import Answer, Ask, caching
from pypi.files import content_type
from repos.models import Repository

Json = dict[str, Any]

ITEM_CREATED = "application/vnd.org.jfrog.artifactory.storage.ItemCreated+json"


def answered(
    ask: Ask, found: object, *, status: int = 200, kind: str = "application/json"
) -> Answer:
    """Return a value as the JSON of an answer."""
    headers = {"Content-Type": kind, **caching(ask, "no-cache")}
    return Answer(status, headers, f"{json.dumps(found, indent=2)}\n".encode())


def said(text: str, *, status: int = 200) -> Answer:
    """Return a sentence as an answer: repositories are made and removed so."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, headers, f"{text}\n".encode())


def done() -> Answer:
    """Return the answer to what was done and leaves nothing to say."""
    return Answer(204, {"Cache-Control": "no-store"})


def base_of(ask: Ask) -> str:
    """Return the URL of this door as the caller reaches it, without a slash at its end."""
    parts = urlsplit(ask.url)
    return f"{parts.scheme}://{parts.netloc}/artifactory"


def storage_uri(ask: Ask, key: str, path: str) -> str:
    """Return where the facts of a file or folder are."""
    return f"{base_of(ask)}/api/storage/{key}/{quote(path)}".rstrip("/")


def download_uri(ask: Ask, key: str, path: str) -> str:
    """Return where the bytes of a file are."""
    return f"{base_of(ask)}/{key}/{quote(path)}"


def moment(at: datetime) -> str:
    """Return a time with milliseconds and its offset."""
    return at.isoformat(timespec="milliseconds")


def checksums(row: Distribution) -> dict[str, str]:
    """Return the digests of a file."""
    blob = row.blob
    assert blob is not None  # noqa: S101 - a living file has its bytes
    return {"sha1": blob.sha1, "md5": blob.md5, "sha256": blob.sha256}


def created_file(ask: Ask, key: str, row: Distribution) -> Json:
    """Return what is told of a file that was put; its size is a text, as clients want it."""
    return {
        "repo": key,
        "path": f"/{row.path}",
        "created": moment(row.uploaded_at),
        "createdBy": uploader(row, ask.principal),
        "downloadUri": download_uri(ask, key, row.path),
        "mimeType": content_type(row.filename),
        "size": str(row.size),
        "checksums": checksums(row),
        "originalChecksums": checksums(row),
        "uri": storage_uri(ask, key, row.path),
    }


def file_info(ask: Ask, key: str, row: Distribution) -> Json:
    """Return what is told of a file: bytes do not change, so it was changed when it came."""
    at = moment(row.uploaded_at)
    changed = {"lastModified": at, "modifiedBy": uploader(row, ask.principal), "lastUpdated": at}
    return created_file(ask, key, row) | changed


def folder_info(ask: Ask, repository: Repository, path: str, children: Iterable[Entry]) -> Json:
    """Return what is told of a folder; it has no row, and is as old as its repository."""
    at = moment(repository.created_at)
    return {
        "repo": repository.key,
        "path": f"/{path}",
        "created": at,
        "lastModified": at,
        "lastUpdated": at,
        "children": [{"uri": f"/{each.name}", "folder": each.file is None} for each in children],
        "uri": storage_uri(ask, repository.key, path),
    }


def listed_file(row: Distribution, folder: str) -> Json:
    """Return a file's line in the list of a folder; there its size is a number."""
    digests = checksums(row)
    return {
        "uri": "/" + row.path.removeprefix(f"{folder}/" if folder else ""),
        "size": row.size,
        "lastModified": moment(row.uploaded_at),
        "folder": False,
        "sha1": digests["sha1"],
        "sha2": digests["sha256"],
    }
