"""proxpi before the static files, under gunicorn with one process, as its cache wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.speed.peers.running import Ground, Peer, Running, timed_server
from tests.clients import client
from tests.parts.processes import Server, private_folder


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run one for the wheels; what is asked for in the first place comes from nginx."""
    index, page = ground.named("nginx static").index, f"/index/{ground.corpus.hot}/"
    with _before(index, page) as (running, seconds):
        yield [
            Running(
                "proxpi",
                pids=(running.pid,),
                start_seconds=seconds,
                index=f"http://127.0.0.1:{running.port}/index/",
                mirror=_mirror,
                notes=("a warm cache of the static files; it has no authentication",),
            )
        ]


@contextmanager
def _mirror(index: str) -> Iterator[str]:
    """Run another one, as it knows one index and remembers what it had."""
    with _before(index, "/health") as (running, _):
        yield f"http://127.0.0.1:{running.port}/index/"


@contextmanager
def _before(index: str, page: str) -> Iterator[tuple[Server, float]]:
    program = client("proxpi", "upstreams").with_name("gunicorn")
    with private_folder("proxpi") as folder:
        settings = {"PROXPI_INDEX_URL": index, "PROXPI_CACHE_DIR": str(folder)}
        given = ["env", *(f"{name}={value}" for name, value in settings.items())]
        options = ["--no-control-socket", "--worker-class", "gthread", "--threads", "24"]

        def command(port: int) -> list[str]:
            bound = ["--bind", f"127.0.0.1:{port}"]
            return [*given, str(program), *options, *bound, "proxpi.server:app"]

        with timed_server("proxpi-log", command, page) as running:
            yield running


PEER = Peer(("proxpi",), start, needs=("nginx static",), pinned="proxpi")
