"""Larder, its peers and nginx's static files do the same work in one run; a page tells of it.

    python -m tests.parts postgres --durable -- python -m bench.speed
    python -m tests.parts postgres --durable -- python -m bench.speed --small

Starts everybody on loopback, fills them with the same wheels, runs each case against all of them in
turn, and writes docs/performance.md (`--output -`: prints it). `--only small-html --only upload-1`
runs these cases alone, `--peers devpi` these contestants beside Larder. A part that is missing,
and a wrong answer, is told of and is no figure. The exit code is 1 when Larder itself gave a wrong
answer.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench.speed import load, machine, runner
from bench.speed.cases import CASES, Case
from bench.speed.corpus import FULL, SMALL, Corpus
from bench.speed.peers.running import Ground
from bench.speed.reading import Bench
from bench.speed.report import Run, page
from tests.clients import ROOT
from tests.parts import given
from tests.parts.processes import private_folder

OUTPUT = ROOT / "docs" / "performance.md"
_STANDARD = {True: SMALL, False: FULL}


def main(arguments: list[str]) -> int:
    """Run it and write the page."""
    options = _parse(arguments)
    database = given("postgres")
    if database is None:
        sys.exit("Run it as `python -m tests.parts postgres --durable -- python -m bench.speed`.")
    if not load.is_there():
        print(load.MISSING, "Cases of reading will be void.", file=sys.stderr)
    cases = [each for each in CASES if not options.only or each.key in options.only]
    wanted = [each for each in runner.NAMES if each not in runner.OTHERS]
    wanted += options.peers
    run = _run(database, cases, wanted, options, _command(arguments))
    text = page(run)
    if options.output == "-":
        print(text)
    else:
        Path(options.output).write_text(text)
    return 1 if _is_wrong(run) else 0


def _run(
    database: str,
    cases: Sequence[Case],
    wanted: Sequence[str],
    options: argparse.Namespace,
    command: str,
) -> Run:
    described, sizes = list(machine.described()), _STANDARD[options.small]
    with private_folder("speed") as folder, ExitStack() as stack:
        corpus = Corpus(folder, sizes)
        ground = Ground(corpus, database, [])
        absent = runner.started(stack, ground, wanted)
        running = [each for each in ground.running if each.name in wanted]
        bench = Bench(corpus, options.seconds, folder)
        results = runner.measured(running, cases, options.rounds, bench)
    there = {each.name for each in running}
    return Run(
        command=command,
        date=datetime.now(UTC).date().isoformat(),
        commit=machine.commit(),
        sizes=sizes,
        rounds=options.rounds,
        seconds=options.seconds,
        machine=described,
        versions=list(machine.versions([peer.pinned for peer in runner.PEERS if peer.pinned])),
        cases=cases,
        contestants=[each for each in runner.NAMES if each in there],
        registries=[each for each in runner.REGISTRIES if each in there],
        running=running,
        absent={each.name: each.reason for each in absent},
        results=results,
    )


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    keys = [case.key for case in CASES]
    parser.add_argument(
        "--only", action="append", choices=keys, metavar="CASE", help=", ".join(keys)
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=runner.OTHERS,
        default=list(runner.OTHERS),
        metavar="PEER",
        help=f"{', '.join(runner.OTHERS)}; none: --peers alone",
    )
    parser.add_argument("--seconds", type=_some, default=5, help="of each window of reading")
    parser.add_argument("--rounds", type=_some, default=3)
    parser.add_argument("--small", action="store_true", help="little of everything, to try it out")
    parser.add_argument("--output", default=str(OUTPUT), help="the page; - prints it")
    return parser.parse_args(arguments)


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give at least 1")
    return number


def _command(arguments: Sequence[str]) -> str:
    more = shlex.join(arguments)
    return f'make bench BENCH="{more}"' if more else "make bench"


def _is_wrong(run: Run) -> bool:
    """Say whether Larder could not start, or a cell of it is void for another reason than wrk."""
    names = [each for each in runner.NAMES if each.startswith("Larder")]
    cells = [run.results.cell(case.key, name) for case in run.cases for name in names]
    return not set(names) <= set(run.contestants) or any(
        cell.void and cell.void != load.MISSING for cell in cells
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
