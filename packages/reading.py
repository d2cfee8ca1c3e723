"""A stand-in for the package of this name until its branch is merged: reads no more than metadata."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from base.errors import LarderError


class ReadingFailed(LarderError):
    """The archive cannot be read; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """What an archive says."""

    metadata: bytes | None
    readme_html: str
    facts: dict[str, Any]
    members: tuple[Member, ...]


class Reader:
    """Reads archives."""

    def read(self, path: Path, filename: str) -> ArchiveFacts:
        """Return what the archive says."""
        try:
            contents = _zip(path) if filename.endswith((".whl", ".zip", ".egg")) else _tar(path)
        except (OSError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise ReadingFailed(f"{filename} is damaged: {error}.") from error
        raw = next(
            (
                content
                for name, content in contents.items()
                if name.endswith((".dist-info/METADATA", "PKG-INFO"))
            ),
            None,
        )
        body = (raw or b"").decode(errors="replace").partition("\n\n")[2]
        members = tuple(Member(name, len(content)) for name, content in contents.items())
        return ArchiveFacts(raw, f"<p>{escape(body)}</p>" if body else "", {}, members)

    def close(self) -> None:
        """Do nothing."""


def packed_members(members: Iterable[Member]) -> bytes:
    """Return the members as bytes."""
    return json.dumps([[each.path, each.size] for each in members]).encode()


def unpacked_members(data: bytes) -> tuple[Member, ...]:
    """Return what `packed_members` packed."""
    return tuple(Member(path, size) for path, size in json.loads(data))


def _zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _tar(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
        return found
