"""Larder on one host and on two, over one PostgreSQL and one S3, each host with two processes.

All hosts here share the cores of one machine. What that costs is told by one host beside which
another installation, which it knows nothing of, serves as much from the other host. PostgreSQL's
processes count among those of an installation, and each has a PostgreSQL of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from urllib.parse import urlsplit

import psycopg

from bench.speed.corpus import Corpus
from bench.speed.peers.network import ADDRESS, Host, hosts
from bench.speed.peers.running import Ground, Peer, Running, basic, timed_server
from bench.speed.sending import send_all
from tests.journeys import larder as larders
from tests.journeys.larder import ADMIN_PASSWORD, Larder, procfile, under
from tests.parts import moto, postgres
from tests.parts.processes import private_folder

ONE, BESIDE, TWO = "Larder, one host", "Larder, one host beside others", "Larder, two hosts"
PROJECTS = 20  # at most, of the small ones
_REPOSITORY = "acme/bench"


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Fill an installation, and serve it from two hosts; the first of them is the one host too."""
    with ExitStack() as stack:
        first, second = stack.enter_context(hosts(2))
        larder, stranger = (stack.enter_context(_filled(ground.corpus)) for _ in range(2))
        served = [stack.enter_context(_web(larder, each)) for each in (first, second)]
        beside = _running(stranger, BESIDE, [stack.enter_context(_web(stranger, second))])
        one, two = (
            _running(larder, name, served[:number]) for name, number in ((ONE, 1), (TWO, 2))
        )
        yield [one, replace(one, name=BESIDE, beside=beside), two]


@contextmanager
def _filled(corpus: Corpus) -> Iterator[Larder]:
    """Run an installation with small projects, and a PostgreSQL and an S3 of its own."""
    with postgres(durable=True, address=ADDRESS) as database, moto(ADDRESS) as s3:
        settings = {
            "LARDER_STORAGE_URL": s3.url(),
            "LARDER_SECRET_KEY": secrets.token_urlsafe(48),
            "LARDER_TRUSTED_PROXIES": ADDRESS,
            **s3.environment(),
        }
        with larders.on_postgres(database, settings) as larder:
            larder.manage(
                ["create_repository", _REPOSITORY],
                ["grant", _REPOSITORY, "--team", "packagers", "--role", "writer"],
            )
            writer = basic("__token__", larder.writer)
            for wheels in islice(corpus.small.values(), PROJECTS):
                send_all(f"{larder.url}/{_REPOSITORY}/", writer, wheels, callers=1)
            yield larder


@contextmanager
def _web(larder: Larder, host: Host) -> Iterator[tuple[str, int]]:
    """Run gunicorn there, with a home of its own; yield its URL and process id."""
    with private_folder("home") as home:
        there = _from_there(larder) | {"LARDER_HOME": str(home)}
        replace(larder, environment=there).manage(["prepare"])

        def command(port: int) -> list[str]:
            bound = there | {"LARDER_BIND": f"{host.address}:{port}"}
            return host.command(under(bound, procfile("web")))

        with timed_server("web", command, "/-/ready", address=host.address) as (running, _):
            yield f"http://{host.address}:{running.port}/", running.pid


def _from_there(larder: Larder) -> dict[str, str]:
    """Return the settings, with the database where the hosts see it."""
    database = urlsplit(larder.environment["LARDER_DATABASE_URL"])
    there = database.netloc.replace("127.0.0.1", ADDRESS)
    return {**larder.environment, "LARDER_DATABASE_URL": database._replace(netloc=there).geturl()}


def _running(larder: Larder, name: str, served: Sequence[tuple[str, int]]) -> Running:
    urls = [url for url, _ in served]
    return Running(
        name,
        pids=(*(pid for _, pid in served), _postmaster(larder)),
        start_seconds=0.0,
        index=f"{urls[0]}{_REPOSITORY}/simple/",
        upload=f"{urls[0]}{_REPOSITORY}/",
        reader=basic("__token__", larder.reader),
        writer=basic("__token__", larder.writer),
        admin=basic("admin", ADMIN_PASSWORD),
        hosts=tuple(f"{url}{_REPOSITORY}/simple/" for url in urls),
    )


def _postmaster(larder: Larder) -> int:
    """Return the process id of the PostgreSQL of an installation."""
    with psycopg.connect(larder.environment["LARDER_DATABASE_URL"]) as connection:
        (told,) = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone() or ("",)
    return int(told.split()[0])


PEER = Peer((ONE, BESIDE, TWO), start)
