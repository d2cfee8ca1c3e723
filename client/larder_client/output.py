"""What the command prints: tables for people, JSON for scripts, bars while something is sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_BAR = 30


def show(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows as JSON, or these columns of them as a table."""
    if as_json:
        print(json.dumps(list(rows), indent=2))
        return
    head = [name.replace("_", " ").upper() for name in columns]
    cells = [head, *([_cell(row.get(name)) for name in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(map(str.ljust, line, widths)).rstrip())


def tell(said: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print one answer as JSON, or the sentence that says it."""
    print(json.dumps(said, indent=2) if as_json else sentence)


def note(sentence: str) -> None:
    """Say something beside the answer."""
    print(sentence, file=sys.stderr)


def bar(name: str, sent: int, size: int) -> None:
    """Draw how much of a file is sent, when somebody looks on."""
    if not sys.stderr.isatty():
        return
    part = sent / size if size else 1.0
    filled = "#" * int(_BAR * part)
    end = "\n" if sent >= size else ""
    line = f"\r{name} [{filled.ljust(_BAR)}] {part:4.0%} of {size / 1e6:.1f} MB"
    print(line, end=end, file=sys.stderr, flush=True)


def _cell(value: object) -> str:
    match value:
        case None | "":
            text = "-"
        case bool():
            text = "yes" if value else "no"
        case list():
            text = ", ".join(map(str, value)) or "-"
        case _:
            text = str(value)
    # What others have written moves no cursor and forges no line.
    return "".join(each if each.isprintable() else "?" for each in text)
