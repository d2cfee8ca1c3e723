"""Pictures of numbers over time, drawn on the server: columns for each day, with their table.

A picture has no inline style and no script: `templates/larder/columns.html` draws it as SVG whose
colours come from the stylesheet, and puts the same numbers into a table below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from packages.statistics import Day

# In the SVG's own units; the page scales it.
WIDTH, HEIGHT = 600, 120
SPARK_WIDTH, SPARK_HEIGHT = 90, 18
_GAP = 0.2  # of a column's place


@dataclass(frozen=True, slots=True)
class Column:
    """The column of one day."""

    x: float
    y: float
    width: float
    height: float
    label: str  # "3 on 2026-11-20"


@dataclass(frozen=True, slots=True)
class Picture:
    """Numbers of successive days as columns."""

    title: str
    summary: str  # what it shows, in a sentence
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, str], ...]  # the same as a table: day, number
    width: int = WIDTH
    height: int = HEIGHT


def columns(
    title: str, summary: str, days: Sequence[Day], *, said: Callable[[int], str] = str
) -> Picture:
    """Return the picture of `days`; `said` puts a number into words."""
    highest = max((each.count for each in days), default=0)
    place = WIDTH / max(1, len(days))
    drawn = []
    for at, each in enumerate(days):
        # What is there at all can be seen, however small beside the others.
        height = max(2.0, HEIGHT * each.count / highest) if each.count else 0.0
        drawn.append(
            Column(
                x=round(at * place + place * _GAP / 2, 2),
                y=round(HEIGHT - height, 2),
                width=round(place * (1 - _GAP), 2),
                height=round(height, 2),
                label=f"{said(each.count)} on {each.day.isoformat()}",
            )
        )
    rows = tuple((each.day.isoformat(), said(each.count)) for each in reversed(days) if each.count)
    return Picture(title=title, summary=summary, columns=tuple(drawn), rows=rows)


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Numbers of successive days as one small drawing beside a row."""

    path: str  # for SVG
    total: int
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def sparkline(days: Sequence[Day]) -> Sparkline:
    """Return the drawing of `days`: a bar for each, the highest as high as the drawing."""
    highest = max((each.count for each in days), default=0)
    place = SPARK_WIDTH / max(1, len(days))
    bars = []
    for at, each in enumerate(days):
        if each.count:
            height = round(max(1.0, SPARK_HEIGHT * each.count / highest), 1)
            bar = round(place * (1 - _GAP), 1)
            bars.append(f"M{round(at * place, 1)} {SPARK_HEIGHT}v-{height}h{bar}v{height}z")
    return Sparkline("".join(bars), sum(each.count for each in days))
