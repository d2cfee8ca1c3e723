"""Starts who takes part, and runs each case against all of them in turn, round by round."""

from __future__ import annotations

import random
import subprocess
import sys
import traceback
import urllib.error
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.speed import load
from bench.speed.cases import Case
from bench.speed.peers import devpi, larder, proxpi, pypiserver, simple_repository_server, static
from bench.speed.peers.running import Ground, Peer, Running
from bench.speed.reading import Bench
from bench.speed.results import Results, Void
from bench.speed.settling import settle
from tests.parts import PartMissing
from tests.parts.processes import ServerDied

# In this order they start.
PEERS: tuple[Peer, ...] = (
    larder.PEER,
    static.PEER,
    devpi.PEER,
    pypiserver.PEER,
    simple_repository_server.PEER,
    proxpi.PEER,
)
# In this order the table has them.
NAMES = (
    static.NAME,
    larder.ALONE,
    larder.IN_PRODUCTION,
    *(name for peer in PEERS[2:] for name in peer.names),
)
OTHERS = NAMES[3:]
# Those that keep files themselves: with them we compare ourselves.
REGISTRIES = tuple(name for name in OTHERS if name not in proxpi.PEER.names)
_DOES_NOT_START = (
    ServerDied,
    PartMissing,
    Void,
    subprocess.CalledProcessError,
    urllib.error.URLError,
    OSError,
)


@dataclass
class Absent:
    """Who was asked for and could not take part, and why."""

    name: str
    reason: str


def started(stack: ExitStack, ground: Ground, wanted: Sequence[str]) -> list[Absent]:
    """Start these and whom they need; return who could not be started."""
    absent = []
    for peer in PEERS:
        if not needed(peer, wanted):
            continue
        name = peer.names[0]
        _say(f"starting and filling {name}")
        try:
            ground.running.extend(stack.enter_context(peer.start(ground)))
        except _DOES_NOT_START as error:
            traceback.print_exc()
            absent += [Absent(each, str(error).strip()[:300]) for each in peer.names]
    return absent


def needed(peer: Peer, wanted: Sequence[str]) -> bool:
    """Say whether somebody wants this one, or one who needs it."""
    if set(peer.names) & set(wanted):
        return True
    return any(set(peer.names) & set(other.needs) and needed(other, wanted) for other in PEERS)


def measured(
    running: Sequence[Running], cases: Sequence[Case], rounds: int, bench: Bench
) -> Results:
    """Run the cases one after the other, each against all in another order in each round."""
    results = Results()
    order = random.Random(1)  # noqa: S311 - the same order each time
    for case in cases:
        for number in range(rounds if case.repeated else 1):
            for each in order.sample(running, len(running)):
                _measure(case, each, bench, results)
                if not settle(each.pids):
                    _say(f"{each.name} is still busy with {case.title}")
            _say(f"{case.title}, round {number + 1}: {_seen(case, running, results)}")
    return results


def _measure(case: Case, running: Running, bench: Bench, results: Results) -> None:
    cell = results.cell(case.key, running.name)
    if case.needs_wrk and not load.is_there():
        cell.void = load.MISSING
    if cell.void:
        return
    try:
        cell.rounds.append(case.measure(running, bench))
    except Void as reason:
        cell.void = str(reason)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        traceback.print_exc()
        cell.void = f"the measurement failed: {error}"


def _seen(case: Case, running: Sequence[Running], results: Results) -> str:
    told = []
    for each in running:
        cell = results.cell(case.key, each.name)
        told.append(f"{each.name} {cell.rounds[-1].value:.1f}" if not cell.void else each.name)
    return ", ".join(told)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
