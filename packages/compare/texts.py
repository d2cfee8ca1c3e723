"""The differences of two texts as a unified diff, within bounds of time and length."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

from packages.inside.texts import CHARACTERS_AT_MOST, LINES_AT_MOST

_COMPARED_AT_MOST = 20_000  # lines of each side
_SECONDS = 2.0
_CONTEXT = 3


class TooDifferent(Exception):
    """Two texts take longer to compare than anybody waits."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a diff: of both sides, removed, added; or a gap between two places."""

    kind: str  # same, removed, added, gap
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """A unified diff, cut to what a page takes."""

    lines: tuple[DiffLine, ...]
    is_cut: bool


def diff(old: Sequence[str], new: Sequence[str]) -> Diff:
    """Return what differs, with some lines around it. Raises TooDifferent."""
    is_cut = max(len(old), len(new)) > _COMPARED_AT_MOST
    lines: list[DiffLine] = []
    room = CHARACTERS_AT_MOST
    for line in _lines(old[:_COMPARED_AT_MOST], new[:_COMPARED_AT_MOST]):
        room -= len(line.text)
        if len(lines) == LINES_AT_MOST or (room < 0 and lines):
            return Diff(tuple(lines), is_cut=True)
        lines.append(line)
    return Diff(tuple(lines), is_cut)


class _Bounded(SequenceMatcher[str]):
    """Gives up in time: texts can be made for which the search takes minutes."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new)
        self._deadline = time.monotonic() + _SECONDS

    def find_longest_match(self, *place: int) -> Match:  # type: ignore[override]  # all are given
        if time.monotonic() > self._deadline:
            raise TooDifferent
        return super().find_longest_match(*place)


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    for group in _Bounded(old, new).get_grouped_opcodes(_CONTEXT):
        _, first, _, right, _ = group[0]
        yield DiffLine("gap", None, None, f"line {first + 1} of the old, {right + 1} of the new")
        for tag, start, end, begin, stop in group:
            if tag == "equal":
                for at in range(end - start):
                    yield DiffLine("same", start + at + 1, begin + at + 1, old[start + at])
                continue
            for at in range(start, end):
                yield DiffLine("removed", at + 1, None, old[at])
            for at in range(begin, stop):
                yield DiffLine("added", None, at + 1, new[at])
