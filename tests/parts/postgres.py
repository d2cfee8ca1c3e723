"""A PostgreSQL server of our own: fresh cluster, one database `larder`, gone afterwards.

It listens on loopback TCP because one URL form then serves Django, psycopg and the `pgmq://`
broker alike. Its default collation is that of a language, as in production and unlike SQLite's,
so that an order that silently relied on bytes shows up here.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.parts.missing import installed_by_apt, missing
from tests.parts.processes import group_of, private_folder, server

HINT = "install it with `apt install postgresql` or `brew install postgresql`"
FOLDERS = (  # Debian, Homebrew on either processor
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


@contextmanager
def postgres(*, durable: bool = False, address: str = "") -> Iterator[str]:
    """Run PostgreSQL and yield a LARDER_DATABASE_URL; `durable` keeps fsync on, for crash tests.

    `address` is a further one at which it answers the neighbours of that address.
    """
    binaries = _binaries()
    user = _unprivileged_user()
    with private_folder("postgres") as folder:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        _initdb(binaries, data, user)
        command = [str(binaries / "postgres"), "-D", str(data), "-c", "max_connections=200"]
        if address:
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {address}/24 trust\n")
        where = ",".join(["127.0.0.1", *([address] if address else [])])
        command += ["-c", f"listen_addresses={where}", "-c", "unix_socket_directories="]
        if not durable:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off"]
            command += ["-c", "full_page_writes=off"]
        with server(
            folder,
            lambda port: [*command, "-p", str(port)],
            answers=_answers,
            user=user,
            stop_signal=signal.SIGINT,  # PostgreSQL: a fast shutdown, clients are cut off
        ) as running:
            with psycopg.connect(_url(running.port, "postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE larder")
            yield _url(running.port, "larder")


def _initdb(binaries: Path, data: Path, user: str | None) -> None:
    command = [str(binaries / "initdb"), "--no-sync", "-A", "trust", "-U", "larder", "-E", "UTF8"]
    command += ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US", "-D", str(data)]
    done = subprocess.run(
        command,
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=group_of(user),
        extra_groups=[] if user else None,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _binaries() -> Path:
    found = _newest()
    if found is None and installed_by_apt("postgresql"):
        found = _newest()
    return found or missing("PostgreSQL", HINT)


def _newest() -> Path | None:
    """Return the folder of the newest server here; `pg_config` may belong to a client alone."""
    folders = [path for pattern in FOLDERS for path in Path("/").glob(pattern[1:])]
    folders.sort(key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))])
    folders.reverse()
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(told.stdout.strip()))
    folders += [Path(folder) for folder in os.get_exec_path()]
    needed = ("initdb", "postgres")
    return next((path for path in folders if all((path / name).exists() for name in needed)), None)


def _unprivileged_user() -> str | None:
    """Return who runs the server when we are root, as PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(_url(port, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _url(port: int, database: str) -> str:
    return f"postgres://larder@127.0.0.1:{port}/{database}"
