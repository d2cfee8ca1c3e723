"""The brokers that can wake Larder's workers, each as a LARDER_BROKER_URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from portal import broker
from tests.parts.missing import installed_by_apt, missing
from tests.parts.processes import executable, private_folder, server

HOMEBREW = (Path("/opt/homebrew/bin"), Path("/usr/local/bin"))


@contextmanager
def folder() -> Iterator[str]:
    """Yield the URL of an empty folder, the broker of the embedded default."""
    with private_folder("broker") as path:
        yield path.as_uri()


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps what it was told, and yield its URL."""
    program = _redis_server()
    with private_folder("redis") as path:
        command = [program, "--bind", "127.0.0.1", "--dir", str(path), "--save", ""]
        command += ["--appendonly", "yes"]
        with server(path, lambda port: [*command, "--port", str(port)]) as running:
            yield f"redis://127.0.0.1:{running.port}/0"


@contextmanager
def pgmq(database_url: str) -> Iterator[str]:
    """Turn a PostgreSQL database into a broker as well, by plain SQL, and yield its URL."""
    url = urlsplit(database_url)._replace(scheme="pgmq").geturl()
    broker.prepare(url)
    yield url


def _redis_server() -> str:
    found = executable("redis-server", *HOMEBREW)
    if found is None and installed_by_apt("redis-server"):
        found = executable("redis-server", *HOMEBREW)
    hint = "install it with `apt install redis-server` or `brew install redis`"
    return os.fspath(found or missing("Redis", hint))
