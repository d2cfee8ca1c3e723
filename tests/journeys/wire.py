"""HTTP by hand: a fresh connection per call, and files that are never held in memory."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

BLOCK = 1024 * 1024
_SECONDS = 900


@dataclass(frozen=True)
class Content:
    """What is uploaded: its file name, its size, and its bytes when they are asked for."""

    filename: str
    size: int
    chunks: Iterable[bytes]

    @staticmethod
    def of(path: Path) -> Content:
        """Return the content of a file on disk."""
        return Content(path.name, path.stat().st_size, blocks(path))


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a file in blocks."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


@contextmanager
def request(
    method: str,
    url: str,
    token: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Iterable[bytes] | None = None,
) -> Iterator[HTTPResponse]:
    """Send a request over a connection of its own, and yield the response to be read."""
    parts = urlsplit(url)
    basic = base64.b64encode(f"__token__:{token}".encode()).decode()
    connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        own = {"Authorization": f"Basic {basic}", "Connection": "close"}
        connection.request(method, target, body=body, headers={**own, **(headers or {})})
        yield connection.getresponse()
    finally:
        connection.close()


def upload(
    url: str,
    token: str,
    content: Content,
    *,
    name: str,
    version: str,
    filetype: str = "bdist_wheel",
) -> tuple[int, str]:
    """Upload by the legacy API and return status and reason phrase."""
    before, after, kind = form(content.filename, name=name, version=version, filetype=filetype)

    def body() -> Iterator[bytes]:
        yield before
        yield from content.chunks
        yield after

    headers = kind | {"Content-Length": str(len(before) + content.size + len(after))}
    with request("POST", url, token, headers=headers, body=body()) as response:
        response.read()
        return response.status, response.reason


def form(
    filename: str, *, name: str, version: str, filetype: str
) -> tuple[bytes, bytes, dict[str, str]]:
    """Return what an upload sends before and after the file, and the header that tells its type."""
    boundary = secrets.token_hex(16)
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": name,
        "version": version,
        "filetype": filetype,
        "pyversion": "source" if filetype == "sdist" else "py3",
    }
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    )
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; '
        f'filename="{filename}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return head.encode(), f"\r\n--{boundary}--\r\n".encode(), kind
