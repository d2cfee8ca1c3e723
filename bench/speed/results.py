"""What was measured, and what comes of it: medians, ratios, and cells that are void."""

from __future__ import annotations

import statistics
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

NOT_RUN = "not run: "  # how the reason begins where nothing was tried


class Void(Exception):
    """A cell without a figure, with the reason."""


@dataclass(frozen=True)
class Measured:
    """One figure of one round; `p99` in milliseconds, `note` what else was seen.

    `of_less`: the contestant was asked for less than others, as it holds less.
    """

    value: float
    p99: float | None = None
    note: str = ""
    of_less: bool = False


@dataclass
class Cell:
    """What one contestant did in one row, round by round. One reason makes all of it void."""

    rounds: list[Measured] = field(default_factory=list)
    void: str = ""
    worst: bool = False  # what counts is the round with the most, not the median

    @property
    def value(self) -> float | None:
        """The median, or the worst; None for a void cell."""
        if self.void or not self.rounds:
            return None
        values = [each.value for each in self.rounds]
        return max(values) if self.worst else statistics.median(values)

    @property
    def p99(self) -> float | None:
        """The median of the 99th percentiles; None where there is none."""
        known = [each.p99 for each in self.rounds if each.p99 is not None]
        return statistics.median(known) if known and not self.void else None

    @property
    def note(self) -> str:
        """What was seen in the round whose figure is the cell's, or nearest to it."""
        value = self.value
        if value is None:
            return ""
        return min(self.rounds, key=lambda each: abs(each.value - value)).note

    @property
    def is_of_less(self) -> bool:
        """Whether the figure is of less than that of others."""
        return any(each.of_less for each in self.rounds)


class Results:
    """All cells, by case and contestant."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], Cell] = {}

    @classmethod
    def of(cls, told: Iterable[Mapping[str, Any]]) -> Results:
        """Return what `told` has told."""
        results = cls()
        for each in told:
            cell = results.cell(each["case"], each["contestant"])
            cell.rounds.extend(Measured(**seen) for seen in each["rounds"])
            cell.void, cell.worst = each["void"], each.get("worst", False)
        return results

    def told(self) -> list[dict[str, Any]]:
        """Return all cells as JSON takes them."""
        return [
            {"case": case, "contestant": contestant, **asdict(cell)}
            for (case, contestant), cell in self._measured()
        ]

    def without(self, cases: Container[str]) -> Results:
        """Return the same without the rows of these cases."""
        return Results.of(each for each in self.told() if each["case"] not in cases)

    def cases(self) -> list[str]:
        """Return the cases that have a row."""
        return list(dict.fromkeys(case for (case, _), _cell in self._measured()))

    def known(self) -> set[str]:
        """Return the cases in which somebody has a figure."""
        return {case for (case, _), cell in self._measured() if cell.value is not None}

    def contestants(self, cases: Container[str]) -> set[str]:
        """Return who has a cell in one of these cases."""
        return {contestant for (case, contestant), _ in self._measured() if case in cases}

    def _measured(self) -> list[tuple[tuple[str, str], Cell]]:
        return [(key, cell) for key, cell in self._cells.items() if cell.rounds or cell.void]

    def cell(self, case: str, contestant: str) -> Cell:
        """Return the cell, a new one for the first round."""
        return self._cells.setdefault((case, contestant), Cell())

    def value(self, case: str, contestant: str) -> float | None:
        """Return its median; None where there is no figure."""
        found = self._cells.get((case, contestant))
        return found.value if found else None

    def fastest(self, case: str, contestants: Iterable[str]) -> str | None:
        """Return who has the highest figure of these contestants; None where none has one."""
        figures = {each: self.value(case, each) for each in contestants}
        known = {who: value for who, value in figures.items() if value is not None}
        return max(known, key=known.__getitem__, default=None)


def ratio(value: float | None, to: float | None) -> float | None:
    """Return one figure as a multiple of another; None where either is missing."""
    return value / to if value is not None and to else None
