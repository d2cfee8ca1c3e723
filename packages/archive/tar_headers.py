"""Reads the blocks in front of a tar's members, by POSIX's pax format and GNU's.

Where readers are known to differ, the block is refused instead of understood: Python's tarfile
ends an archive at a number it cannot read where GNU tar goes on, joins a prefix that is none, and
skips no data behind a folder where others do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from packages.archive.judgement import Judgement
from packages.filenames import shown

BLOCK = 512
ZEROS = bytes(BLOCK)

_NAME = slice(0, 100)
_SIZE = slice(124, 136)
_CHECKSUM = slice(148, 156)
_LINK = slice(157, 257)
_MAGIC = slice(257, 265)
_PREFIX = slice(345, 500)
_PADDING = slice(500, 512)
_POSIX = b"ustar\x0000"
_GNU = b"ustar  \0"
_OLD = bytes(8)
# POSIX's without its version: fine, as long as nothing hangs on which format it is.
_UNVERSIONED = (b"ustar\0\0\0", b"ustar\0  ")
# Mode, owner, group, time, and the two numbers of a device: read by some, so right or refused.
_OTHER_NUMBERS = (
    *(slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148)),
    *(slice(329, 337), slice(337, 345)),
)
# What follows a NUL is nothing, but for GNU tar, which passes over one in front of a number.
_OCTAL = re.compile(rb" *([0-7]+) *(?:\0.*)?", re.DOTALL)
_BLANK = re.compile(rb" *\0*")
_POSITIVE, _NEGATIVE = 0x80, 0xFF

# pax keywords that change what a member is called, where it leads or how long it is.
DECIDING = ("path", "linkpath", "size")
# pax keywords of GNU tar, star, libarchive and Solaris that change what a file holds: its own
# readers go by them, others do not.
_CHANGING = ("GNU.", "SCHILY.realsize", "SCHILY.filetype", "SUN.holesdata")
# GNU tar stops at those that are none, others take 0.
_NUMBERS = {
    **dict.fromkeys(("uid", "gid"), re.compile(rb"[0-9]{1,20}")),
    **dict.fromkeys(("atime", "ctime", "mtime"), re.compile(rb"-?[0-9]{1,20}(?:\.[0-9]{0,20})?")),
}
# As long as the largest that any reader counts with, without zeros in front.
_SIZE_RECORD = re.compile(rb"0|[1-9][0-9]{0,18}")
_RECORD_LENGTH = re.compile(rb"([1-9][0-9]{0,8}) ")


@dataclass(frozen=True, slots=True)
class Header:
    """One block: the member's type, its names as bytes, and how many bytes follow."""

    type: bytes
    name: bytes
    link: bytes
    size: int
    is_posix: bool  # and not the old format, or GNU's, which is an old one with more in it


def is_header(block: bytes) -> bool:
    """Say whether a block would pass for the header of a tar's member."""
    return len(block) == BLOCK and block != ZEROS and _is_right(block)


def read_header(block: bytes, judgement: Judgement) -> Header:
    """Return what a block says, refusing one that readers read differently."""
    if not _is_right(block):
        raise judgement.damaged("a member's header")
    size = _number(block[_SIZE])
    is_odd = size is None or size < 0 or _BLANK.fullmatch(block[_SIZE])
    if is_odd or any(_number(block[field]) is None for field in _OTHER_NUMBERS):
        raise judgement.refusal("has a member with a number in its header that cannot be read")
    name, link = _name(block, judgement), _text(block[_LINK])
    return Header(block[156:157], name, link, size or 0, is_posix=block[_MAGIC] == _POSIX)


def read_records(data: bytes, judgement: Judgement) -> dict[str, bytes]:
    """Return the records of an extended header (POSIX pax: `length keyword=value`, newline)."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        found = _RECORD_LENGTH.match(data, position)
        end = position + int(found[1]) if found else 0
        record = data[found.end() : end] if found else b""
        keyword, equals, value = record.partition(b"=")
        if not (equals and keyword and value.endswith(b"\n") and end <= len(data)):
            raise judgement.refusal("has an extended header that cannot be read")
        name = keyword.decode(errors="replace")
        if name in records:
            raise judgement.refusal(f"has an extended header with {shown(name)} twice")
        records[name] = value[:-1]
        position = end
    _require_plain(records, judgement)
    return records


def _require_plain(records: dict[str, bytes], judgement: Judgement) -> None:
    for keyword, value in records.items():
        if keyword.startswith("GNU.sparse."):
            raise judgement.refusal(
                "has a sparse member; tar readers differ in what they make of it"
            )
        if keyword.startswith(_CHANGING):
            raise judgement.refusal(
                f"has an extended header with {shown(keyword)}; tar readers differ in what they "
                "make of it"
            )
        if keyword in _NUMBERS and not _NUMBERS[keyword].fullmatch(value):
            raise judgement.refusal(
                f"has an extended header with the {keyword} "
                f"{shown(value.decode(errors='replace'))}, which is no number"
            )
    if records.get("hdrcharset", b"ISO-IR 10646 2000 UTF-8") != b"ISO-IR 10646 2000 UTF-8":
        raise judgement.refusal("has an extended header in another character set than UTF-8")
    for keyword in ("path", "linkpath"):
        if records.get(keyword) == b"":
            raise judgement.refusal(f"has an extended header with an empty {keyword}")
    if "size" in records and not _SIZE_RECORD.fullmatch(records["size"]):
        raise judgement.refusal("has an extended header with a size that is no number")


def _name(block: bytes, judgement: Judgement) -> bytes:
    name, prefix, magic = _text(block[_NAME]), _text(block[_PREFIX]), block[_MAGIC]
    if magic not in (_POSIX, _GNU, _OLD, *_UNVERSIONED):
        raise judgement.refusal(
            f"has a member of an unknown tar format: {shown(repr(magic)[2:-1])}"
        )
    if magic != _POSIX and block[_PREFIX].strip(b"\0"):
        # Old GNU keeps times there, others nothing; Python puts it in front of the name.
        raise judgement.refusal(
            f"has a member that some readers call {shown(name.decode(errors='replace'))} and "
            "others something longer"
        )
    if prefix and block[_PADDING].strip(b"\0"):
        # star keeps times at the end of the prefix.
        raise judgement.refusal("has a member whose header holds more than the pax format has")
    return b"/".join((prefix, name)) if prefix else name


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


@lru_cache(maxsize=1024)  # members have the same owner and mode over and over
def _number(field: bytes) -> int | None:
    """Return an octal number, or a binary one as GNU writes what is too large; None if neither.

    Nothing at all is 0.
    """
    if field[0] == _POSITIVE:
        return int.from_bytes(field[1:])
    if field[0] == _NEGATIVE:
        return int.from_bytes(field[1:]) - (1 << 8 * (len(field) - 1))
    if octal := _OCTAL.fullmatch(field):
        return int(octal[1], 8)
    return 0 if _BLANK.fullmatch(field) else None


def _is_right(block: bytes) -> bool:
    """Say whether a block has its checksum: of unsigned bytes, or of signed ones as of old."""
    rest = block[:148] + b" " * 8 + block[156:]
    said, right = _number(block[_CHECKSUM]), sum(rest)
    return said == right or said == right - 256 * sum(byte >= _POSITIVE for byte in rest)
