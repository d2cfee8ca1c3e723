"""The process that fetches a file is killed: nothing is left, and the next caller gets the file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from random import Random

from tests import dists
from tests.journeys import larder as larders
from tests.journeys.larder import Larder
from tests.journeys.machine import sha256_of
from tests.journeys.remotes import make_remote
from tests.journeys.wire import request
from tests.upstreams import Asked, Reply, serving

NOISE = Random(3).randbytes(2_000_000)  # noqa: S311 - it only must not be packed small
NAME, CONTENT = dists.make_wheel("frog", "1.0", files={"frog/noise": NOISE})


def test_the_next_caller_gets_the_file_that_a_killed_process_was_fetching() -> None:
    go_on = threading.Event()

    def slow() -> Iterator[bytes]:
        yield CONTENT[:1_000_000]
        go_on.wait(30)
        yield CONTENT[1_000_000:]

    def reply(_: Asked) -> Reply:
        return Reply(slow(), length=len(CONTENT))

    with larders.embedded() as larder, serving() as upstream:
        upstream.add_files("frog", (NAME, CONTENT))
        upstream.replies[f"/files/{NAME}"] = reply
        remote = make_remote(larder, "killed", upstream.url)
        url = f"{remote.url}files/frog/{sha256_of(CONTENT)}/{NAME}"
        with contextlib.suppress(OSError, HTTPException), request("GET", url, larder.reader) as cut:
            assert len(cut.read(100_000)) == 100_000
            kill_the_workers(larder)
            assert len(cut.read()) < len(CONTENT)
        go_on.set()
        larder.await_ready()
        began = time.monotonic()
        with request("GET", url, larder.reader) as again:
            assert again.status == 200
            assert again.read() == CONTENT
        # Until the heart of the dead process has not been heard for long enough.
        assert time.monotonic() - began < 20
        assert upstream.count(f"/files/{NAME}") == 2


def kill_the_workers(larder: Larder) -> None:
    """Kill the web server's processes, not the one that watches them."""
    command = ["ps", "-o", "pid=", "--ppid", str(larder.web)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    for pid in listed.stdout.split():
        os.kill(int(pid), signal.SIGKILL)
