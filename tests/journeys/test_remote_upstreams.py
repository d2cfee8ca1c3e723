"""Real indexes behind a remote: what they serve is installed through us, also without them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import dists
from tests.clients import client
from tests.journeys import larder as larders
from tests.journeys.devpis import devpi_with
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, sha256_of, signed_in, uv
from tests.journeys.remotes import make_remote
from tests.parts.processes import private_folder, server

WHEELS = [
    dists.make_wheel("frog", "1.0", requires_dist=["toad>=1"], requires_python=">=3.9"),
    dists.make_wheel("frog", "0.9"),
    dists.make_wheel("toad", "1.5"),
]
WANTED = {name: sha256_of(content) for name, content in (WHEELS[0], WHEELS[2])}


def written(folder: Path, *, by_project: bool) -> Path:
    """Write the wheels into a folder, or into one folder per project below simple/."""
    for name, content in WHEELS:
        home = folder / "simple" / name.partition("-")[0] if by_project else folder
        home.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    return folder


@contextmanager
def another_larder() -> Iterator[dict[str, Any]]:
    """Run a Larder with a repository that only its members read."""
    with larders.embedded() as theirs, private_folder("wheels") as folder:
        repository = theirs.repository()
        home = folder / "home"
        home.mkdir()
        files = sorted(written(folder, by_project=False).glob("*.whl"))
        Machine(home).run(*uv(repository.url, files, token=theirs.writer))
        yield {
            "index_url": repository.url,
            "username": "__token__",
            "password": theirs.reader,
        }


@contextmanager
def static_folder() -> Iterator[dict[str, Any]]:
    """Run Python's web server over folders that nobody made into an index."""
    with private_folder("static") as folder, served(written(folder, by_project=True)) as url:
        yield {"index_url": url}


@contextmanager
def flat_list() -> Iterator[dict[str, Any]]:
    """Run Python's web server over one folder with all files."""
    with private_folder("flat") as folder, served(written(folder, by_project=False)) as url:
        yield {"index_url": url, "suffix": ""}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with private_folder("log") as log:
        program = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
        where = ["--directory", str(folder)]
        with server(log, lambda port: [*program, *where, str(port)]) as running:
            yield f"http://127.0.0.1:{running.port}/"


@contextmanager
def pypiserver() -> Iterator[dict[str, Any]]:
    """Run pypiserver over a folder."""
    with private_folder("pypiserver") as folder, private_folder("log") as log:
        program, files = client("pypiserver", "upstreams"), written(folder, by_project=False)
        options = ["run", "--interface", "127.0.0.1", "--disable-fallback"]
        command = [str(program), *options]
        with server(log, lambda port: [*command, "--port", str(port), str(files)]) as running:
            yield {"index_url": f"http://127.0.0.1:{running.port}/"}


@contextmanager
def devpi() -> Iterator[dict[str, Any]]:
    """Run devpi with the index root/dev, to which the wheels are published."""
    with private_folder("wheels") as folder:
        files = sorted(written(folder, by_project=False).glob("*.whl"))
        with devpi_with("root/dev", files, folder / "data") as url:
            yield {"index_url": url, "suffix": "+simple", "scopes": ["root/*"]}


Upstream = Callable[[], AbstractContextManager[dict[str, Any]]]
UPSTREAMS: dict[str, Upstream] = {
    "another-larder": another_larder,
    "static-folder": static_folder,
    "flat-list": flat_list,
    "pypiserver": pypiserver,
    "devpi": devpi,
}


@pytest.mark.parametrize("name", UPSTREAMS)
def test_what_an_index_serves_is_installed_through_us(
    embedded: Larder, name: str, tmp_path: Path
) -> None:
    with UPSTREAMS[name]() as settings:
        remote = make_remote(embedded, f"of-{name}", **settings)
        if "scopes" in settings:
            remote = Repository(f"{remote.url}root/dev/")
        assert downloaded(embedded, remote, tmp_path / "first") == WANTED
    # Their server is gone, and so is all that the client remembers.
    assert downloaded(embedded, remote, tmp_path / "second") == WANTED
    installed(embedded, remote, tmp_path / "third")


def downloaded(larder: Larder, remote: Repository, home: Path) -> dict[str, str]:
    """Return the SHA-256 of what pip downloads for frog on a machine that knows nothing."""
    home.mkdir()
    machine, folder = Machine(home), home / "downloads"
    index = signed_in(remote.simple, larder.reader)
    machine.run("pip", "download", "--index-url", index, "--dest", str(folder), "frog")
    return {path.name: sha256_of(path.read_bytes()) for path in folder.iterdir()}


def installed(larder: Larder, remote: Repository, home: Path) -> None:
    """Install frog with uv, which reads the metadata first."""
    home.mkdir()
    machine, target = Machine(home), home / "target"
    index = signed_in(remote.simple, larder.reader)
    python = ("--python", sys.executable)
    where = ("--target", str(target), "--index-url", index)
    machine.run("uv", "pip", "install", *python, *where, "frog")
    assert {path.name for path in target.glob("*.dist-info")} == {
        "frog-1.0.dist-info",
        "toad-1.5.dist-info",
    }
