"""Text of strangers, fit to be read in a page: some of its lines, and nothing invisible in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LINES_AT_MOST = 1_500
CHARACTERS_AT_MOST = 100_000
LINE_AT_MOST = 2_000

# What no text holds but a tab: an archive's pictures and libraries do.
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# What a terminal or browser obeys instead of showing it. Those that turn the direction of writing
# make source text look like other text than it is.
_INVISIBLE = re.compile(
    "[\x0b\x0c\x1b\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Some successive lines of a text."""

    lines: tuple[tuple[int, str], ...]  # number, text
    total: int  # lines of the text, as far as it was read
    before: int  # the number at which the previous window begins; 0: there is none
    after: int  # the same of the next one


def text_of(raw: bytes, *, is_cut: bool = False) -> str | None:
    """Return bytes as text with single line feeds; None where they are no text.

    Where they were cut, a character at their end may be too.
    """
    try:
        text = raw.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        if not is_cut or len(raw) - error.start >= 4:  # noqa: PLR2004 - the longest character
            return None
        text = raw.removeprefix(b"\xef\xbb\xbf").decode(errors="ignore")
    if _BINARY.search(text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, each fit to be shown and none too long to be."""
    lines = text.removesuffix("\n").split("\n") if text else []
    return [visible(line) for line in lines]


def visible(line: str) -> str:
    """Return a line in which nothing is hidden: `\u202e` is shown as its number."""
    cut = line if len(line) <= LINE_AT_MOST else f"{line[:LINE_AT_MOST]}… ({len(line)} characters)"
    return _INVISIBLE.sub(lambda found: f"\u27e8U+{ord(found[0]):04X}\u27e9", cut)


def window(lines: Sequence[str], first: int = 1) -> Window:
    """Return the lines from number `first` on, as many as a page takes."""
    start = max(0, min(first, len(lines)) - 1)
    room, end = CHARACTERS_AT_MOST, start
    while end < min(len(lines), start + LINES_AT_MOST) and (room > 0 or end == start):
        room -= len(lines[end])
        end += 1
    return Window(
        lines=tuple(enumerate(lines[start:end], start=start + 1)),
        total=len(lines),
        before=max(1, start + 1 - LINES_AT_MOST) if start else 0,
        after=end + 1 if end < len(lines) else 0,
    )
