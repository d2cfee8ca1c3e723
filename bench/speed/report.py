"""Writes docs/performance.md: the machine, the tables, what is void, and the targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.speed.cases import Case
from bench.speed.corpus import Sizes
from bench.speed.peers.running import Running
from bench.speed.results import Cell, Results, ratio
from bench.speed.targets import P99_AT_MOST, Outcome, latencies, outcomes

_OF_TARGETS = """The fastest peer is the fastest of those that keep files themselves: {}.
A proxy that answers from its memory, to whoever asks, has a column of its own above.
"""
_MET = {True: "met", False: "**not met**", None: "not measured"}
_HEAD = """# Performance

Made by `{command}`, which writes this page anew; nothing here is written by hand.

Each figure is the median of {rounds} rounds of {seconds} s. In each round all contestants take
their turn, in another order. A ratio within a row says more than a figure: other machines, and
this one on another day, give other figures.

Every cell is checked: the first answer and the one after the load must have the right status and
content (all files listed, the bytes by their SHA-256), no answer in between may be an error, and
every acknowledged upload must be listed afterwards. Otherwise the cell is void, and the reason
stands below the table. Each caller shows a token where a contestant knows such; all of Larder's
pages and files here are private. Percentages are of nginx's static files, in the same run.
"""


@dataclass(frozen=True)
class Run:
    """Everything that a run has brought."""

    command: str
    date: str
    commit: str
    sizes: Sizes
    rounds: int
    seconds: int
    machine: Sequence[str]
    versions: Sequence[str]
    cases: Sequence[Case]
    contestants: Sequence[str]  # as columns; the limit first
    registries: Sequence[str]  # those of them that "the fastest peer" is one of
    running: Sequence[Running]
    absent: dict[str, str] = field(default_factory=dict)
    results: Results = field(default_factory=Results)


def page(run: Run) -> str:
    """Return the whole page."""
    parts = [
        _HEAD.format(command=run.command, rounds=run.rounds, seconds=run.seconds),
        "## The machine\n",
        *_bullets(
            [
                f"{run.date}, commit {run.commit}",
                *run.machine,
                ", ".join(run.versions),
                "everything on loopback, the callers on the same cores",
                "PostgreSQL with fsync on; nginx with a worker per core, by http as everybody",
            ]
        ),
        "\n## What there is\n",
        *_bullets(_corpus(run)),
        "\n## The table\n",
        *table(run),
        *_voids(run),
        "\n## Targets\n",
        _OF_TARGETS.format(", ".join(run.registries) or "none took part"),
        *_targets(run),
    ]
    return "\n".join(parts).rstrip() + "\n"


def table(run: Run) -> Iterator[str]:
    """Yield the lines of the table: figures, and in brackets what they are of the limit's."""
    yield _row(["case", "unit", *run.contestants])
    yield _row(["---", "---", *("---:" for _ in run.contestants)])
    for case in run.cases:
        limit = run.results.value(case.key, run.contestants[0]) if run.contestants else None
        cells = [
            _cell(run.results.cell(case.key, name), limit if number and case.higher else None)
            for number, name in enumerate(run.contestants)
        ]
        yield _row([case.title, case.unit, *cells])


def number(value: float) -> str:
    """Return a figure with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def share(value: float) -> str:
    """Return a share in percent, with two digits that count."""
    percent = value * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def _cell(cell: Cell, limit: float | None) -> str:
    value = cell.value
    if value is None:
        return "void" if cell.void else "-"
    more = [] if (of := ratio(value, limit)) is None else [share(of)]
    more += [f"p99 {number(cell.p99)} ms"] if cell.p99 is not None else []
    more += [cell.note] if cell.note else []
    return number(value) + (f" ({', '.join(more)})" if more else "")


def _voids(run: Run) -> Iterator[str]:
    """Yield who could not take part, and each void cell with its reason."""
    told = [f"**{name}** could not be started: {why}" for name, why in run.absent.items()]
    for name in run.contestants:
        reasons: dict[str, list[str]] = {}
        for case in run.cases:
            cell = run.results.cell(case.key, name)
            if cell.void:
                reasons.setdefault(cell.void, []).append(case.title)
        told += [f"**{name}**: {'; '.join(cases)}: {why}" for why, cases in reasons.items()]
    if told:
        yield "\nVoid, or not run:\n"
        yield from _bullets(told)


def _corpus(run: Run) -> Iterator[str]:
    sizes = run.sizes
    yield (
        f"{sizes.projects:,} projects of {sizes.files} files, one of {sizes.large:,}, "
        f"a root list of {sizes.root:,} projects"
    )
    yield (
        f"a wheel of {sizes.wheel_mib} MiB to download, one of {sizes.upload_mib} MiB to upload, "
        f"{sizes.uploads} small uploads, {sizes.into_large} into the large project"
    )
    for each in run.running:
        fewer = [
            f"{held:,} of {all_:,} {what}"
            for held, all_, what in (
                (each.projects, sizes.projects, "small projects"),
                (each.large, sizes.large, "files of the large one"),
                (each.roots, sizes.root, "projects in the root list"),
            )
            if held is not None and held < all_
        ]
        notes = [*each.notes, *(["it holds " + ", ".join(fewer)] if fewer else [])]
        if notes:
            yield f"{each.name}: {'; '.join(notes)}"


def _targets(run: Run) -> Iterator[str]:
    titles = {case.key: case.title for case in run.cases}
    yield _row(["what", "who", "at least", "reached", ""])
    yield _row(["---", "---", "---", "---:", "---"])
    for each in outcomes(run.results, run.registries):
        target = each.target
        if {target.case, target.to_case or target.case} <= set(titles):
            base = titles.get(target.to_case)
            wanted = f"{_times(target.at_least)} {base or target.to}"
            reached = "" if each.reached is None else _times(each.reached)
            yield _row([titles[target.case], target.who, wanted, reached, _verdict(each)])
    for latency in latencies(run.results):
        if latency.case in titles:
            times = "" if latency.times is None else _times(latency.times)
            wanted = f"p99 at most {_times(P99_AT_MOST)} nginx static"
            said = _MET[latency.is_met]
            yield _row([titles[latency.case], latency.who, wanted, times, said])


def _verdict(outcome: Outcome) -> str:
    if outcome.is_met is not False or outcome.reached is None:
        return _MET[outcome.is_met]
    return f"{_MET[False]}: {share(outcome.reached / outcome.target.at_least)} of it"


def _times(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


def _bullets(lines: Iterable[str]) -> Iterator[str]:
    return (f"- {' '.join(line.split())}" for line in lines)
