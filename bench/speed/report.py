"""Writes docs/performance.md: the machine, the tables, what is void, and the targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.speed.cases import Row
from bench.speed.portions import Portion, combined
from bench.speed.results import Cell, Results, ratio
from bench.speed.scenes import CACHES, REGISTRIES, ROWS, SCENES, Scene
from bench.speed.targets import P99_AT_MOST, Outcome, Target, latencies, outcomes

_OF_TARGETS = f"""The fastest peer of a row is, of those with a figure in it, the fastest that keeps
files of its own; what was reached names it. {", ".join(CACHES)} keeps none, as it is a cache of
another index; the ratio with it stands in brackets. A ratio is of one run; of figures from two runs
there is none.
"""
_CONTESTANTS = {name for scene in SCENES for name in scene.names}
_MET = {True: "met", False: "**not met**", None: "not measured"}
_HEAD = """# Performance

Written anew by each run of `make bench`; nothing here is written by hand.

Each figure is the median of the rounds of its run; a count, and what must stay below a bound each
time, is of the worst round. What stands in brackets is of the same round, or of the one nearest to
it; p99 is the median too. In each round all contestants take their turn, in another order. A ratio
within a row says more than a figure: other machines, and this one on another day, give other
figures.

Every cell is checked: the first answer and the one after the load must have the right status and
content (all files listed, the bytes by their SHA-256). Of those in between none may have a status
of 400 or more, and on average they must have at least as many bytes as the first one's body; where
they are to be 304, fewer. Every acknowledged upload must be listed afterwards. Otherwise the cell
is void, and the reason stands below the tables. Each caller shows a token where a contestant knows
such; all of Larder's pages and files here are private. Percentages are of nginx's static files, in
the same run; who holds less than those has none. "us" and "ms" is how long a contestant's processes
work for one request, PostgreSQL's left out but for two hosts: two cores that do nothing else have
two seconds of it in each.

What is not met, and what bounds it: [performance-bounds.md](performance-bounds.md).
"""


def page(portions: Sequence[Portion]) -> str:
    """Return the whole page."""
    results = combined(portions)
    parts = [
        _HEAD,
        "## The runs\n",
        *_bullets(_run(each) for each in portions),
        "\n## The machine\n",
        *_bullets(
            [
                *_once(line for each in portions for line in each.machine),
                ", ".join(_once(line for each in portions for line in _versions(each))),
                "everything on loopback, the callers on the same cores",
                "PostgreSQL with fsync on; nginx with a worker per core, by http as everybody",
            ]
        ),
        "\n## What there is\n",
        *_bullets(_corpus(portions)),
        *(line for scene in SCENES for line in _scene(scene, results)),
        *_voids(results),
        "\n## Targets\n",
        _OF_TARGETS,
        *_targets(portions),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _run(portion: Portion) -> str:
    shown = portion.results.cases()
    busy = [each for each in portion.busy if each in shown]
    return (
        f"{portion.began}, commit {portion.commit}, {portion.load}, `{portion.command}`, "
        f"{portion.rounds} rounds of {portion.seconds} s: {', '.join(shown)}"
        + (f"; begun on a busy machine: {', '.join(busy)}" if busy else "")
    )


def _scene(scene: Scene, results: Results) -> Iterator[str]:
    if _measured(scene, results):
        yield f"\n## {scene.title}\n"
        yield from table(scene, results)


def _measured(scene: Scene, results: Results) -> list[Row]:
    keys = set(results.cases())
    return [row for row in scene.rows if row.key in keys]


def table(scene: Scene, results: Results) -> Iterator[str]:
    """Yield the lines of a table: figures, and in brackets what they are of the limit's."""
    rows = _measured(scene, results)
    there = results.contestants({row.key for row in rows})
    names = [name for name in scene.names if name in there]
    yield _line(["case", "unit", *names])
    yield _line(["---", "---", *("---:" for _ in names)])
    for row in rows:
        limit = results.value(row.key, scene.limit) if row.higher else None
        cells = [
            _cell(results.cell(row.key, name), limit if name != scene.limit else None)
            for name in names
        ]
        yield _line([row.title, row.unit, *cells])


def number(value: float) -> str:
    """Return a figure with three digits that count; a count as it is."""
    if isinstance(value, int):
        return f"{value:,}"
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
    of = None if cell.is_of_less else ratio(value, limit)
    more = [] if of is None else [share(of)]
    more += [f"p99 {number(cell.p99)} ms"] if cell.p99 is not None else []
    more += [cell.note] if cell.note else []
    return number(value) + (f" ({', '.join(more)})" if more else "")


def _voids(results: Results) -> Iterator[str]:
    """Yield each void cell with its reason."""
    told = []
    for name in _once(name for scene in SCENES for name in scene.names):
        reasons: dict[str, list[str]] = {}
        for row in ROWS:
            cell = results.cell(row.key, name)
            if cell.void:
                reasons.setdefault(cell.void, []).append(row.title)
        told += [f"**{name}**: {'; '.join(rows)}: {why}" for why, rows in reasons.items()]
    if told:
        yield "\nVoid, or not run:\n"
        yield from _bullets(told)


def _corpus(portions: Sequence[Portion]) -> Iterator[str]:
    sizes = portions[0].sizes
    yield (
        f"{sizes.projects:,} projects of {sizes.files} files, one of {sizes.large:,}, "
        f"a root list of {sizes.root:,} projects"
    )
    yield (
        f"a wheel of {sizes.wheel_mib} MiB to download, one of {sizes.upload_mib} MiB to upload, "
        f"{sizes.uploads} small uploads, {sizes.into_large} into the large project"
    )
    notes: dict[str, list[str]] = {}
    for each in portions:
        absent = _CONTESTANTS - _there(each)
        for name, said in each.notes.items():
            if name not in absent:
                notes.setdefault(name, []).extend(said)
    yield from (f"{name}: {'; '.join(_once(said))}" for name, said in notes.items() if said)


def _versions(portion: Portion) -> list[str]:
    """Return the versions of what took part in the rows that are shown."""
    there = _there(portion)
    peers = {peer for scene in SCENES for peer in scene.peers}
    absent = {peer.pinned for peer in peers if not there & set(peer.names)}
    return [each for each in portion.versions if each.rpartition(" ")[0] not in absent]


def _there(portion: Portion) -> set[str]:
    return portion.results.contestants({row.key for row in ROWS})


def _targets(portions: Sequence[Portion]) -> Iterator[str]:
    results = combined(portions)
    rows = {row.key: row for row in ROWS}
    yield _line(["what", "who", "wanted", "reached", ""])
    yield _line(["---", "---", "---", "---:", "---"])
    for each in outcomes(portions, REGISTRIES, CACHES):
        row, base = rows[each.target.case], rows.get(each.target.to_case)
        reached = _reached(each, row)
        wanted = _wanted(each.target, row, base)
        yield _line([row.title, each.target.who, wanted, reached, _verdict(each)])
    for latency in latencies(results):
        if latency.case in results.cases():
            times = "" if latency.times is None else _times(latency.times)
            wanted = f"p99 at most {_times(P99_AT_MOST)} nginx static"
            said = _MET[latency.is_met]
            yield _line([rows[latency.case].title, latency.who, wanted, times, said])


def _wanted(target: Target, row: Row, base: Row | None) -> str:
    of = [target.to if base is None or target.to != target.who else "", base.title if base else ""]
    bound = _amount(target.bound, target, row)
    return " ".join(filter(None, ["at most" if target.at_most else "at least", bound, *of]))


def _reached(outcome: Outcome, row: Row) -> str:
    told = [_amount(outcome.reached, outcome.target, row)] if outcome.reached is not None else []
    told += [outcome.peer] if outcome.peer else []
    beside = ", ".join(f"{_times(times)} {cache}" for cache, times in outcome.caches.items())
    return " ".join([*told, *([f"({beside})"] if beside else [])])


def _amount(value: float, target: Target, row: Row) -> str:
    return _times(value) if target.to else f"{number(value)} {row.unit}"


def _verdict(outcome: Outcome) -> str:
    if outcome.is_met is not False or outcome.reached is None or not outcome.target.bound:
        return _MET[outcome.is_met]
    return f"{_MET[False]}: {share(outcome.reached / outcome.target.bound)} of it"


def _times(value: float) -> str:
    return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"


def _once(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"


def _bullets(lines: Iterable[str]) -> Iterator[str]:
    return (f"- {' '.join(line.split())}" for line in lines)
