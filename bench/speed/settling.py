"""Waiting until a contestant has done with what was asked of it.

When a load ends, a slow server still works at what nobody waits for any more; whoever is measured
next would share the cores with it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tests.journeys.memory import family

_LOOK_SECONDS = 0.25
_BUSY_TICKS = 2  # of the clock, in that time: a tenth of a core
_SECONDS_AT_MOST = 120
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
