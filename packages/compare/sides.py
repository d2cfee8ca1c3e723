"""The two files of a comparison, with all that extraction has read in them."""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accounts.principal import Principal
from packages.archive import ArchiveRefused
from packages.core_fields import Field, readable_fields
from packages.filenames import FilenameRefused, NormalizedName
from packages.index.base import PageFile, Stored, stored_of
from packages.inside.members import member_bytes, member_digests, members_in
from packages.metadata import MetadataRefused, parse_core_metadata
from packages.models import Distribution, Reading
from packages.reading import Member
from packages.shown_file import held_rows
from packages.storage import StorageFailed
from repos.models import Repository

_RECORD_AT_MOST = 4 * 1024 * 1024
# What stands in a path for name and version, so that it is the same in every release.
_INFO = re.compile(r"^[^/]+(\.dist-info|\.data)/")


@dataclass(frozen=True)
class Side:
    """One file: what is known of it, and how its paths are called in both releases."""

    line: PageFile
    held: Stored
    reading: Reading
    metadata: bytes | None

    @property
    def facts(self) -> dict[str, Any]:
        """Return what extraction has read."""
        facts: dict[str, Any] = self.reading.facts
        return facts

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Return the core metadata fields by their names."""
        return {field.key: field for field in readable_fields(self.metadata)}

    @cached_property
    def readme(self) -> str:
        """Return the description; it is no field that one looks at whole."""
        try:
            return parse_core_metadata(self.metadata).description if self.metadata else ""
        except MetadataRefused:
            return ""

    @cached_property
    def members(self) -> dict[str, Member]:
        """Return the members by the paths that they have in every release."""
        return {self.common(member.path): member for member in members_in(self.reading)}

    def common(self, path: str) -> str:
        """Return a path without what differs in each release: version, and an sdist's top."""
        if self.line.kind == "wheel":
            return _INFO.sub(r"*\1/", path)
        return path.removeprefix(self._top)

    @cached_property
    def _top(self) -> str:
        tops = {member.path.partition("/")[0] for member in members_in(self.reading)}
        return f"{next(iter(tops))}/" if len(tops) == 1 else ""

    @cached_property
    def digests(self) -> Mapping[str, bytes]:
        """Return the SHA-256 of members, as far as they can be known while somebody waits."""
        try:
            found = self._recorded() if self.line.kind == "wheel" else member_digests(self.held)
        except (ArchiveRefused, FilenameRefused, StorageFailed):
            return {}
        return {self.common(path): digest for path, digest in found.items()}

    def _recorded(self) -> dict[str, bytes]:
        """Return what a wheel's RECORD lists, if extraction has found that it tells the truth."""
        record = self.members.get("*.dist-info/RECORD")
        checked = self.facts.get("record")
        if record is None or not checked or checked["items"]:
            return {}
        raw = member_bytes(self.held, record.path, at_most=_RECORD_AT_MOST) or b""
        return dict(_listed(raw))


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a file cannot be compared, in a sentence."""

    line: PageFile
    sentence: str


def sides(
    repository: Repository, name: NormalizedName, lines: Iterable[PageFile], *, by: Principal
) -> list[Side | Missing]:
    """Return each of the lines that `repository` shows with what is known of its archive."""
    lines = list(lines)
    rows = held_rows(repository, name, [line.filename for line in lines], by=by)
    return [_side(line, rows) for line in lines]


def _side(line: PageFile, rows: Iterable[Distribution]) -> Side | Missing:
    meant = (line.filename, line.sha256)
    row = next((row for row in rows if (row.filename, row.sha256) == meant), None)
    if row is None:
        said = "is not here yet. It comes with the first download, and can be compared then."
        return Missing(line, f"{line.filename} {said}")
    reading = getattr(row, "reading", None)
    if reading is None or reading.sha256 != row.sha256:
        if row.extraction == Distribution.Extraction.PENDING:
            said = "waits to be read. It can be compared after the quiet period."
        else:
            said = f"could not be read. {row.extraction_reason}".strip()
        return Missing(line, f"{line.filename} {said}")
    stored = getattr(row, "stored_metadata", None)
    return Side(line, stored_of(row), reading, bytes(stored.raw) if stored else None)


def _listed(raw: bytes) -> Iterable[tuple[str, bytes]]:
    """Yield path and digest of the lines of a RECORD that say one."""
    for row in csv.reader(raw.decode(errors="replace").splitlines()):
        if len(row) == 3 and row[1].startswith("sha256="):  # noqa: PLR2004 - path, digest, size
            text = row[1].removeprefix("sha256=")
            try:
                yield row[0], base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                continue
