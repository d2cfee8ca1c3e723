"""Larder, its peers and nginx's static files do the same work in one run; a page tells of it.

    python -m tests.parts postgres --durable -- python -m bench.speed
    python -m tests.parts postgres --durable -- python -m bench.speed --cases small-html upload-1
    python -m tests.parts postgres --durable -- python -m bench.speed --missing --minutes 12
    python -m tests.parts postgres --durable -- python -m bench.speed --small

Starts everybody on loopback, fills them with the same wheels, and runs each case against all of
them in turn. Each row is kept in docs/performance.json as soon as it is there, and
docs/performance.md is written anew from all rows of that file: the whole can be measured in
portions. A row that is measured again replaces the one before, whole. `--small` prints the page and
keeps nothing, unless it is given a file. A part that is missing, and a wrong answer, is told of and
is no figure. The exit code is 1 when Larder itself gave a wrong answer.
"""

from __future__ import annotations

import argparse
import math
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.speed import load, machine, made_up, portions, runner
from bench.speed.cases import Case
from bench.speed.corpus import FULL, SMALL, Corpus, Sizes
from bench.speed.peers.running import Ground
from bench.speed.portions import Portion
from bench.speed.reading import Bench
from bench.speed.report import page
from bench.speed.results import NOT_RUN
from bench.speed.scenes import OTHERS, ROWS, SCENES, Scene
from bench.speed.settling import await_quiet
from bench.speed.targets import JUDGED_BY
from tests.clients import ROOT
from tests.journeys.distributions import File, wheels_of_the_long_list
from tests.parts import given
from tests.parts.processes import private_folder

RESULTS = ROOT / "docs" / "performance.json"
_MADE_UP = "made-up projects with the names, sizes and requirements of real ones, not those"
_STANDARD = {True: SMALL, False: FULL}


@dataclass
class Keeper:
    """Writes down what there is, whenever there is a new row."""

    results: Path | None
    earlier: Sequence[Portion]
    latest: Portion

    def keep(self) -> None:
        """Write the results, and the page beside them."""
        if self.results is not None:
            everything = portions.added(self.earlier, self.latest)
            portions.save(self.results, everything)
            self.results.with_suffix(".md").write_text(page(everything))


@dataclass(frozen=True)
class Stage:
    """What all scenes are played with."""

    database: str
    bench: Bench
    keeper: Keeper
    others: Sequence[str]  # those that were asked for of the contestants that nobody has to have
    until: float  # the time after which no case begins


def main(arguments: list[str]) -> int:
    """Run it and write the page."""
    options = parsed(arguments)
    database = given("postgres")
    if database is None:
        sys.exit("Run it as `python -m tests.parts postgres --durable -- python -m bench.speed`.")
    if not load.is_there():
        print(load.MISSING, "Cases of reading will be void.", file=sys.stderr)
    sizes = _STANDARD[options.small]
    until = time.monotonic() + options.minutes * 60 if options.minutes else math.inf
    try:
        earlier = portions.load(options.results, sizes) if options.results else []
    except portions.OtherSizes as error:
        sys.exit(str(error))
    latest = _portion(_command(arguments), sizes, options)
    plan = {scene: chosen(scene, options, earlier) for scene in SCENES}
    with private_folder("speed") as folder:
        corpus = _corpus(folder, latest, [case for cases in plan.values() for case in cases])
        bench = Bench(corpus, options.seconds, folder, options.load_minutes * 60)
        keeper = Keeper(options.results, earlier, latest)
        for scene, cases in plan.items():
            _play(scene, cases, Stage(database, bench, keeper, options.peers, until))
    if options.results is None:
        print(page([latest]))
    return 1 if is_wrong(latest) else 0


def _corpus(folder: Path, portion: Portion, cases: Sequence[Case]) -> Corpus:
    """Make what these cases need."""
    real = _real_wheels(folder, portion) if any(case.needs_real for case in cases) else []
    with_root = any(case.needs_root for case in cases)
    return Corpus(folder, portion.sizes, real, with_root=with_root)


def _real_wheels(folder: Path, portion: Portion) -> list[File]:
    """Return the wheels of real projects, or others of their shape where they cannot be fetched."""
    try:
        return wheels_of_the_long_list()
    except subprocess.CalledProcessError as error:
        print(f"The wheels of real projects could not be fetched: {error}", file=sys.stderr)
        portion.notes["what clients install"] = [_MADE_UP]
        return made_up.wheels(folder / "made-up")


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    keys = [row.key for row in ROWS]
    parser.add_argument(
        "--cases", nargs="+", choices=keys, default=keys, metavar="CASE", help=", ".join(keys)
    )
    parser.add_argument(
        "--missing", action="store_true", help="of these cases only those without a row yet"
    )
    parser.add_argument(
        "--minutes", type=_some, help="begin no other case after that time; the rest is for later"
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=OTHERS,
        default=list(OTHERS),
        metavar="PEER",
        help=f"{', '.join(OTHERS)}; none: --peers alone",
    )
    parser.add_argument("--seconds", type=_some, default=5, help="of each window of reading")
    parser.add_argument(
        "--load-minutes", type=_some, default=1, help="of the load that memory is watched under"
    )
    parser.add_argument("--rounds", type=_some, default=3)
    parser.add_argument("--small", action="store_true", help="little of everything, to try it out")
    parser.add_argument("--results", type=Path, help="a .json file; the page stands beside it")
    options = parser.parse_args(arguments)
    if options.results is None and not options.small:
        options.results = RESULTS
    return options


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give at least 1")
    return number


def _command(arguments: Sequence[str]) -> str:
    more = shlex.join(arguments)
    return f'make bench BENCH="{more}"' if more else "make bench"


def _portion(command: str, sizes: Sizes, options: argparse.Namespace) -> Portion:
    pinned = [peer.pinned for scene in SCENES for peer in scene.peers]
    return Portion(
        command=command,
        began=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=machine.commit(),
        sizes=sizes,
        rounds=options.rounds,
        seconds=options.seconds,
        load=machine.load(),
        machine=list(machine.described()),
        versions=list(machine.versions([each for each in pinned if each])),
    )


def chosen(scene: Scene, options: argparse.Namespace, earlier: Sequence[Portion]) -> list[Case]:
    """Return the cases of a scene that were asked for, or of these those without a figure."""
    there = {key for each in earlier for key in each.results.known()} if options.missing else set()
    wanted = set(options.cases) - there
    return [each for each in scene.cases if wanted & {row.key for row in each.rows}]


def together(cases: Sequence[Case]) -> list[list[Case]]:
    """Return the cases with those that are judged by each other's rates in one list.

    They share their rounds: a machine that others use is faster in one minute than in another.
    """
    keys = {case.key for case in cases}
    lists: dict[str, list[Case]] = {}
    for case in cases:
        other = JUDGED_BY.get(case.key)
        lists.setdefault(other if other and other in keys else case.key, []).append(case)
    return list(lists.values())


def _play(scene: Scene, cases: Sequence[Case], stage: Stage) -> None:
    """Start who takes part in a scene, and run its cases as long as there is time."""
    if not cases or time.monotonic() > stage.until:
        return
    bench, portion = stage.bench, stage.keeper.latest
    wanted = [name for name in scene.names if name not in OTHERS or name in stage.others]
    with ExitStack() as stack:
        ground = Ground(bench.corpus, stage.database, [])
        absent = runner.started(stack, ground, scene.peers, wanted)
        running = [each for each in ground.running if each.name in wanted]
        portion.notes.update({each.name: each.remarks(portion.sizes) for each in running})
        for compared in together(cases):
            if time.monotonic() > stage.until:
                keys = ", ".join(case.key for case in compared)
                print(f"No time is left for {keys}.", file=sys.stderr)
                continue
            for case in compared:
                for name in set(absent) & set(wanted):
                    runner.void(case, name, absent[name], portion.results)
            if not await_quiet():
                portion.busy.extend(case.key for case in compared)
            runner.measure(compared, running, portion.rounds, bench, portion.results)
            stage.keeper.keep()


def is_wrong(portion: Portion) -> bool:
    """Say whether a cell of Larder is void though it was run."""
    names = [name for scene in SCENES for name in scene.names if name.startswith("Larder")]
    voids = [
        portion.results.cell(key, name).void for key in portion.results.cases() for name in names
    ]
    return any(void and not void.startswith(NOT_RUN) for void in voids)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
