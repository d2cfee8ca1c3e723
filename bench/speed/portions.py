"""Runs of the command, each of some cases, kept in one file from which the page is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bench.speed.corpus import Sizes
from bench.speed.results import Results


class OtherSizes(Exception):
    """Results of another corpus, which no page may mix with these."""


@dataclass(frozen=True)
class Portion:
    """What one run measured, on what, and when."""

    command: str
    began: str  # in UTC, to the minute
    commit: str
    sizes: Sizes
    rounds: int
    seconds: int
    load: str  # of the machine, when it began
    machine: Sequence[str]
    versions: Sequence[str]
    notes: dict[str, list[str]] = field(default_factory=dict)  # by contestant
    busy: list[str] = field(default_factory=list)  # cases that began while others kept it busy
    results: Results = field(default_factory=Results)


def load(path: Path, sizes: Sizes) -> list[Portion]:
    """Return what the file has, nothing where there is none; refuse results of other sizes."""
    if not path.exists():
        return []
    portions = [_portion(each) for each in json.loads(path.read_text())["portions"]]
    if any(each.sizes != sizes for each in portions):
        raise OtherSizes(
            f"{path} has results of another corpus: name another file by --results, or remove it."
        )
    return portions


def save(path: Path, portions: Iterable[Portion]) -> None:
    """Write the file."""
    told = [
        asdict(replace(each, results=Results())) | {"results": each.results.told()}
        for each in portions
    ]
    fresh = path.with_suffix(".part")
    fresh.write_text(json.dumps({"portions": told}, indent=1) + "\n")
    fresh.replace(path)  # whole, whenever a run is broken off


def added(earlier: Sequence[Portion], latest: Portion) -> list[Portion]:
    """Return all of them; a row that was measured again is the latest one alone, and whole."""
    again = latest.results.cases()
    left = [replace(each, results=each.results.without(again)) for each in earlier]
    return [each for each in (*left, latest) if each.results.cases()]


def combined(portions: Iterable[Portion]) -> Results:
    """Return the rows of all of them."""
    return Results.of(row for each in portions for row in each.results.told())


def _portion(told: dict[str, object]) -> Portion:
    own = dict(told)
    sizes, results = own.pop("sizes"), own.pop("results")
    return Portion(**own, sizes=Sizes(**sizes), results=Results.of(results))  # type: ignore[arg-type]
