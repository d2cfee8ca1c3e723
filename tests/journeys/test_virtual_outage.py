"""One URL for ours and everybody's, with real projects: installed, and again without the world.

Two packages of our own and one that has a public namesake of a higher version stand in a local; the
rest comes through a remote that asks upstream anew for every page. With LARDER_TEST_COUNTS=full it
is some fifty real projects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dists import make_wheel
from tests.journeys.distributions import IS_FULL, wheels
from tests.journeys.indexes import static_index
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, sha256_of, signed_in, twine
from tests.journeys.remotes import make_remote

# What has the public namesake is older than that, and has a module that tells whose it is.
OURS = [
    make_wheel("acme-frog", "1.0", requires_dist=["acme-toad>=2", "requests", "six"]),
    make_wheel("acme-toad", "2.0", requires_dist=["click"]),
    make_wheel("six", "0.5", files={"whose.py": b"OURS = True\n"}),
]
SOME_OF_THE_WORLDS = ["attrs", "markupsafe"]
MANY_OF_THE_WORLDS = [
    *("anyio", "asgiref", "cryptography", "django", "docutils", "flask", "greenlet", "httpx"),
    *("importlib-metadata", "lxml", "markdown-it-py", "numpy", "pillow", "psutil", "pydantic"),
    *("pytest", "pytz", "pyyaml", "rich", "sqlalchemy", "tomli", "uvicorn"),
]
WANTED = ["acme-frog", *SOME_OF_THE_WORLDS, *MANY_OF_THE_WORLDS * IS_FULL]
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Scene:
    """A virtual over ours and the world, and how to cut the world off."""

    index: str
    token: str
    virtual: Repository
    cut: Callable[[], None]
    folder: Path

    def machine(self) -> Machine:
        """Return a machine that has never installed anything."""
        home = self.folder / f"machine-{len(list(self.folder.glob('machine-*')))}"
        home.mkdir()
        return Machine(home, {"UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0"})

    def project(self, machine: Machine, dependencies: list[str]) -> Path:
        """Make a project whose one index is the virtual."""
        folder = machine.folder("consumer")
        listed = ", ".join(f'"{each}"' for each in dependencies)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "consumer"\nversion = "1.0"\nrequires-python = "=={_HERE}.*"\n'
            f"dependencies = [{listed}]\n"
            "[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\n"
            f'name = "shelf"\nurl = "{self.virtual.simple}"\npriority = "primary"\n'
            '[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = "pypi"\n'
            f'url = "{signed_in(self.virtual.simple, "${SHELF_TOKEN}")}"\n'
        )
        return folder


@pytest.fixture
def scene(production: Larder, tmp_path: Path) -> Iterator[Scene]:
    """The local with ours, a remote of its own, and a virtual over both."""
    publisher = Machine(tmp_path / "publisher")
    publisher.home.mkdir()
    local = production.repository()
    dist = publisher.folder("dist")
    for name, content in OURS:
        (dist / name).write_bytes(content)
    publisher.run(*twine(local.url, sorted(dist.iterdir()), token=production.writer))
    key = local.name.partition("/")[2]
    with ExitStack() as stack:
        world = ExitStack()
        stack.push(world)
        upstream = world.enter_context(static_index(wheels()))
        remote = make_remote(production, f"world-{key}", upstream, fresh_seconds=0)
        members = ["--member", local.name, "--member", remote.name]
        production.manage(["create_repository", f"acme/all-{key}", "--kind", "virtual", *members])
        virtual = Repository(f"{production.url}/acme/all-{key}/")
        index = signed_in(virtual.simple, production.reader)
        yield Scene(index, production.reader, virtual, world.close, tmp_path)


Client = Callable[[Scene, Machine], str]


def pip(scene: Scene, machine: Machine) -> str:
    """`pip install`, into a folder; return what is in it."""
    target = machine.home / "target"
    machine.run("pip", "install", "--target", str(target), "-i", scene.index, *WANTED)
    assert (target / "whose.py").read_text() == "OURS = True\n"
    return contents(target)


def uv(scene: Scene, machine: Machine) -> str:
    """`uv pip install`, into a folder; return what is in it."""
    target = machine.home / "target"
    options = ("--target", str(target), "--default-index", scene.index)
    machine.run("uv", "pip", "install", *options, *WANTED)
    assert (target / "whose.py").read_text() == "OURS = True\n"
    return contents(target)


def uv_lock(scene: Scene, machine: Machine) -> str:
    """`uv lock` and `uv sync --frozen`; return the lock."""
    project = scene.project(machine, WANTED)
    machine.run("uv", "lock", "--default-index", scene.index, within=project)
    lock = (project / "uv.lock").read_text()
    options = ("--frozen", "--no-install-project", "--default-index", scene.index)
    machine.run("uv", "sync", *options, within=project)
    return lock


def poetry(scene: Scene, machine: Machine) -> str:
    """`poetry add`; return the lock."""
    project = scene.project(machine, [])
    variables = {
        "POETRY_HTTP_BASIC_SHELF_USERNAME": "__token__",
        "POETRY_HTTP_BASIC_SHELF_PASSWORD": scene.token,
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    }
    machine.run("poetry", "add", *WANTED, within=project, **variables)
    return (project / "poetry.lock").read_text()


def pdm(scene: Scene, machine: Machine) -> str:
    """`pdm add`; return the lock."""
    project = scene.project(machine, [])
    machine.run("pdm", "venv", "create", _HERE, within=project)
    machine.run("pdm", "use", "--venv", "in-project", within=project)
    machine.run("pdm", "add", *WANTED, within=project, SHELF_TOKEN=scene.token)
    return (project / "pdm.lock").read_text()


def pip_with_hashes(scene: Scene, machine: Machine) -> str:
    """`uv pip compile` and `pip install --require-hashes`; return what was pinned."""
    (machine.home / "all.in").write_text("\n".join(WANTED))
    options = ("--generate-hashes", "--no-header", "--default-index", scene.index)
    machine.run("uv", "pip", "compile", *options, "all.in", "-o", "all.txt")
    target = str(machine.home / "target")
    checked = ("--require-hashes", "-r", str(machine.home / "all.txt"))
    machine.run("pip", "install", "--target", target, "-i", scene.index, *checked)
    return (machine.home / "all.txt").read_text()


def contents(target: Path) -> str:
    """Return the names and versions of what was installed."""
    return " ".join(sorted(path.name for path in target.glob("*.dist-info")))


@pytest.mark.parametrize("client", [pip, uv, uv_lock, poetry, pdm, pip_with_hashes])
def test_ours_and_theirs_are_taken_rightly_with_the_world_and_without(
    scene: Scene, client: Client
) -> None:
    before = client(scene, scene.machine())
    for name, content in OURS:
        assert sha256_of(content) in before or name.partition("-py3")[0] in before
    scene.cut()
    assert client(scene, scene.machine()) == before
