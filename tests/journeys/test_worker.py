"""The worker is woken through the broker: a folder, and PostgreSQL itself (pgmq)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.clients import ROOT
from tests.journeys.larder import Larder, under

_DAYS = 2 * 24 * 3600
_SECONDS = 30
_RING = "from portal.celery import app; app.send_task('packages.sweep')"


def test_a_message_makes_the_worker_sweep(larder: Larder) -> None:
    """What an upload left on disk two days ago is gone soon after the doorbell rang."""
    spool = Path(larder.environment["LARDER_HOME"]) / "spool"
    spool.mkdir(exist_ok=True)
    left = spool / "upload-left-behind"
    left.write_bytes(b"half of a wheel")
    then = time.time() - _DAYS
    os.utime(left, (then, then))
    subprocess.run(
        under(larder.environment, [sys.executable, "-c", _RING]), cwd=ROOT, check=True, timeout=60
    )
    until = time.monotonic() + _SECONDS
    while left.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not left.exists()
