"""A Larder started as production starts it: prepared, then the Procfile's web server and worker.

Two of them: `production` keeps everything in PostgreSQL, S3 and pgmq, `embedded` in a folder. Each
has people in two tenants, made by the management commands that an administrator would use.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests import parts
from tests.canaries import require_none_in, watch
from tests.clients import NOBODY_LISTENS, ROOT
from tests.parts.processes import Server, private_folder, server

ADMIN_PASSWORD = "a-password-of-the-journeys"
# What deploy/nginx.conf wants of the Larder behind it.
BEHIND_NGINX = {
    "LARDER_ACCEL_PREFIX": "/-/blobs",
    "LARDER_PAGES_PREFIX": "/-/pages",
    "LARDER_TRUSTED_PROXIES": "127.0.0.1",
}
_APPLICATION = "portal.wsgi"
_BACK_WITHIN = 60  # seconds
_TELL_A_SECRET = {"create_user", "create_token", "set_password"}
# Starting manage.py takes seconds, so repositories are made a dozen at a time.
_SPARE = 12
_SEVERAL_COMMANDS = """
import io, json, sys
import django
from django.core.management import call_command
django.setup()
said = []
for command in json.loads(sys.argv[1]):
    output = io.StringIO()
    call_command(*command, stdout=output)
    said.append(output.getvalue().strip())
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Repository:
    """A local repository: everybody in its tenant reads it, the tenant's packagers publish."""

    url: str  # with a slash at the end

    @property
    def simple(self) -> str:
        """The URL that installers are given."""
        return f"{self.url}simple/"

    @property
    def name(self) -> str:
        """Tenant and key."""
        return urlsplit(self.url).path.strip("/")


@dataclass
class Larder:
    """A running Larder: its URL, its processes, its people's tokens."""

    url: str
    web: int  # the process id of gunicorn's master
    environment: Mapping[str, str]
    logs: Sequence[Path]
    writer: str = ""  # the token of wes, who may publish to acme's repositories
    reader: str = ""  # of ray, who may read them
    stranger: str = ""  # of gwen, a writer of another tenant
    admin: str = ""  # of the administrator, in the default tenant
    _spare: list[Repository] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def manage(self, *commands: Sequence[str]) -> list[str]:
        """Run management commands in one process and return what each said."""
        program = [sys.executable, "-c", _SEVERAL_COMMANDS, json.dumps(commands)]
        said = list(json.loads(_run(program, self.environment).splitlines()[-1]))
        for (name, *_), secret in zip(commands, said, strict=True):
            if name in _TELL_A_SECRET:
                watch(secret)
        return said

    def problems(self) -> list[str]:
        """Return what does not add up in rows and storage, two days on (tests.journeys.inventory).

        Only for when nothing else goes on: interrupted uploads are swept as if long over.
        """
        return list(self.inside("tests.journeys.inventory"))

    def inside(self, module: str) -> Any:
        """Run `main` of a module of ours inside this installation, and return what it printed."""
        program = f"import django; django.setup(); from {module} import main; main()"
        said = _run([sys.executable, "-c", program], self.environment)
        return json.loads(said.splitlines()[-1])

    def await_ready(self) -> None:
        """Wait until the web server answers: its processes may have been killed."""
        until = time.monotonic() + _BACK_WITHIN
        while not is_ready(urlsplit(self.url).port or 0):
            if time.monotonic() > until:
                raise TimeoutError("the server did not come back")
            time.sleep(0.05)

    def python(self, program: str, *arguments: str) -> str:
        """Run a program that knows the settings of this Larder, and return what it printed."""
        return _run([sys.executable, "-c", program, *arguments], self.environment)

    def repository(self) -> Repository:
        """Return an empty repository of acme that no other test uses."""
        if not self._spare:
            names = [f"acme/shelf-{next(self._numbers)}" for _ in range(_SPARE)]
            made = [["create_repository", name] for name in names]
            given = [["grant", name, "--team", "packagers", "--role", "writer"] for name in names]
            self.manage(*made, *given)
            self._spare += [Repository(f"{self.url}/{name}/") for name in reversed(names)]
        return self._spare.pop()

    def forgive(self) -> None:
        """Forget the wrong credentials so far: all of the tests come from one address."""
        forget = "DELETE FROM accounts_signinfailures"
        database = self.environment.get("LARDER_DATABASE_URL")
        if database is not None:
            with psycopg.connect(database) as connection:
                connection.execute(forget)
            return
        file = Path(self.environment["LARDER_HOME"], "larder.sqlite3")
        with closing(sqlite3.connect(file, timeout=30)) as embedded_database:
            embedded_database.execute(forget)
            embedded_database.commit()

    def log_since(self, marks: Sequence[int]) -> str:
        """Return what the processes logged beyond `marks`."""
        return "\n".join(
            log.read_bytes()[mark:].decode(errors="replace")
            for log, mark in zip(self.logs, marks, strict=True)
        )

    def log_marks(self) -> list[int]:
        """Return how long each log is now."""
        return [log.stat().st_size for log in self.logs]


@contextmanager
def embedded(
    settings: Mapping[str, str] | None = None, *, application: str = _APPLICATION
) -> Iterator[Larder]:
    """Run Larder with nothing but a folder: SQLite, blobs and broker in it."""
    with _running(settings or {}, application) as larder:
        yield larder


@contextmanager
def production() -> Iterator[Larder]:
    """Run Larder on PostgreSQL, S3 and pgmq: those that were given, else its own."""
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(stack.enter_context(own_postgres())))
        storage, keys = parts.given("moto"), dict[str, str]()
        if storage is None:
            s3 = stack.enter_context(parts.moto())
            storage, keys = s3.url(), s3.environment()
        prefix = f"journeys-{secrets.token_hex(4)}"
        settings = {
            "LARDER_DATABASE_URL": database,
            "LARDER_STORAGE_URL": urlsplit(storage)._replace(path=f"/{prefix}").geturl(),
            "LARDER_BROKER_URL": urlsplit(database)._replace(scheme="pgmq").geturl(),
        }
        yield stack.enter_context(_running(settings | keys))


@contextmanager
def on_postgres(
    database_url: str,
    settings: Mapping[str, str] | None = None,
    *,
    application: str = _APPLICATION,
) -> Iterator[Larder]:
    """Run Larder on PostgreSQL, with blobs and broker in a folder."""
    with (
        fresh_database(database_url) as database,
        _running({"LARDER_DATABASE_URL": database, **(settings or {})}, application) as larder,
    ):
        yield larder


@contextmanager
def on_either(database: str) -> Iterator[Larder]:
    """Run Larder with blobs and broker in a folder, on "sqlite" or on "postgres"."""
    if database == "sqlite":
        with embedded() as larder:
            yield larder
        return
    with own_postgres() as url, on_postgres(url) as larder:
        yield larder


@contextmanager
def own_postgres() -> Iterator[str]:
    """Yield the URL of the PostgreSQL that was given, else of one started for the block."""
    if url := parts.given("postgres"):
        yield url
        return
    with parts.postgres() as url:
        yield url


@contextmanager
def behind_https() -> Iterator[Larder]:
    """Run Larder as behind a proxy that people reach by https; what it is told is believed."""
    settings = {"LARDER_BASE_URL": "https://127.0.0.1", "LARDER_TRUSTED_PROXIES": "127.0.0.1"}
    with _running(settings) as larder:
        yield larder


@contextmanager
def behind_nginx() -> Iterator[Larder]:
    """Run Larder as deploy/nginx.conf wants it."""
    with _running(BEHIND_NGINX) as larder:
        yield larder


@contextmanager
def behind_nginx_by_https() -> Iterator[Larder]:
    """Run Larder as behind_nginx and on PostgreSQL; people reach it at https://localhost."""
    settings = {"LARDER_BASE_URL": "https://localhost", **BEHIND_NGINX}
    with own_postgres() as url, on_postgres(url, settings) as larder:
        yield larder


@contextmanager
def edge(larder: Larder, *, processes: int = 1) -> Iterator[Server]:
    """Run the edge of `larder`, as deploy/Procfile does; of several none knows the others."""
    *granian, application = procfile("edge", "deploy/Procfile")

    def command(port: int) -> list[str]:
        own = {"8001": str(port), "${LARDER_EDGE_PROCESSES:-1}": str(processes)}
        return under(larder.environment, [*(own.get(each, each) for each in granian), application])

    with private_folder("edge") as folder, server(folder, command) as running:
        yield running
        require_none_in([folder / "server.log"])


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Make an empty database beside the one in `server_url`, and drop it afterwards."""
    name = f"larder_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def _running(settings: Mapping[str, str], application: str = _APPLICATION) -> Iterator[Larder]:
    """Prepare an installation, run its web server and worker, and let its people in."""
    with ExitStack() as stack:
        home, web_folder, worker_folder = (
            stack.enter_context(private_folder(part)) for part in ("home", "web", "worker")
        )
        environment = {
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "LARDER_HOME": str(home),
            "LARDER_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "LARDER_UPSTREAM_URL": f"{NOBODY_LISTENS}/simple/",
            **settings,
        }
        _run([sys.executable, "manage.py", "prepare"], environment)

        def web(port: int) -> list[str]:
            *gunicorn, _ = procfile("web")
            bound = environment | {"LARDER_BIND": f"127.0.0.1:{port}"}
            return under(bound, [*gunicorn, application])

        gunicorn = stack.enter_context(server(web_folder, web, answers=is_ready))
        stack.enter_context(
            server(
                worker_folder,
                lambda _port: under(environment, procfile("worker")),
                answers=lambda _port: True,  # it listens nowhere
            )
        )
        larder = Larder(
            url=f"http://127.0.0.1:{gunicorn.port}",
            web=gunicorn.pid,
            environment=environment,
            logs=[folder / "server.log" for folder in (web_folder, worker_folder)],
        )
        _let_people_in(larder)
        watch(ADMIN_PASSWORD)
        yield larder
        require_none_in(larder.logs)


def _let_people_in(larder: Larder) -> None:
    *_, larder.writer, larder.reader, larder.stranger, larder.admin = larder.manage(
        ["create_tenant", "acme"],
        ["create_tenant", "globex"],
        ["create_user", "wes", "--tenant", "acme", "--team", "packagers"],
        ["create_user", "ray", "--tenant", "acme"],
        ["create_user", "gwen", "--tenant", "globex"],
        ["create_token", "wes", "--tenant", "acme", "--name", "laptop"],
        ["create_token", "ray", "--tenant", "acme", "--name", "laptop", "--role", "reader"],
        ["create_token", "gwen", "--tenant", "globex", "--name", "laptop"],
        ["create_token", "admin", "--tenant", "main", "--name", "laptop", "--role", "admin"],
    )


def is_ready(port: int) -> bool:
    """Say whether the Larder at `port` reaches its database and its storage."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def procfile(process: str, file: str = "Procfile") -> list[str]:
    """Return the Procfile's command for `process`, with the programs of this environment."""
    lines = dict(line.split(": ", 1) for line in (ROOT / file).read_text().splitlines() if line)
    program, *arguments = shlex.split(lines[process].removeprefix("exec "))
    return [str(Path(sys.executable).parent / Path(program).name), *arguments]


def under(environment: Mapping[str, str], command: Sequence[str]) -> list[str]:
    """Return `command` run with `environment` and without the settings of the tests themselves."""
    ours = [name for name in os.environ if name.startswith("LARDER_")]
    unset = [option for name in ours for option in ("-u", name)]
    return ["env", *unset, *(f"{name}={value}" for name, value in environment.items()), *command]


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        under(environment, command), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
    return done.stdout
