"""Processes that tests watch: whether one is there, and waiting for what becomes of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

WITHIN = 20  # seconds; a busy machine takes its time


def is_running(pid: int) -> bool:
    """Say whether a process is there, and more than the memory of one."""
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()[:1] not in ("", "Z")


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + WITHIN
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
