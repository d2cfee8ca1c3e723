"""What may stand in the facts: text that every database takes, lists of a bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from packages.reading.limits import MAX_ITEMS, MAX_TEXT

# PostgreSQL's text and JSON hold no NUL, and UTF-8 no lone surrogate.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def plain(text: str, at_most: int = MAX_TEXT) -> str:
    """Return a text cut to a length, and fit for a database."""
    cut = text if len(text) <= at_most else text[: at_most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", cut)


def decoded(raw: bytes) -> str:
    """Return bytes that should be UTF-8 as text, with single line feeds as line ends."""
    text = raw.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines(raw: bytes, at_most: int) -> Iterable[str]:
    """Return the first lines of a file, without what surrounds them, empty ones left out."""
    stripped = (line.strip() for line in islice(decoded(raw).split("\n"), at_most))
    return (line for line in stripped if line)


def listed(items: Iterable[Any], at_most: int = MAX_ITEMS) -> dict[str, Any]:
    """Return a list as it stands in the facts: the first items, and how many were left off.

    Texts among them are made plain.
    """
    rest = iter(items)
    first = [plain(item) if isinstance(item, str) else item for item in islice(rest, at_most)]
    return {"items": first, "left_off": sum(1 for _ in rest)}
