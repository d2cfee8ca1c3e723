"""`make run` in a fresh checkout: starts everything, stops everything, and keeps everything."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients import ROOT
from tests.journeys.admin import Admin
from tests.journeys.larder import is_ready

_SECONDS = 120
_LAST_SECONDS = 1
CTRL_C = b"\x03"
# Gives the command a terminal of its own, so that Ctrl-C typed into it reaches all of its group.
_ON_A_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, with the environment that runs the tests as its .venv."""
    tree = tmp_path_factory.mktemp("checkout")
    listing = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    venv = tree / ".venv"
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.suffix != ".txt":
            (venv / entry.name).symlink_to(entry)
    # What make compares to know that all is installed.
    shutil.copyfile(tree / "requirements" / "base.txt", venv / "base.txt")
    return tree


class Run:
    """One `make run` on a terminal of its own."""

    def __init__(self, checkout: Path, port: int) -> None:
        self.port = port
        self._terminal, theirs = pty.openpty()
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LARDER_")
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ON_A_TERMINAL, "make", "run"],
            cwd=checkout,
            env=environment | {"LARDER_BIND": f"127.0.0.1:{port}"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        os.set_blocking(self._terminal, False)
        self._said = b""

    @property
    def said(self) -> str:
        """What stands on the terminal so far."""
        try:
            while chunk := os.read(self._terminal, 65536):
                self._said += chunk
        except OSError:  # nothing more now, or the terminal is closed
            pass
        return self._said.decode(errors="replace")

    def await_(self, what: Callable[[], bool]) -> None:
        """Wait until `what` holds, reading the terminal meanwhile, or fail with what it shows."""
        until = time.monotonic() + _SECONDS
        while not what():
            assert self._process.poll() is None, self.said
            assert time.monotonic() < until, f"{self.said}\n{self.processes()}"
            time.sleep(0.1)
            _ = self.said

    def processes(self) -> dict[int, str]:
        """Return the processes beneath make, with their commands."""
        listed = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,ppid=,command="],
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        family = {self._process.pid: "make"}
        for pid, parent, command in sorted(rows, key=lambda row: int(row[0])):
            if int(parent) in family:
                family[int(pid)] = command
        return family

    def has_started_everything(self) -> bool:
        """Say whether web server, worker and beat are there."""
        commands = " ".join(self.processes().values())
        parts = ("gunicorn --config", "portal.celery worker", "portal.celery beat")
        return all(part in commands for part in parts)

    def press_ctrl_c(self) -> int:
        """Press Ctrl-C and return make's exit code."""
        os.write(self._terminal, CTRL_C)
        until = time.monotonic() + _SECONDS
        while self._process.poll() is None and time.monotonic() < until:
            _ = self.said
            time.sleep(0.1)
        return self._process.wait(timeout=1)

    def close(self) -> None:
        """End what the test left running, each by its own id."""
        if self._process.poll() is None:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._terminal)


@contextmanager
def make_run(checkout: Path) -> Iterator[Run]:
    """Run `make run` until the block ends; enter it when Larder answers and all is started."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    run = Run(checkout, port)
    try:
        run.await_(lambda: is_ready(port))
        run.await_(run.has_started_everything)
        yield run
    finally:
        run.close()


def test_make_run_starts_stops_and_keeps_everything(checkout: Path) -> None:
    with make_run(checkout) as first:
        assert f"http://127.0.0.1:{first.port}/" in first.said
        (password,) = re.findall(r"Password\s+(\S+)", first.said)
        with Admin(f"http://127.0.0.1:{first.port}", "admin", password) as admin:
            admin.add("accounts/tenant", slug="acme", name="Acme")
        assert_ctrl_c_ends_it(first)
    with make_run(checkout) as second:
        assert "Password" not in second.said
        assert password not in second.said
        with Admin(f"http://127.0.0.1:{second.port}", "admin", password) as admin:
            assert admin.find("accounts/tenant", "acme")
        assert_ctrl_c_ends_it(second)


def assert_ctrl_c_ends_it(run: Run) -> None:
    """Press Ctrl-C: nothing fails, and nothing that was started is left."""
    family = run.processes()
    assert len(family) > 6, family
    # GNU make ends by the signal that it got, once its children have ended well.
    assert run.press_ctrl_c() in {0, -signal.SIGINT}, run.said
    assert not re.search(r"Traceback|make: \*\*\*|Error \d", run.said), run.said
    # Python itself takes a moment to end after its last word.
    until = time.monotonic() + _LAST_SECONDS
    while left := [f"{pid} {command}" for pid, command in family.items() if is_alive(pid)]:
        assert time.monotonic() < until, f"{run.said}\n{left}"
        time.sleep(0.1)
    assert not is_ready(run.port)


def is_alive(pid: int) -> bool:
    """Say whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
