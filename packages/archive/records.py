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
from typing import NamedTuple

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import holds_control, leads_out
from packages.archive.zips import ZipContents
from packages.filenames import shown

_COLUMNS = 3
_SIZE = re.compile(r"[0-9]{1,20}")
_ALGORITHMS = {"sha256", "sha384", "sha512"}
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


def check_record(contents: ZipContents, folder: str, judgement: Judgement) -> None:
    """Read every byte of a wheel once, and compare it with the RECORD in `folder`."""
    hashes = contents.unpacked <= limits.HASHED_UP_TO
    comparison = read_record(contents, folder, judgement, hashes=hashes)
    contents.check_every_byte(comparison.compare)
    if says := comparison.conclusion():
        judgement.only_compatible(says)


def read_record(
    contents: ZipContents, folder: str, judgement: Judgement, *, hashes: bool
) -> Comparison:
    """Return what a wheel's files are to be compared with, each of them in turn."""
    path = f"{folder}/RECORD"
    raw = contents.read(path, limits.MAX_RECORD) or b""
    return Comparison(
        lines=_lines(raw, path, judgement),
        without_digest={path, *(f"{folder}/{name}" for name in _SIGNATURES)},
        hashes=hashes,
    )


class _Line(NamedTuple):
    """What a RECORD says of one path; of a path that it lists again, what it said first."""

    digest: str
    size: str
    times: int = 1


def _lines(raw: bytes, path: str, judgement: Judgement) -> dict[str, _Line]:
    """Return what a RECORD says, by path."""
    lines: dict[str, _Line] = {}
    for number, text in enumerate(io.BytesIO(raw), start=1):
        if number > limits.MAX_RECORD_LINES:
            raise judgement.refusal(
                f"has a RECORD of more than {limits.MAX_RECORD_LINES} lines, of which most list "
                "nothing that is there"
            )
        row = _row(text, path, judgement)
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
        known = lines.get(listed)
        lines[listed] = known._replace(times=known.times + 1) if known else _Line(row[1], row[2])
    return lines


def _row(raw: bytes, path: str, judgement: Judgement) -> list[str]:
    """Return the columns of one line.

    Each is read by itself: no member's name holds a line break, so that a quoted one would only
    hide lines from readers that know no quotes.
    """
    if len(raw) <= limits.MAX_RECORD_LINE:
        try:
            text = raw.decode().rstrip("\r\n")
            if not holds_control(text):
                return next(csv.reader((text,), strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            pass
    raise judgement.refusal(f"has {shown(path)}, which cannot be read as UTF-8 CSV")


class Comparison:
    """What differs between a RECORD and a wheel: the first few things, and how many there are."""

    def __init__(self, lines: dict[str, _Line], *, without_digest: set[str], hashes: bool) -> None:
        self._lines = lines
        self._without_digest = without_digest
        self._hashes = hashes
        self.differences: list[str] = []
        self.count = 0

    def compare(self, path: str, size: int, pieces: Iterator[bytes]) -> None:
        """Hold a file against its line, and read it to its end."""
        line = self._lines.pop(path, None)
        said, digest = _digest_in(line)
        hasher = hashlib.new(said) if self._hashes and said else None
        for piece in pieces:
            if hasher:
                hasher.update(piece)
        if line is None:
            if not path.endswith(_SIGNATURES) or path not in self._without_digest:
                self._differs(f"{shown(path)} is not listed")
        elif line.times > 1:
            self._differs(f"{shown(path)} is listed more than once")
        elif line.size and line.size != str(size):
            self._differs(f"{shown(path)} has {size} bytes, {shown(line.size)} are listed")
        elif path in self._without_digest and not line.digest:
            return
        elif not said:
            self._differs(f"{shown(path)} is listed without a digest of sha256 or better")
        elif hasher and base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode() != digest:
            self._differs(f"{shown(path)} has another {said} digest")

    def conclusion(self) -> str:
        """Return the first thing that differs, and how many more there are; empty for nothing."""
        for path in self._lines:
            self._differs(f"{shown(path)} is listed and not there")
        self._lines = {}
        if not self.count:
            return ""
        more = f" (and {self.count - 1} more)" if self.count > 1 else ""
        return f"has a RECORD that does not match its contents: {self.differences[0]}{more}"

    def _differs(self, says: str) -> None:
        if self.count < limits.MAX_FINDINGS:
            self.differences.append(says)
        self.count += 1


def _digest_in(line: _Line | None) -> tuple[str, str]:
    """Return algorithm and digest of a line; both empty where it has none that counts."""
    algorithm, _, digest = (line.digest if line else "").partition("=")
    return (algorithm, digest.rstrip("=")) if algorithm in _ALGORITHMS else ("", "")
