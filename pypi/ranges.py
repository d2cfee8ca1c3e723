"""Understands the Range header of a file request (RFC 9110, section 14)."""

from __future__ import annotations

import re

from pypi.answer import Ask

_ONE_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*")


class Unsatisfiable(Exception):
    """The range lies outside of the file."""


def asked_range(ask: Ask, *, size: int, etag: str, modified: str) -> tuple[int, int] | None:
    """Return (start, length) of the one range that is asked for; None for the whole file.

    Handles prefix, middle and suffix ranges. A header with several ranges, or that cannot be
    read, or whose If-Range names other bytes, asks for the whole file. Raises Unsatisfiable.
    """
    match = _ONE_RANGE.fullmatch(ask.header("range").strip())
    if ask.method != "GET":  # RFC 9110: a range means something to GET alone
        return None
    if match is None or match.groups() == ("", "") or not _if_range_holds(ask, etag, modified):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
        length = end - start + 1
    if start >= size or length <= 0:
        raise Unsatisfiable
    return start, length


def _if_range_holds(ask: Ask, etag: str, modified: str) -> bool:
    sent = ask.header("if-range").strip()
    return not sent or sent in {etag, modified}
