"""gunicorn's first process: it reads Larder in, and those that it forks serve."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.clients import ROOT
from tests.journeys.larder import under
from tests.parts.processes import server
from tests.processes import wait_until

PROCESSES, CALLERS, ALIKE, TIMES = 2, 16, 5, 10
_READS_IN = """
import gc, sys, threading
from importlib import import_module
from unittest.mock import Mock
from portal.gunicorn import when_ready

server = Mock()
server.app.wsgi = lambda: import_module("portal.wsgi")
when_ready(server)

from django.db import connections
assert "portal.urls" in sys.modules
assert gc.get_freeze_count() > 100_000
# A process that is forked would not have the one, and must not share the other.
assert threading.active_count() == 1
assert all(each.connection is None for each in connections.all())
print("boto3" in sys.modules)
"""


@pytest.mark.parametrize(
    ("storage", "with_s3"),
    [({}, "False"), ({"LARDER_STORAGE_URL": "s3://larder?endpoint=http://127.0.0.1:9"}, "True")],
)
def test_it_reads_in_what_is_needed_and_begins_nothing(
    tmp_path: Path, storage: dict[str, str], with_s3: str
) -> None:
    known = {k: v for k, v in os.environ.items() if not k.startswith("LARDER_")}
    done = subprocess.run(
        [sys.executable, "-c", _READS_IN],
        cwd=ROOT,
        env=known | {"LARDER_HOME": str(tmp_path)} | storage,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == with_s3


def test_it_does_not_start_where_it_could_not_serve(tmp_path: Path) -> None:
    """A machine that is not prepared, and one whose home is a file."""
    assert "run `manage.py prepare` on this machine" in refusal_of(tmp_path)
    home = tmp_path / "home"
    home.write_text("")
    assert f"{home}/spool cannot be written: Not a directory" in refusal_of(home)


def refusal_of(home: Path) -> str:
    """Return what the server says before it ends."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("LARDER_")}
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:portal.gunicorn"]
    done = subprocess.run(
        [*gunicorn, "portal.wsgi"],
        cwd=ROOT,
        env=known
        | {
            "LARDER_HOME": str(home),
            "LARDER_BIND": "127.0.0.1:0",
            "LARDER_SECRET_KEY": secrets.token_urlsafe(48),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_its_processes_share_the_connections_with_none_that_was_killed(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text("from portal.gunicorn import child_exit, worker_class\nthreads = 8\n")

    def command(port: int) -> list[str]:
        settings = {"LARDER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(config), "--keep-alive=30"]
        both = [f"--workers={PROCESSES}", f"--bind=127.0.0.1:{port}"]
        return under(settings, [*gunicorn, *both, "tests.portal.who_answers:application"])

    with server(tmp_path, command) as running:
        one, other = shared_between(running.port)
        os.kill(one, signal.SIGKILL)
        both = shared_between(running.port)
    assert other in both
    assert one not in both


def shared_between(port: int) -> set[int]:
    """Return the processes between which sixteen callers are shared alike, again and again."""
    wait_until(lambda: len(who_answer(port)) == PROCESSES)
    found = [who_answer(port) for _ in range(TIMES)]
    alike = [each for each in found if len(each) == PROCESSES and min(each.values()) >= ALIKE]
    assert len(alike) > TIMES * 0.7, found
    return set(alike[-1])


def who_answer(port: int) -> Counter[int]:
    """Return how many callers, all there at once, each process answers."""
    time.sleep(0.05)  # those of before are gone
    with ExitStack() as stack:
        callers = [
            stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=30)))
            for _ in range(CALLERS)
        ]
        for caller in callers:
            caller.connect()
        return Counter(answered(caller) for caller in callers)


def answered(caller: HTTPConnection) -> int:
    caller.request("GET", "/")
    return int(caller.getresponse().read())
