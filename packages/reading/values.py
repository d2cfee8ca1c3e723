"""What the reading of an archive comes to."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from base.errors import LarderError


class ReadingFailed(LarderError):
    """An archive cannot be read; the sentence says to a person why."""


class MemberKind(enum.StrEnum):
    """What a member is. Folders are not counted: they are seen in the paths."""

    FILE = "file"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, or a symbolic link in it with the path that it leads to."""

    path: str
    size: int
    kind: MemberKind = MemberKind.FILE
    target: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """All that an archive says of itself. docs/reading.md lists what `facts` holds."""

    metadata: bytes | None  # METADATA or PKG-INFO, byte for byte; None: there is none
    readme_html: str  # rendered and sanitised; empty where there is no README
    facts: dict[str, Any]  # plain JSON, bounded
    members: tuple[Member, ...]
