"""One server process: started in a private folder on a free port, awaited, stopped by its pid.

Servers get a session of their own, so that Ctrl-C in the terminal reaches the tests first and the
servers are still there while the tests wind down.
"""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 120
STOP_SECONDS = 20
ATTEMPTS = 3


@dataclass(frozen=True)
class Server:
    """A running server: where it listens and which process it is."""

    port: int
    pid: int


@dataclass
class Mortal:
    """A running server that a test may kill; it comes back at the same port with what it kept."""

    port: int
    kill_and_restart: Callable[[], None]


class ServerDied(Exception):
    """A server ended, or did not answer in time, instead of starting."""


@contextmanager
def private_folder(part: str) -> Iterator[Path]:
    """Make a folder for one part and remove it with everything in it afterwards."""
    with _sigterm_is_ctrl_c(), tempfile.TemporaryDirectory(prefix=f"larder-{part}-") as name:
        yield Path(name).resolve()


@contextmanager
def server(
    folder: Path,
    command: Callable[[int], Sequence[str]],
    *,
    answers: Callable[[int], bool] | None = None,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Server]:
    """Run `command(port)` until the block ends; enter the block when the port answers."""
    process, port = _start(folder, command, answers or accepts, user)
    try:
        yield Server(port, process.pid)
    finally:
        _stop(process, stop_signal)


@contextmanager
def mortal_server(
    folder: Path,
    command: Callable[[int], Sequence[str]],
    *,
    answers: Callable[[int], bool] | None = None,
) -> Iterator[Mortal]:
    """Run `command(port)` until the block ends, as `server` does, whatever is killed meanwhile."""
    asks = answers or accepts
    process, port = _start(folder, command, asks, None)

    def kill_and_restart() -> None:
        nonlocal process
        # It leads a session of its own: what it has started goes with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process, _ = _start(folder, lambda _: command(port), lambda _: asks(port), None)

    try:
        yield Mortal(port, kill_and_restart)
    finally:
        _stop(process, signal.SIGTERM)


def _start(
    folder: Path,
    command: Callable[[int], Sequence[str]],
    answers: Callable[[int], bool],
    user: str | None,
) -> tuple[subprocess.Popen[bytes], int]:
    log = folder / "server.log"
    for _ in range(ATTEMPTS):  # somebody else may take the free port before the server does
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(port),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=group_of(user),
                extra_groups=[] if user else None,
            )
        try:
            if _awaited(process, port, answers):
                return process, port
        except BaseException:
            _stop(process, signal.SIGTERM)
            raise
        _stop(process, signal.SIGTERM)
    raise ServerDied(f"{command(0)[0]} did not start: {log.read_text(errors='replace')[-2000:]}")


def _awaited(process: subprocess.Popen[bytes], port: int, answers: Callable[[int], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if answers(port):
            return process.poll() is None
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # It leads a session of its own: the workers that it waited for go with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """Say whether somebody listens there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a loopback port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def _sigterm_is_ctrl_c() -> Iterator[None]:
    """Let SIGTERM unwind the block as Ctrl-C does; by default Python would just end."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def group_of(user: str | None) -> int | None:
    """Return the group of a user that a server should run as."""
    return pwd.getpwnam(user).pw_gid if user else None


def executable(name: str, *folders: Path) -> Path | None:
    """Return the first executable of that name in the folders, then on PATH."""
    candidates = [folder / name for folder in folders]
    candidates += [Path(folder) / name for folder in os.get_exec_path()]
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def children_of(pid: int) -> list[int]:
    """Return the process ids of the living children of a process that we started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def kill(pid: int) -> bool:
    """End a process without a word; say whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
