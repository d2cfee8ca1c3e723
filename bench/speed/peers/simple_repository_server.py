"""simple-repository-server over a folder for each project; it knows no callers and no uploads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.speed.peers.running import Ground, Peer, Running, timed_server
from tests.clients import client
from tests.parts.processes import Server


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run one over the wheels, and one over the many projects of the root list."""
    with (
        _over(ground.corpus.packages) as (one, seconds),
        _over(ground.corpus.make_root_folders()) as (other, _),
    ):
        yield [
            Running(
                "simple-repository-server",
                pids=(one.pid,),
                start_seconds=seconds,
                index=f"http://127.0.0.1:{one.port}/simple/",
                root=f"http://127.0.0.1:{other.port}/simple/",
                notes=("it has no authentication",),
            )
        ]


@contextmanager
def _over(folder: Path) -> Iterator[tuple[Server, float]]:
    program = client("simple-repository-server", "upstreams")

    def command(port: int) -> list[str]:
        return [str(program), "--host", "127.0.0.1", "--port", str(port), str(folder)]

    with timed_server("simple-repository-server", command, "/simple/") as running:
        yield running


PEER = Peer(("simple-repository-server",), start, pinned="simple-repository-server")
