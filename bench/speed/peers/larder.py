"""Larder on PostgreSQL, twice over the same rows and blobs: gunicorn alone, and as in deploy/.

Extraction is put off until long after the bench, as a quiet period puts it off after each upload:
it would be work that no other contestant does, at a time that depends on who came before.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.speed.corpus import Corpus
from bench.speed.peers.running import Ground, Peer, Running, basic, seconds_until, timed_server
from bench.speed.sending import send_all
from tests.journeys import larder as larders
from tests.journeys.front import nginx
from tests.journeys.larder import Larder, procfile, under
from tests.journeys.remotes import make_remote

ALONE, IN_PRODUCTION = "Larder alone", "Larder in production"
EXTRACTION_WAITS = "extraction of metadata is put off until after the bench"
_VIRTUALS = (1, 5, 30)
_CALLERS = 8
_PREPARE = """
import sys, django
django.setup()
from bench.speed.peers.larder_inside import main
main(int(sys.argv[1]))
"""


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Fill one installation, and run the production set-up over it as well."""
    with larders.on_postgres(ground.database) as larder:
        _make_repositories(larder)
        larder.python(_PREPARE, str(len(ground.corpus.root_names)))
        notes = (
            "gunicorn with two processes, PostgreSQL, and a folder for the files",
            EXTRACTION_WAITS,
        )
        alone = _running(larder, ALONE, (larder.web,), 0.0, notes)
        _fill(larder, ground.corpus)
        with psycopg.connect(larder.environment["LARDER_DATABASE_URL"], autocommit=True) as rows:
            rows.execute("VACUUM ANALYZE")
        page, reader = f"{urlsplit(alone.index).path}{ground.corpus.hot}/", alone.reader
        with web(larder.environment, "Procfile", page, reader) as (_, seconds):
            alone = replace(alone, start_seconds=seconds)
        with _in_production(larder, page, reader) as running:
            yield [alone, running]


@contextmanager
def _in_production(larder: Larder, page: str, reader: str) -> Iterator[Running]:
    """Run nginx, edge and gunicorn as deploy/ has them, one after the other."""
    behind = replace(larder, environment={**larder.environment, **larders.BEHIND_NGINX})
    home = Path(larder.environment["LARDER_HOME"])
    began = time.monotonic()
    with (
        web(behind.environment, "deploy/Procfile", page, reader) as (port_and_pid, _),
        larders.edge(behind) as edge,
        nginx(port_and_pid[0], edge.port, home) as front,
    ):
        url = f"http://127.0.0.1:{front.port}"
        seconds = seconds_until(f"{url}{page}", began, Authorization=reader)
        pids = (port_and_pid[1], edge.pid, front.pid)
        notes = ("the same behind nginx and the edge, as deploy/ has them",)
        yield _running(replace(behind, url=url), IN_PRODUCTION, pids, seconds, notes)


@contextmanager
def web(
    environment: Mapping[str, str], file: str, page: str, reader: str
) -> Iterator[tuple[tuple[int, int], float]]:
    """Run gunicorn; yield port and process id, and how long it took until it answered a page."""

    def command(port: int) -> list[str]:
        return under({**environment, "LARDER_BIND": f"127.0.0.1:{port}"}, procfile("web", file))

    with timed_server("web", command, page, reader) as (running, seconds):
        yield (running.port, running.pid), seconds


def _running(
    larder: Larder, name: str, pids: tuple[int, ...], seconds: float, notes: tuple[str, ...]
) -> Running:
    acme = f"{larder.url}/acme/"
    return Running(
        name,
        pids=pids,
        start_seconds=seconds,
        index=f"{acme}bench/simple/",
        root=f"{acme}many/simple/",
        upload=f"{acme}bench/",
        root_upload=f"{acme}many/",
        reader=basic("__token__", larder.reader),
        writer=basic("__token__", larder.writer),
        virtuals={number: f"{acme}virtual-{number}/simple/" for number in _VIRTUALS},
        mirror=partial(_mirror, larder),
        notes=notes,
    )


@contextmanager
def _mirror(larder: Larder, index: str) -> Iterator[str]:
    yield make_remote(larder, f"remote-{secrets.token_hex(4)}", index).simple


def _make_repositories(larder: Larder) -> None:
    empty = [f"acme/member-{number}" for number in range(max(_VIRTUALS) - 1)]
    locals_ = ["acme/bench", "acme/many", "acme/last", *empty]
    virtuals = []
    for number in _VIRTUALS:
        members = [*empty[: number - 1], "acme/last"]
        given = [part for member in members for part in ("--member", member)]
        virtuals.append(
            ["create_repository", f"acme/virtual-{number}", "--kind", "virtual", *given]
        )
    larder.manage(
        *(["create_repository", name] for name in locals_),
        *(
            ["grant", name, "--team", "packagers", "--role", "writer"]
            for name in ("acme/bench", "acme/many", "acme/last")
        ),
        *virtuals,
    )


def _fill(larder: Larder, corpus: Corpus) -> None:
    """Publish all wheels to one repository, and those of the virtuals' page to their last member.

    It is another one, as devpi's is, so that an upload is not looked for in virtuals.
    """
    writer = basic("__token__", larder.writer)
    send_all(f"{larder.url}/acme/bench/", writer, list(corpus.wheels()), callers=_CALLERS)
    send_all(f"{larder.url}/acme/last/", writer, corpus.small[corpus.hot], callers=1)


PEER = Peer((ALONE, IN_PRODUCTION), start)
