"""Each snippet of "Set me up", copied from its page and run by the client that it is for."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import requests

from packages.set_up.clients import clients
from tests import dists
from tests.clients import client, client_environment
from tests.journeys.distributions import paths, wheels
from tests.journeys.installers import served
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, digests, twine
from tests.journeys.person import Copied, Person

# What the tests' own environment sets so that clients read no settings; these read ours.
_SETS_NOTHING = ("PIP_CONFIG_FILE", "PIP_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER", "UV_NO_CONFIG")
_SECONDS = 300
INSTALLS = [
    ("pip", ["conf", "install"]),
    ("pip", ["environment", "install"]),
    ("pip", ["requirements", "install-requirements"]),
    ("pip", ["command"]),
    ("uv", ["pyproject", "environment", "add"]),
    ("uv", ["command"]),
    ("poetry", ["source", "credentials", "add"]),
    ("pdm", ["pyproject", "environment", "add"]),
    ("hatch", ["environment", "install"]),
    ("netrc", ["netrc", "mode", "pip"]),
    ("netrc", ["netrc", "mode", "uv"]),
    ("keyring", ["set", "conf", "install"]),
    ("keyring", ["set", "uv"]),
    ("certificates", ["trusted", "trusted-install"]),
]
PUBLISHES = [
    ("uv", ["publish"]),
    ("twine", ["pypirc", "upload-by-name"]),
    ("twine", ["environment", "upload"]),
    ("poetry", ["credentials", "publish"]),
    ("pdm", ["pyproject", "environment", "publish"]),
    ("hatch", ["environment", "publish"]),
]
# No program for these is here: tests/packages/test_set_up.py reads what they are given.
NOT_HERE = {"github-actions", "gitlab-ci", "jenkins", "cloud-build", "docker", "windows"}
HERE = {"certificates/pip", "certificates/uv"}  # by https
PROGRAMS = {"netrc": ("pip", "uv"), "keyring": ("pip", "uv", "twine"), "certificates": ("pip",)}
_PROJECT = """
[build-system]
requires = ["{requires}"]
build-backend = "{backend}"
[project]
name = "{name}"
version = "1.0"
description = "It needs a frog"
authors = [{{name = "A Frog", email = "frog@pond.example"}}]
requires-python = ">=3.11"
dependencies = [{dependencies}]
[tool.hatch.envs.default]
skip-install = true
dependencies = [{dependencies}]
"""
_KEYRING = """
import json, pathlib
from keyring.backend import KeyringBackend
FILE = pathlib.Path(__file__).with_name("store.json")
class Backend(KeyringBackend):
    priority = 1
    def _all(self):
        return json.loads(FILE.read_text()) if FILE.exists() else {}
    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")
    def set_password(self, service, username, password):
        FILE.write_text(json.dumps(self._all() | {f"{service} {username}": password}))
"""


def test_every_snippet_for_a_client_of_this_machine_is_run() -> None:
    run = {f"{slug}/{each}" for slug, ids in [*INSTALLS, *PUBLISHES] for each in ids}
    run.add("keyring/login")
    there = {
        f"{slug}/{each.id}"
        for slug, client in clients().items()
        if slug not in NOT_HERE
        for each in client.snippets
    }
    assert run == there - HERE


@pytest.fixture(scope="module")
def wes(embedded: Larder) -> Iterator[Person]:
    """Wes, who publishes to acme's repositories."""
    embedded.forgive()
    with Person(embedded, "wes") as person:
        yield person


@pytest.fixture(scope="module")
def pond(embedded: Larder, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with a frog, and with what builds a project."""
    repository = embedded.repository()
    folder = tmp_path_factory.mktemp("dist")
    name, content = dists.make_wheel("frog", "1.0")
    (folder / name).write_bytes(content)
    machine = Machine(tmp_path_factory.mktemp("publisher"))
    files = [folder / name, *paths(wheels("flit-core"))]
    machine.run(*twine(repository.url, files, token=embedded.writer))
    return repository


@pytest.mark.parametrize(("slug", "ids"), INSTALLS, ids=str)
def test_what_the_page_says_installs(
    wes: Person, pond: Repository, machine: Machine, slug: str, ids: list[str]
) -> None:
    copied = wes.set_up(pond, slug, "install", "frog")
    workbench = Workbench(machine, slug)
    if slug in {"uv", "poetry", "pdm", "hatch"}:
        workbench.write_project("consumer", dependencies='"frog"' if slug == "hatch" else "")
    workbench.run([copied[each] for each in ids])
    assert list(machine.home.rglob("frog-1.0.dist-info")), "no frog is installed"
    seen = wes.session.get(f"{pond.url}-/set-up/seen/")
    assert "You are connected." in await_text(wes, seen.url)


@pytest.mark.parametrize("ids", [["conf", "install"], ["uv"]], ids=str)
def test_a_login_takes_the_place_of_a_token(
    wes: Person, pond: Repository, machine: Machine, command_site: Path, ids: list[str]
) -> None:
    copied = wes.set_up(pond, "keyring", "install", "frog")
    workbench = Workbench(machine, "keyring")
    workbench.has_the_command(command_site)
    workbench.type_on_a_terminal(copied["login"].text, wes.password)
    workbench.run([copied[each] for each in ids])
    assert list(machine.home.rglob("frog-1.0.dist-info")), "no frog is installed"


@pytest.mark.parametrize(("slug", "ids"), PUBLISHES, ids=str)
def test_what_the_page_says_publishes(
    wes: Person, pond: Repository, embedded: Larder, machine: Machine, slug: str, ids: list[str]
) -> None:
    name = f"pond-of-{slug}-{len(ids)}"
    copied = wes.set_up(pond, slug, "publish", "frog")
    workbench = Workbench(machine, slug)
    workbench.write_project(name)
    if slug in {"uv", "twine"}:
        file, content = dists.make_wheel(name, "1.0")
        workbench.project.joinpath("dist").mkdir()
        workbench.project.joinpath("dist", file).write_bytes(content)
    workbench.run([copied[each] for each in ids])
    published = served(pond, name, embedded.reader)
    assert published == digests(workbench.project / "dist")
    assert published


def test_a_token_that_installs_does_not_publish(
    wes: Person, pond: Repository, machine: Machine
) -> None:
    (copied, *_) = wes.set_up(pond, "pip", "install", "frog").values()
    refused = machine.fails(*twine(pond.url, paths(wheels("idna")), token=copied.secret))
    assert "You may read" in refused
    # Of twine too, whose other calls are seen there until this one is.
    assert "twine" in await_text(wes, f"{pond.url}-/set-up/seen/", "refused")


def await_text(person: Person, url: str, word: str = "connected") -> str:
    """Return the page at `url` once it has `word` in it: calls are written down behind requests."""
    until = time.monotonic() + 30
    while word not in (page := _page(person, url)):
        assert time.monotonic() < until, page
        time.sleep(0.3)
    return page


def _page(person: Person, url: str) -> str:
    answer: requests.Response = person.session.get(url)
    answer.raise_for_status()
    return answer.text


class Workbench:
    """A clean home with the programs of one client, and a project in it."""

    def __init__(self, machine: Machine, slug: str) -> None:
        self.home = machine.home
        self.project = machine.folder("project")
        self.slug = slug
        programs = {str(client(name).parent) for name in PROGRAMS.get(slug, (slug,))}
        keyring = machine.folder("keyring")
        (keyring / "file_keyring.py").write_text(_KEYRING)
        self.environment = {
            name: value
            for name, value in client_environment(machine.home).items()
            if name not in _SETS_NOTHING
        } | {
            "PIP_TARGET": str(machine.home / "target"),
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        }
        if slug == "keyring":
            self.environment["PYTHONPATH"] = str(keyring)
            self.environment["PYTHON_KEYRING_BACKEND"] = "file_keyring.Backend"
        path = self.environment.get("PATH", os.defpath)
        self.environment["PATH"] = os.pathsep.join([*sorted(programs, key=_pip_first), path])
        if slug in {"uv", "netrc", "keyring"}:
            self._sh("uv venv ~/venv")
            self.environment["VIRTUAL_ENV"] = str(machine.home / "venv")

    def write_project(self, name: str, dependencies: str = "") -> None:
        """Write a project of one module, built as its client builds."""
        is_poetry = self.slug == "poetry"
        text = _PROJECT.format(
            requires="poetry-core" if is_poetry else "flit_core",
            backend="poetry.core.masonry.api" if is_poetry else "flit_core.buildapi",
            name=name,
            dependencies=dependencies,
        )
        (self.project / "pyproject.toml").write_text(text)
        module = self.project / f"{name.replace('-', '_')}.py"
        module.write_text('"""It needs a frog."""\n\n__version__ = "1.0"\n')
        if self.slug == "pdm":
            self._sh("pdm venv create && pdm use --venv in-project")

    def run(self, copied: Sequence[Copied]) -> None:
        """Do what the snippets say: save the files, type the commands."""
        commands = []
        for each in copied:
            if each.snippet.kind == "file":
                self._save(each)
            else:
                commands.append(each.text)
        self._sh("\n".join(commands), typed=copied[0].secret)

    def has_the_command(self, site: Path) -> None:
        """Install the larder command, and with it its keyring in the place of the test's own."""
        self.environment["PATH"] += f"{os.pathsep}{site / 'bin'}"
        self.environment["PYTHONPATH"] = str(site)
        del self.environment["PYTHON_KEYRING_BACKEND"]

    def type_on_a_terminal(self, command: str, password: str) -> None:
        """Type a command that asks for a password, and the password."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=self.project,
            env=self.environment,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # else it would ask on the terminal of whoever tests
        )
        assert process.stdout is not None
        watchdog = threading.Timer(_SECONDS, process.kill)
        watchdog.daemon = True
        watchdog.start()
        with process, os.fdopen(theirs), os.fdopen(ours, "wb", buffering=0) as keys:
            said = b""
            while not said.endswith(b"Password: ") and (char := process.stdout.read(1)):
                said += char
            keys.write(f"{password}\n".encode())  # before it asks, it would be thrown away
            said += process.stdout.read()
        watchdog.cancel()
        assert process.returncode == 0, said
        assert password.encode() not in said

    def _save(self, copied: Copied) -> None:
        name = copied.snippet.path
        file = Path(name.replace("~", str(self.home))) if "~" in name else self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text() if copied.snippet.added and file.exists() else ""
        file.write_text(f"{before}{copied.text}\n")

    def _sh(self, script: str, typed: str = "") -> None:
        done = subprocess.run(
            ["sh", "-e", "-c", script],
            cwd=self.project,
            env=self.environment,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        said = done.stdout.replace(typed, "***") if typed else done.stdout
        assert done.returncode == 0, f"{self.slug} {script.replace(typed or chr(0), '***')}\n{said}"


def _pip_first(folder: str) -> bool:
    """Other clients bring a pip of their own."""
    return not Path(folder).parent.name.startswith("pip-")
