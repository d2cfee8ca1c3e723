"""Draws the releases of a project on an axis of time: a mark for each, its shape for its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from packages.pages.project.releases import ReleaseFiles

# In the SVG's own units; the page scales it.
WIDTH = 720
_LEFT, _RIGHT = 104, 12  # the names of the rows stand at the left
_STATES = ("final", "pre-release", "yanked")
_ROW, _BELOW = 24, 18  # of height: a row, the names of years
_DRAWN_AT_MOST = 300
_YEARS_NAMED_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """One release."""

    x: float
    y: int
    state: str
    label: str  # "1.0, final, attested, 2026-11-20"
    is_attested: bool  # with all of its files


@dataclass(frozen=True, slots=True)
class Tick:
    """The beginning of a year, with its name where there is room for it; or an end of the axis."""

    x: float
    name: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The releases whose time is known, as a picture; the list of versions is its table."""

    summary: str
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    rows: tuple[tuple[str, int], ...]
    width: int = WIDTH
    left: int = _LEFT

    @property
    def axis(self) -> int:
        """Return where the axis is, below the rows."""
        return _ROW * len(self.rows) + 4

    @property
    def height(self) -> int:
        """Return how high the picture is."""
        return self.axis + _BELOW


def timeline(releases: Sequence[ReleaseFiles], now: datetime) -> Timeline | None:
    """Return the picture of the newest releases up to `now`; None where no time is known."""
    dated = [(each, each.uploaded_at) for each in releases if each.uploaded_at is not None]
    drawn = sorted(dated, key=lambda pair: pair[1], reverse=True)[:_DRAWN_AT_MOST]
    if not drawn:
        return None
    first, last = drawn[-1][1], max(now, drawn[0][1])
    # A project of today has an axis too.
    span = max(last - first, timedelta(days=1))

    def x(at: datetime) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * ((at - first) / span), 1)

    present = [state for state in _STATES if any(each.state == state for each, _ in drawn)]
    rows = {state: _ROW * at + _ROW // 2 for at, state in enumerate(present)}
    marks = tuple(
        Mark(
            x(at),
            rows[each.state],
            each.state,
            ", ".join(filter(None, (each.version, each.state, each.attested, f"{at:%Y-%m-%d}"))),
            is_attested=each.attested == "attested",
        )
        for each, at in reversed(drawn)
    )
    return Timeline(
        summary=_summary(len(drawn), len(releases), first, drawn[0][1]),
        marks=marks,
        ticks=_ticks(first, last, x),
        rows=tuple(rows.items()),
    )


def _summary(drawn: int, known: int, first: datetime, last: datetime) -> str:
    which = f"The latest {drawn} of {known} releases" if drawn < known else _counted(drawn)
    return f"{which}, {first:%Y-%m-%d} to {last:%Y-%m-%d}."


def _counted(releases: int) -> str:
    return "1 release" if releases == 1 else f"{releases} releases"


def _ticks(first: datetime, last: datetime, x: Callable[[datetime], float]) -> tuple[Tick, ...]:
    years = range(first.year + 1, last.year + 1)
    if not years:  # too young for a new year
        return (Tick(x(first), f"{first:%Y-%m-%d}"),)
    every = -(-len(years) // _YEARS_NAMED_AT_MOST) or 1
    return tuple(
        Tick(x(datetime(year, 1, 1, tzinfo=UTC)), str(year) if year % every == 0 else "")
        for year in years
    )
