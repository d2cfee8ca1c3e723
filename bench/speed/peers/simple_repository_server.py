"""simple-repository-server over a folder for each project; it knows no callers and no uploads.

Its own command starts one process; uvicorn, which that command calls, starts two of it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.speed.peers.running import Ground, Peer, Running, timed_server
from tests.clients import client
from tests.parts.processes import Server, private_folder

_APPLICATION = """
from simple_repository_server.__main__ import create_app
application = create_app([{folder!r}])
"""


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run one over the wheels, and one over the many projects of the root list."""
    with (
        _over(ground.corpus.packages, f"/simple/{ground.corpus.hot}/") as (one, seconds),
        _over(ground.corpus.make_root_folders(), "/simple/") as (other, _),
    ):
        yield [
            Running(
                "simple-repository-server",
                pids=(one.pid,),
                start_seconds=seconds,
                index=f"http://127.0.0.1:{one.port}/simple/",
                root=f"http://127.0.0.1:{other.port}/simple/",
                notes=("two processes", "it has no authentication"),
            )
        ]


@contextmanager
def _over(folder: Path, page: str) -> Iterator[tuple[Server, float]]:
    program = client("simple-repository-server", "upstreams").with_name("uvicorn")
    with private_folder("simple-repository-server") as home:
        (home / "one.py").write_text(_APPLICATION.format(folder=str(folder)))
        options = ["--app-dir", str(home), "--workers", "2", "--host", "127.0.0.1"]

        def command(port: int) -> list[str]:
            return [str(program), *options, "--port", str(port), "one:application"]

        with timed_server("simple-repository-server-log", command, page) as running:
            yield running


PEER = Peer(("simple-repository-server",), start, pinned="simple-repository-server")
