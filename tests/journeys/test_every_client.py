"""Every client that publishes and every client that installs, on PostgreSQL and S3.

With LARDER_TEST_COUNTS=full the shelves hold more than forty real distributions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.distributions import distributions, paths, wheels
from tests.journeys.installers import (
    assert_holds,
    hashes,
    hatch_install,
    pdm_install,
    pip_download,
    poetry_install,
    served,
    uv_install,
)
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, digests, signed_in, twine, uv

PUBLISHERS = ("poetry", "pdm", "hatch", "flit")
BACKENDS = {
    "poetry": ("poetry-core", "poetry.core.masonry.api"),
    "pdm": ("flit_core", "flit_core.buildapi"),
    "hatch": ("flit_core", "flit_core.buildapi"),
    "flit": ("flit_core", "flit_core.buildapi"),
}
PROJECT = """
[build-system]
requires = ["{0}"]
build-backend = "{1}"
[project]
name = "tree-frog"
version = "1.0"
description = "{2}"
authors = [{{name = "A Frog", email = "frog@pond.example"}}]
"""


@pytest.fixture(scope="module")
def shelves(production: Larder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Repository]:
    """Two repositories with all the distributions: published by twine, and by uv."""
    machine = Machine(tmp_path_factory.mktemp("publisher"))
    made = {}
    for name, command in (("twine", twine), ("uv", uv)):
        made[name] = production.repository()
        everything = paths(distributions())
        machine.run(*command(made[name].url, everything, token=production.writer))
    return made


@pytest.mark.parametrize("publisher", ["twine", "uv"])
def test_pip_downloads_every_file_as_it_was_published(
    publisher: str, shelves: dict[str, Repository], production: Larder, machine: Machine
) -> None:
    index = signed_in(shelves[publisher].simple, production.reader)
    assert pip_download(machine, index, distributions()) == hashes(distributions())


@pytest.mark.parametrize("publisher", ["twine", "uv"])
def test_uv_installs_every_wheel_as_it_was_published(
    publisher: str, shelves: dict[str, Repository], production: Larder, machine: Machine
) -> None:
    index = signed_in(shelves[publisher].simple, production.reader)
    assert_holds(uv_install(machine, index, wheels()), wheels())


@pytest.mark.parametrize("install", [poetry_install, pdm_install])
def test_poetry_and_pdm_lock_our_hashes_and_install_every_wheel(
    install: Callable[..., tuple[dict[str, str], Path]],
    shelves: dict[str, Repository],
    production: Larder,
    machine: Machine,
) -> None:
    locked, installed = install(machine, shelves["uv"], production.reader, wheels())
    published = hashes(distributions())
    assert locked.items() <= published.items()
    assert locked.keys() >= hashes(wheels()).keys()
    assert_holds(installed, wheels())


def test_hatch_installs_every_wheel_from_an_index_in_its_environment(
    shelves: dict[str, Repository], production: Larder, machine: Machine
) -> None:
    index = signed_in(shelves["twine"].simple, production.reader)
    assert_holds(hatch_install(machine, index, wheels()), wheels())


@pytest.mark.parametrize("name", PUBLISHERS)
def test_other_clients_publish_what_they_build(
    name: str, production: Larder, machine: Machine
) -> None:
    repository = production.repository()
    project = built(name, production, machine, repository)
    publish(name, production.writer, machine, repository, project)
    assert served(repository, "tree-frog", production.reader) == digests(project / "dist")


@pytest.mark.parametrize("name", PUBLISHERS)
def test_other_clients_are_refused_with_the_reason(
    name: str, production: Larder, machine: Machine
) -> None:
    repository = production.repository()
    project = built(name, production, machine, repository)
    for token, status, sentence in (
        (production.stranger, 403, f"There is no repository {repository.name} that you may use."),
        (production.writer[:-4] + "zzzz", 401, "This token is not valid"),
    ):
        said = publish(name, token, machine, repository, project, may=False)
        # PDM prints the status alone: what it caches answers with forgets the reason phrase.
        assert (str(status) if name == "pdm" else sentence) in said


def test_poetry_skips_what_exists_when_told_to(production: Larder, machine: Machine) -> None:
    repository = production.repository()
    project = built("poetry", production, machine, repository)
    publish("poetry", production.writer, machine, repository, project)
    before = served(repository, "tree-frog", production.reader)
    # Built anew with another description: the same names, other bytes.
    write_project("poetry", project, description="It changed its colour")
    machine.run("poetry", "build", within=project)
    assert digests(project / "dist") != before
    said = publish("poetry", production.writer, machine, repository, project, may=False)
    assert "File already exists" in said
    publish("poetry", production.writer, machine, repository, project, "--skip-existing")
    assert served(repository, "tree-frog", production.reader) == before


def test_uv_looks_at_its_check_url_first(production: Larder, machine: Machine) -> None:
    repository = production.repository()
    (six,) = wheels("six")
    check = ("--check-url", signed_in(repository.simple, production.writer))
    machine.run(*uv(repository.url, [six.path], token=production.writer, options=check))
    said = machine.run(*uv(repository.url, [six.path], token=production.writer, options=check))
    assert "already exists, skipping" in said
    other = machine.folder("other") / six.path.name
    other.write_bytes(six.path.read_bytes() + b"\0")
    said = machine.fails(*uv(repository.url, [other], token=production.writer, options=check))
    assert six.sha256 in said
    assert served(repository, "six", production.reader) == {six.path.name: six.sha256}


def write_project(name: str, project: Path, *, description: str = "It sits in a tree") -> None:
    """Write a project of one module for the build backend that goes with the client."""
    (project / "pyproject.toml").write_text(PROJECT.format(*BACKENDS[name], description))
    (project / "tree_frog.py").write_text('"""It sits in a tree."""\n\n__version__ = "1.0"\n')


def built(name: str, production: Larder, machine: Machine, repository: Repository) -> Path:
    """Make a project and build it as its client does; flit builds when it publishes."""
    project = machine.folder("tree-frog")
    write_project(name, project)
    if name == "poetry":
        machine.run("poetry", "build", within=project)
    if name in {"pdm", "hatch"}:  # they take the build backend from the index that they are given
        machine.run(*twine(repository.url, paths(wheels("flit-core")), token=production.writer))
        index = signed_in(repository.simple, production.reader)
        variables = {"PDM_PYPI_URL": index, "UV_DEFAULT_INDEX": index}
        machine.run(name, "build", within=project, **variables)
    return project


def publish(
    name: str,
    token: str,
    machine: Machine,
    repository: Repository,
    project: Path,
    *options: str,
    may: bool = True,
) -> str:
    """Publish the project with its client, which must succeed or fail; return what it said."""
    run = machine.run if may else machine.fails
    who = ("__token__", token)
    match name:
        case "poetry":
            url = {"POETRY_REPOSITORIES_SHELF_URL": repository.url}
            arguments = ("-r", "shelf", "-u", who[0], "-p", token, *options)
            return run("poetry", "publish", *arguments, within=project, **url)
        case "pdm":
            arguments = ("--no-build", "--repository", repository.url, "-u", who[0], "-P", token)
            return run("pdm", "publish", *arguments, within=project)
        case "hatch":
            arguments = ("--no-prompt", "-r", repository.url, "-u", who[0], "-a", token)
            return run("hatch", "publish", *arguments, within=project)
        case _:
            variables = {"FLIT_USERNAME": who[0], "FLIT_PASSWORD": token}
            variables["FLIT_INDEX_URL"] = repository.url
            return run("flit", "publish", within=project, **variables)
