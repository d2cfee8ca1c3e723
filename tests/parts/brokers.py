"""The brokers that can wake Larder's workers, each as a LARDER_BROKER_URL."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from portal import broker
from tests.parts.missing import installed_by_apt, missing
from tests.parts.processes import executable, free_port, mortal_server, private_folder

HOMEBREW = (Path("/opt/homebrew/bin"), Path("/usr/local/bin"))


@contextmanager
def folder() -> Iterator[str]:
    """Yield the URL of an empty folder, the broker of the embedded default."""
    with private_folder("broker") as path:
        yield path.as_uri()


@dataclass(frozen=True)
class MortalBroker:
    """The URL of a broker that a test may kill, and how."""

    url: str
    kill_and_restart: Callable[[], None]


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps what it was told, and yield its URL."""
    with mortal_redis() as broker:
        yield broker.url


@contextmanager
def mortal_redis() -> Iterator[MortalBroker]:
    """Run a Redis that keeps what it was told, killed or not."""
    program = _program("redis-server", "Redis", package="redis-server", formula="redis")
    with private_folder("redis") as path:
        command = [program, "--bind", "127.0.0.1", "--dir", str(path), "--save", ""]
        command += ["--appendonly", "yes"]
        with mortal_server(path, lambda port: [*command, "--port", str(port)]) as running:
            yield MortalBroker(f"redis://127.0.0.1:{running.port}/0", running.kill_and_restart)


@contextmanager
def rabbitmq() -> Iterator[str]:
    """Run a RabbitMQ and yield its URL."""
    with mortal_rabbitmq() as broker:
        yield broker.url


@contextmanager
def mortal_rabbitmq() -> Iterator[MortalBroker]:
    """Run a RabbitMQ that keeps its durable queues, killed or not."""
    program = _program(
        "rabbitmq-server",
        "RabbitMQ",
        package="rabbitmq-server",
        formula="rabbitmq",
        # Debian's own command changes the user, and with it the folder.
        folders=(Path("/usr/lib/rabbitmq/bin"),),
    )
    with private_folder("rabbitmq") as path:
        names = free_port()  # Erlang's own name service, and its nodes, of this server alone
        try:
            with mortal_server(
                path, lambda port: _rabbitmq(program, path, port, names), answers=_speaks_amqp
            ) as running:
                url = f"amqp://guest:guest@127.0.0.1:{running.port}//"
                yield MortalBroker(url, running.kill_and_restart)
        finally:
            # It outlives the server, and leads a session of its own.
            quit_it = ["epmd", "-port", str(names), "-kill"]
            subprocess.run(quit_it, check=False, capture_output=True)


def _rabbitmq(program: str, path: Path, port: int, names: int) -> list[str]:
    settings = {
        "HOME": str(path),
        "RABBITMQ_NODENAME": f"larder-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(path / "data"),
        "RABBITMQ_LOG_BASE": str(path / "log"),
        "RABBITMQ_PID_FILE": str(path / "pid"),
        "RABBITMQ_CONFIG_FILE": str(path / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(path / "plugins"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
    }
    return ["env", *(f"{name}={value}" for name, value in settings.items()), program]


def _speaks_amqp(port: int) -> bool:
    """Say whether the server answers a greeting; its port is open before it does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(8))
    except OSError:
        return False


@contextmanager
def pgmq(database_url: str) -> Iterator[str]:
    """Turn a PostgreSQL database into a broker as well, by plain SQL, and yield its URL."""
    url = urlsplit(database_url)._replace(scheme="pgmq").geturl()
    broker.prepare(url)
    yield url


def _program(
    name: str, part: str, *, package: str, formula: str, folders: tuple[Path, ...] = ()
) -> str:
    found = executable(name, *folders, *HOMEBREW)
    if found is None and installed_by_apt(package):
        found = executable(name, *folders, *HOMEBREW)
    hint = f"install it with `apt install {package}` or `brew install {formula}`"
    return os.fspath(found or missing(part, hint))
