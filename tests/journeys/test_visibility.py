"""Visible means visible: the bench with few rounds, against both kinds of Larder."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.clients import ROOT
from tests.journeys.larder import Larder, Repository

ROUNDS = 100


def test_whoever_got_the_answer_finds_the_file(larder: Larder, repository: Repository) -> None:
    tokens = {"LARDER_WRITER": larder.writer, "LARDER_READER": larder.reader}
    done = subprocess.run(
        [sys.executable, "bench/visibility.py", "--rounds", str(ROUNDS), "--url", repository.url],
        cwd=ROOT,
        env=os.environ | tokens,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{ROUNDS} rounds" in done.stdout
    assert " 0 misses" in done.stdout
