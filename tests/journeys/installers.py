"""Getting published files back with each installer, and comparing them with what was published."""

from __future__ import annotations

import os
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import requests

from tests.journeys.distributions import File
from tests.journeys.larder import Repository
from tests.journeys.machine import Machine, digests, sha256_of, signed_in

_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_PROJECT = """
[project]
name = "consumer"
version = "1.0"
requires-python = "=={here}.*"
dependencies = [{dependencies}]
"""


def hashes(files: Sequence[File]) -> dict[str, str]:
    """Return the SHA-256 of what was published, by file name."""
    return {file.path.name: file.sha256 for file in files}


def served(repository: Repository, project: str, token: str) -> dict[str, str]:
    """Return the SHA-256 of every file of `project`, fetched from where its page says.

    Nothing where there is no such project.
    """
    with requests.Session() as session:
        session.auth = ("__token__", token)
        page_url = f"{repository.simple}{project}/"
        page = session.get(page_url, params={"format": "application/vnd.pypi.simple.v1+json"})
        if page.status_code == HTTPStatus.NOT_FOUND:
            return {}
        page.raise_for_status()
        urls = {file["filename"]: urljoin(page_url, file["url"]) for file in page.json()["files"]}
        return {name: sha256_of(session.get(url).content) for name, url in urls.items()}


def pip_download(machine: Machine, index: str, files: Sequence[File]) -> dict[str, str]:
    """Download exactly `files` with pip; return the SHA-256 of what came, by name."""
    folder = machine.folder("downloads")
    for is_wheel in (True, False):
        # pip takes one format per project and run, so wheels and sdists go apart.
        chosen = [file for file in files if file.is_wheel == is_wheel]
        if chosen:
            pins = _pins(machine, chosen)
            names = ",".join(file.name for file in chosen)
            options = ("--only-binary" if is_wheel else "--no-binary", names, "--dest", str(folder))
            arguments = ("--no-deps", "--require-hashes", "-i", index, *options, "-r", pins)
            machine.run("pip", "download", *arguments)
    return digests(folder)


def uv_install(machine: Machine, index: str, files: Sequence[File]) -> Path:
    """Install exactly `files` with uv, and return the folder they are in."""
    target = machine.home / "uv-target"
    options = ("--no-deps", "--require-hashes", "--default-index", index, "--target", str(target))
    machine.run("uv", "pip", "install", *options, "-r", _pins(machine, files))
    return target


def poetry_install(
    machine: Machine, repository: Repository, token: str, files: Sequence[File]
) -> tuple[dict[str, str], Path]:
    """Lock and install with Poetry; return the hashes it locked and where it installed."""
    project = _project(
        machine,
        files,
        "[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\n"
        f'name = "shelf"\nurl = "{repository.simple}"\npriority = "primary"\n',
    )
    variables = {
        "POETRY_HTTP_BASIC_SHELF_USERNAME": "__token__",
        "POETRY_HTTP_BASIC_SHELF_PASSWORD": token,
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    }
    machine.run("poetry", "lock", within=project, **variables)
    machine.run("poetry", "install", within=project, **variables)
    return _locked(project / "poetry.lock"), _site_packages(project / ".venv")


def pdm_install(
    machine: Machine, repository: Repository, token: str, files: Sequence[File]
) -> tuple[dict[str, str], Path]:
    """Lock and install with PDM; return the hashes it locked and where it installed."""
    project = _project(
        machine,
        files,
        "[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\n"
        f'name = "pypi"\nurl = "{signed_in(repository.simple, "${SHELF_TOKEN}")}"\n',
    )
    # Otherwise PDM installs into the environment of whichever interpreter it finds first.
    machine.run("pdm", "venv", "create", _HERE, within=project)
    machine.run("pdm", "use", "--venv", "in-project", within=project)
    machine.run("pdm", "lock", within=project, SHELF_TOKEN=token)
    machine.run("pdm", "install", within=project, SHELF_TOKEN=token)
    return _locked(project / "pdm.lock"), _site_packages(project / ".venv")


def hatch_install(machine: Machine, index: str, files: Sequence[File]) -> Path:
    """Make a Hatch environment that finds its index in a variable; return where it installed."""
    pins = ", ".join(f'"{file.name}=={file.version}"' for file in files)
    project = _project(
        machine, [], f"[tool.hatch.envs.default]\nskip-install = true\ndependencies = [{pins}]\n"
    )
    machine.run("hatch", "env", "create", within=project, PIP_INDEX_URL=index)
    found = machine.run("hatch", "env", "find", within=project)
    return _site_packages(Path(found.strip()))


def assert_holds(target: Path, files: Sequence[File]) -> None:
    """Compare every file in the wheels with what was installed into `target`."""
    for file in files:
        with zipfile.ZipFile(file.path) as wheel:
            for member in wheel.namelist():
                # RECORD is rewritten by installers; .data goes elsewhere.
                if member.endswith(("/", "/RECORD")) or ".data/" in member:
                    continue
                assert (target / member).read_bytes() == wheel.read(member), member


def _pins(machine: Machine, files: Sequence[File]) -> str:
    path = machine.home / "pins.txt"
    path.write_text("\n".join(file.pin for file in files))
    return os.fspath(path)


def _project(machine: Machine, files: Sequence[File], tool: str) -> Path:
    project = machine.folder("consumer")
    dependencies = ", ".join(f'"{file.name}=={file.version}"' for file in files)
    text = _PROJECT.format(here=_HERE, dependencies=dependencies)
    (project / "pyproject.toml").write_text(text + tool)
    return project


def _locked(lock: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a lock file, by name; Poetry's and PDM's are alike."""
    packages = tomllib.loads(lock.read_text())["package"]
    files = [file for package in packages for file in package["files"]]
    return {_filename(file): file["hash"].removeprefix("sha256:") for file in files}


def _filename(file: dict[str, str]) -> str:
    return file.get("file") or file["url"].rpartition("/")[2]


def _site_packages(environment: Path) -> Path:
    return environment / "lib" / f"python{_HERE}" / "site-packages"
