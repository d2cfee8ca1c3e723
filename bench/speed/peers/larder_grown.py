"""Larder with few files and with many, each with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.speed.peers.larder import EXTRACTION_WAITS, web
from bench.speed.peers.running import Ground, Peer, Running, basic
from tests.journeys import larder as larders

FEW, MANY = "Larder, few files", "Larder, many files"
FILES = 10  # of each project
_STOCK = """
import sys, django
django.setup()
from bench.speed.peers.larder_inside import let_extraction_wait
from repos.models import Repository
from tests.crowds import stock_into
let_extraction_wait()
stock_into(Repository.objects.get(tenant__slug="acme", key="bench"), int(sys.argv[1]))
"""


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Fill two installations by statements of PostgreSQL's, and start each anew over its rows."""
    sizes = ground.corpus.sizes
    with (
        _of(ground, FEW, sizes.few) as few,
        _of(ground, MANY, sizes.many) as many,
    ):
        yield [few, many]


@contextmanager
def _of(ground: Ground, name: str, files: int) -> Iterator[Running]:
    with larders.on_postgres(ground.database) as larder:
        larder.manage(
            ["create_repository", "acme/bench"],
            ["grant", "acme/bench", "--team", "packagers", "--role", "writer"],
        )
        larder.python(_STOCK, str(files // FILES))
        reader = basic("__token__", larder.reader)
        page = f"/acme/bench/simple/{project(files // FILES)}/"
        with web(larder.environment, "Procfile", page, reader) as ((port, pid), seconds):
            url = f"http://127.0.0.1:{port}/"
            yield Running(
                name,
                pids=(pid,),
                start_seconds=seconds,
                index=f"{url}acme/bench/simple/",
                upload=f"{url}acme/bench/",
                reader=reader,
                writer=basic("__token__", larder.writer),
                projects=files // FILES,
                notes=(f"{files:,} files in {files // FILES:,} projects", EXTRACTION_WAITS),
            )


def project(number: int) -> str:
    """Return the name of one of the projects, which count from 1."""
    return f"acme-{number}"


PEER = Peer((FEW, MANY), start)
