"""Starts who takes part, and runs a case against all of them in turn, round by round."""

from __future__ import annotations

import random
import subprocess
import sys
import traceback
import urllib.error
from collections.abc import Sequence
from contextlib import ExitStack

from bench.speed import load
from bench.speed.cases import Case
from bench.speed.peers.running import Ground, Peer, Running
from bench.speed.reading import Bench
from bench.speed.results import NOT_RUN, Measured, Results, Void
from bench.speed.settling import settle
from tests.parts import PartMissing
from tests.parts.processes import ServerDied

_DOES_NOT_START = (
    ServerDied,
    PartMissing,
    Void,
    subprocess.CalledProcessError,
    urllib.error.URLError,
    OSError,
)


def started(
    stack: ExitStack, ground: Ground, peers: Sequence[Peer], wanted: Sequence[str]
) -> dict[str, str]:
    """Start these and whom they need; return who could not be started, and why."""
    absent: dict[str, str] = {}
    for peer in peers:
        if not needed(peer, peers, wanted):
            continue
        _say(f"starting and filling {peer.names[0]}")
        try:
            ground.running.extend(stack.enter_context(peer.start(ground)))
        except _DOES_NOT_START as error:
            traceback.print_exc()
            absent |= dict.fromkeys(peer.names, _reason(error))
    return absent


def _reason(error: Exception) -> str:
    said = str(error).strip()[:300]
    return said if said.startswith(NOT_RUN) else f"could not be started: {said}"


def needed(peer: Peer, peers: Sequence[Peer], wanted: Sequence[str]) -> bool:
    """Say whether somebody wants this one, or one of the others that needs it."""
    if set(peer.names) & set(wanted):
        return True
    return any(
        set(peer.names) & set(other.needs) and needed(other, peers, wanted) for other in peers
    )


def measure(
    cases: Sequence[Case], running: Sequence[Running], rounds: int, bench: Bench, results: Results
) -> None:
    """Run cases that are compared with each other against all, in another order in each round."""
    order = random.Random(cases[0].key)  # noqa: S311 - the same order each time
    for number in range(rounds):
        for case in [each for each in cases if each.repeated or number == 0]:
            for each in order.sample(running, len(running)):
                _measure(case, each, bench, results)
                if not settle(each.pids):
                    _say(f"{each.name} is still busy with {case.title}")
            _say(f"{case.title}, round {number + 1}: {_seen(case, running, results)}")


def _measure(case: Case, running: Running, bench: Bench, results: Results) -> None:
    cells = [results.cell(row.key, running.name) for row in case.rows]
    if any(cell.void for cell in cells):
        return
    try:
        told = _told(case, running, bench)
    except Void as reason:
        void(case, running.name, str(reason), results)
        return
    for row, cell, figure in zip(case.rows, cells, told, strict=True):
        cell.worst = row.worst
        cell.rounds.append(figure)


def _told(case: Case, running: Running, bench: Bench) -> tuple[Measured, ...]:
    if case.needs_wrk and not load.is_there():
        raise Void(load.MISSING)
    try:
        told = case.measure(running, bench)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        traceback.print_exc()
        raise Void(f"the measurement failed: {error}") from error
    return told if isinstance(told, tuple) else (told,)


def void(case: Case, name: str, reason: str, results: Results) -> None:
    """Make all that a case tells of a contestant void."""
    for row in case.rows:
        results.cell(row.key, name).void = reason


def _seen(case: Case, running: Sequence[Running], results: Results) -> str:
    told = []
    for each in running:
        cell = results.cell(case.key, each.name)
        told.append(f"{each.name} {cell.rounds[-1].value:.1f}" if not cell.void else each.name)
    return ", ".join(told)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
