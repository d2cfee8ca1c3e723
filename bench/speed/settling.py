"""Waiting until a contestant has done with what was asked of it, and the machine with all else.

When a load ends, a slow server still works at what nobody waits for any more; whoever is measured
next would share the cores with it, as with whoever else uses this machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.journeys.memory import family

_LOOK_SECONDS = 0.25
_BUSY_TICKS = 2  # of the clock, in that time: a tenth of a core
_SECONDS_AT_MOST = 120
_BUSY_SHARE = 0.2  # of all cores
_IDLE = slice(3, 5)  # of the numbers of /proc/stat: idle, and waiting for a disk
_GUESTS = 8  # where those begin that are counted among the others already
_TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds
_UTIME = 11  # its place in /proc/<pid>/stat after the name; stime is the next


def settle(pids: Sequence[int]) -> bool:
    """Wait until these processes and those beneath them rest; say whether they do.

    Without /proc nobody can tell, and nobody waits.
    """
    if not Path("/proc/self/stat").exists():
        return True
    until = time.monotonic() + _SECONDS_AT_MOST
    before = ticks(pids)
    while time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        now = ticks(pids)
        if now - before <= _BUSY_TICKS:
            return True
        before = now
    return False


def await_quiet() -> bool:
    """Wait until this machine does little for a second; say whether it does."""
    until = time.monotonic() + _SECONDS_AT_MOST
    while busy_share() > _BUSY_SHARE:
        if time.monotonic() > until:
            return False
    return True


def busy_share() -> float:
    """Return what share of the coming second the cores are busy; 0 where nobody can tell."""
    known = Path("/proc/stat")
    if not known.exists():
        return 0.0

    def cores() -> tuple[int, int]:
        spent = [int(each) for each in known.read_text().split("\n", 1)[0].split()[1:]][:_GUESTS]
        return sum(spent) - sum(spent[_IDLE]), sum(spent)

    busy_before, all_before = cores()
    time.sleep(1)
    busy, all_ = cores()
    return (busy - busy_before) / max(1, all_ - all_before)


class Work:
    """How much processes, and those beneath them, have worked since it was begun."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._before = ticks(pids)

    def milliseconds(self) -> float:
        """Return it; 0 where nobody can tell."""
        return (ticks(self._pids) - self._before) * _TICK

    def for_each(self, requests: int) -> str:
        """Say how much that is for each of so many requests; empty where nobody can tell."""
        milliseconds = self.milliseconds() / max(1, requests)
        if not milliseconds:
            return ""
        return f"{milliseconds:.1f} ms" if milliseconds >= 1 else f"{milliseconds * 1000:.0f} us"


def ticks(pids: Sequence[int]) -> int:
    """Return how long these processes and those beneath them have worked, in hundredths."""
    return sum(map(_ticks_of, (each for pid in pids for each in family(pid))))


def _ticks_of(pid: int) -> int:
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0  # it has ended
    fields = said.rpartition(")")[2].split()
    return int(fields[_UTIME]) + int(fields[_UTIME + 1])
