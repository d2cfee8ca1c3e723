"""Turns pages into bytes: the Simple API in JSON and HTML, and the legacy JSON API.

Links are relative to the page, so every form of a repository's URL shares one rendering. PEP 740
alone wants absolute ones: a page's own address comes with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urljoin

from packaging.utils import canonicalize_name

from packages.index.base import PageFile, ProjectList, ProjectPage

# PEP 833: HTML stays at this version for good; JSON may move on.
API_VERSION = "1.4"

# PEP 740: what is behind a file's URL in that of its attestations.
PROVENANCE = ".provenance"

# From `<repository>/simple/<project>/` and `<repository>/+simple/<project>/` to the files.
_TO_REPOSITORY = "../../"


def project_json(page: ProjectPage, address: str) -> bytes:
    """Return a project page, which is at `address`, as JSON (PEP 691, 700, 714, 740, 792).

    Keys without a value are left out: uv rejects the whole page for a null `size`,
    `upload-time` or `yanked`.
    """
    status = {"status": page.status}
    if page.status_reason:
        status["reason"] = page.status_reason
    return _dump(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": page.serial},
            "name": page.name,
            "project-status": status,
            "versions": page.versions,
            "files": [_file_json(page, file, address) for file in page.files],
        }
    )


def project_html(page: ProjectPage, address: str) -> bytes:
    """Return a project page, which is at `address`, as HTML.

    PEP 503, 592, 629, 658, 714, 740, 792.
    """
    status = f'<meta name="pypi:project-status" content="{escape(page.status)}">'
    if page.status_reason:
        status += (
            f'\n<meta name="pypi:project-status-reason" content="{escape(page.status_reason)}">'
        )
    # One line per anchor, with the text right inside: hatch and others scrape it so.
    anchors = "\n".join(
        f"<a {_attributes(page, file, address)}>{escape(file.filename)}</a><br>"
        for file in page.files
    )
    return _html(f"Links for {page.name}", status, anchors)


def project_list_json(projects: ProjectList) -> Iterator[bytes]:
    """Yield the root page as JSON (PEP 691), name by name: it can be long."""
    meta = _dump({"api-version": API_VERSION, "_last-serial": projects.serial})
    yield b'{"meta":' + meta + b',"projects":['
    for number, name in enumerate(projects.names):
        yield (b"," if number else b"") + _dump({"name": name})
    yield b"]}"


def project_list_html(projects: ProjectList) -> Iterator[bytes]:
    """Yield the root page as HTML (PEP 503), name by name."""
    before, _, after = _html("Simple index", "", "\0").partition(b"\0")
    yield before
    for number, name in enumerate(projects.names):
        anchor = f'<a href="{canonicalize_name(name)}/">{escape(name)}</a><br>'
        yield (("\n" if number else "") + anchor).encode()
    yield after


def upload_time(moment: datetime) -> str:
    """Return `moment` as PEP 700 wants it: UTC, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def file_url(project: str, file: PageFile, *, to_repository: str) -> str:
    """Return the relative URL of exactly these bytes, from a page `to_repository` below it.

    Of the present ones, where no digest is known yet.
    """
    digest = f"{file.sha256}/" if file.sha256 else ""
    return f"{to_repository}files/{project}/{digest}{quote(file.filename)}"


def _provenance_url(url: str, file: PageFile, address: str) -> str:
    """Return where the attestations of a file are: upstream, or beside the file; empty for none."""
    return urljoin(address, f"{url}{PROVENANCE}") if file.has_provenance else file.provenance


def _file_json(page: ProjectPage, file: PageFile, address: str) -> dict[str, object]:
    url = file_url(page.name, file, to_repository=_TO_REPOSITORY)
    entry: dict[str, object] = {
        "filename": file.filename,
        "url": url,
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
    }
    if file.size is not None:
        entry["size"] = file.size
    if file.uploaded_at is not None:
        entry["upload-time"] = upload_time(file.uploaded_at)
    # PEP 592: an empty reason would read as "not yanked" to pip and "yanked" to uv.
    entry["yanked"] = False if file.yanked_reason is None else file.yanked_reason or True
    if file.requires_python:
        entry["requires-python"] = file.requires_python
    if file.metadata_sha256:
        digest = {"sha256": file.metadata_sha256}
        # PEP 714: the second name is for clients that know only PEP 658's first draft.
        entry["core-metadata"] = digest
        entry["dist-info-metadata"] = digest
    if provenance := _provenance_url(url, file, address):
        entry["provenance"] = provenance
    return entry


def _attributes(page: ProjectPage, file: PageFile, address: str) -> str:
    url = file_url(page.name, file, to_repository=_TO_REPOSITORY)
    pairs = {"href": f"{url}#sha256={file.sha256}" if file.sha256 else url}
    if file.requires_python:
        pairs["data-requires-python"] = file.requires_python
    if file.metadata_sha256:
        pairs["data-core-metadata"] = f"sha256={file.metadata_sha256}"
        pairs["data-dist-info-metadata"] = f"sha256={file.metadata_sha256}"
    if provenance := _provenance_url(url, file, address):
        pairs["data-provenance"] = provenance
    if file.yanked_reason is not None:
        pairs["data-yanked"] = file.yanked_reason or "yanked"
    return " ".join(f'{name}="{escape(value)}"' for name, value in pairs.items())


def _html(title: str, head: str, body: str) -> bytes:
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f"{head}\n<title>{escape(title)}</title>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    ).encode()


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
