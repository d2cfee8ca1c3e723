"""Uploads as clients send them: the multipart form, byte by byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.test import Client

from tests.cast import Member

BOUNDARY = "0123456789abcdef0123456789abcdef"
Fields = Iterable[tuple[str, str]]


def form_body(
    fields: Fields,
    *,
    filename: str,
    content: bytes,
    content_type: str | None = "application/octet-stream",
    after: Fields = (),
) -> bytes:
    """Return a form with the file after `fields`, and `after` behind it (old distutils)."""
    parts = [_field(name, value) for name, value in fields]
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    parts.append(
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="content"; '
        f'filename="{filename}"\r\n{kind}\r\n'.encode()
        + content
        + b"\r\n"
    )
    parts += [_field(name, value) for name, value in after]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _field(name: str, value: str) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return f"{head}{value}\r\n".encode()


def twine_fields(name: str, version: str, filename: str, content: bytes) -> list[tuple[str, str]]:
    """Return what twine sends beside the file."""
    is_wheel = filename.endswith(".whl")
    return [
        (":action", "file_upload"),
        ("protocol_version", "1"),
        ("metadata_version", "2.4"),
        ("name", name),
        ("version", version),
        ("summary", "Frogs for functional units"),
        ("filetype", "bdist_wheel" if is_wheel else "sdist"),
        ("pyversion", "py3" if is_wheel else "source"),
        ("sha256_digest", hashlib.sha256(content).hexdigest()),
        ("blake2_256_digest", hashlib.blake2b(content, digest_size=32).hexdigest()),
    ]


def post_form(client: Client, body: bytes, *, to: str, by: Member | None, **headers: str) -> Any:
    """Send a form's bytes to the repository URL `to`."""
    sent = (by.headers if by else {}) | {name.replace("_", "-"): headers[name] for name in headers}
    return client.generic(
        "POST",
        to,
        body,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        headers=sent,
    )


def upload(
    client: Client,
    name: str,
    version: str,
    file: tuple[str, bytes],
    *,
    by: Member | None,
    to: str = "/acme/local/",
    change: dict[str, str] | None = None,
    **headers: str,
) -> Any:
    """Upload as twine does; `change` replaces fields of the form."""
    filename, content = file
    fields = dict(twine_fields(name, version, filename, content)) | (change or {})
    body = form_body(fields.items(), filename=filename, content=content)
    return post_form(client, body, to=to, by=by, **headers)


def published(
    client: Client,
    name: str,
    version: str,
    file: tuple[str, bytes],
    *,
    by: Member,
    to: str = "/acme/local/",
) -> str:
    """Upload and return the file's name, once it is published."""
    response = upload(client, name, version, file, by=by, to=to)
    assert response.status_code == HTTPStatus.OK, response.reason_phrase
    return file[0]
