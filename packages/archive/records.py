"""Holds a wheel's members against its RECORD, which lists all of them with digest and size.

PyPA, "The .dist-info directory": every file is in RECORD with a digest, sha256 or better, but
RECORD itself and its signatures.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterator

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import leads_out
from packages.archive.zips import ZipContents
from packages.filenames import shown

_COLUMNS = 3
_SIZE = re.compile(r"[0-9]{1,20}")
_ALGORITHMS = {"sha256", "sha384", "sha512"}
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


def check_record(contents: ZipContents, folder: str, judgement: Judgement) -> None:
    """Read every byte of a wheel once, and compare it with the RECORD in `folder`."""
    path = f"{folder}/RECORD"
    raw = contents.read(path, limits.MAX_RECORD) or b""
    comparison = _Comparison(
        lines=_lines(raw, path, judgement),
        without_digest={path, *(f"{folder}/{name}" for name in _SIGNATURES)},
        hashes=contents.unpacked <= limits.HASHED_UP_TO,
    )
    contents.check_every_byte(comparison.compare)
    if says := comparison.conclusion():
        judgement.only_compatible(f"has a RECORD that does not match its contents: {says}")


def _lines(raw: bytes, path: str, judgement: Judgement) -> dict[str, list[str]]:
    """Return digest and size by path; a path that is listed twice has the fields of both."""
    lines: dict[str, list[str]] = {}
    try:
        for row in csv.reader(line.decode() for line in io.BytesIO(raw)):
            if not row:
                continue
            if len(row) != _COLUMNS or (row[2] and not _SIZE.fullmatch(row[2])):
                # uv cannot install it then.
                raise judgement.refusal(
                    f"has a RECORD in which {shown(','.join(row))} is not path, digest and size"
                )
            # Some writers on Windows divide by backslashes.
            listed = row[0].replace("\\", "/")
            if leads_out(listed):
                # pip keeps such a line, and goes by it when it uninstalls.
                raise judgement.refusal(
                    f"has a RECORD that lists {shown(listed)}, which leads out of the wheel"
                )
            lines[listed] = lines.get(listed, []) + row[1:]
    except (UnicodeDecodeError, csv.Error):
        raise judgement.refusal(f"has {shown(path)}, which cannot be read as UTF-8 CSV") from None
    return lines


class _Comparison:
    """What differs between a RECORD and a wheel: the first thing, and how much there is."""

    def __init__(
        self, lines: dict[str, list[str]], *, without_digest: set[str], hashes: bool
    ) -> None:
        self._lines = lines
        self._without_digest = without_digest
        self._hashes = hashes
        self._first = ""
        self._count = 0

    def compare(self, path: str, size: int, pieces: Iterator[bytes]) -> None:
        line = self._lines.pop(path, None)
        said, digest = _digest_in(line)
        hasher = hashlib.new(said) if self._hashes and said else None
        for piece in pieces:
            if hasher:
                hasher.update(piece)
        if line is None:
            if not path.endswith(_SIGNATURES) or path not in self._without_digest:
                self._differs(f"{shown(path)} is not listed")
        elif len(line) >= _COLUMNS:
            self._differs(f"{shown(path)} is listed more than once")
        elif line[1] and line[1] != str(size):
            self._differs(f"{shown(path)} has {size} bytes, {shown(line[1])} are listed")
        elif path in self._without_digest and not line[0]:
            return
        elif not said:
            self._differs(f"{shown(path)} is listed without a digest of sha256 or better")
        elif hasher and base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode() != digest:
            self._differs(f"{shown(path)} has another {said} digest")

    def conclusion(self) -> str:
        """Return what differs, in a few words; empty when nothing does."""
        for path in self._lines:
            self._differs(f"{shown(path)} is listed and not there")
        return self._first + (f" (and {self._count - 1} more)" if self._count > 1 else "")

    def _differs(self, says: str) -> None:
        self._first = self._first or says
        self._count += 1


def _digest_in(line: list[str] | None) -> tuple[str, str]:
    """Return algorithm and digest of a line; both empty where it has none that counts."""
    algorithm, _, digest = (line[0] if line else "").partition("=")
    return (algorithm, digest.rstrip("=")) if algorithm in _ALGORITHMS else ("", "")
