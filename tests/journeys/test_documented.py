"""What the pages for each audience have somebody do, done as it stands by real clients."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml

from tests.clients import NOBODY_LISTENS, client
from tests.dists import make_wheel
from tests.journeys import documented
from tests.journeys.devpis import devpi_with
from tests.journeys.distributions import File, paths, wheels
from tests.journeys.documented import Desk
from tests.journeys.indexes import static_index
from tests.journeys.installers import hashes, served
from tests.journeys.larder import ADMIN_PASSWORD, Larder, embedded
from tests.journeys.machine import digests, sha256_of

INDEX = "https://index.example/simple/"
_PROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "frog"
version = "{version}"
description = "It croaks"
requires-python = ">=3.9"
"""
_CONSUMER = """
[project]
name = "consumer"
version = "1.0"
requires-python = ">=3.11,<4"
dependencies = []
[tool.poetry]
package-mode = false
[tool.pdm]
distribution = false
"""
_THREE = (
    ["create_tenant", "acme"],
    ["create_user", "ann", "--tenant", "acme"],
    ["create_repository", "acme/pypi-local"],
    ["create_repository", "acme/pypi-remote", "--kind", "remote", "--upstream", INDEX],
    [
        *("create_repository", "acme/pypi-virtual", "--kind", "virtual"),
        *("--member", "acme/pypi-local", "--member", "acme/pypi-remote"),
    ],
    ["grant", "acme/pypi-local", "--user", "ann", "--role", "writer"],
)
_PRODUCTION = (
    ["create_repository", "acme/production"],
    ["grant", "acme/production", "--user", "ann", "--role", "writer"],
)

_ADMINISTRATOR = (
    ["create_tenant", "acme"],
    ["create_user", "ada", "--tenant", "acme", "--tenant-admin"],
)


@pytest.fixture(scope="module")
def running() -> Iterator[Larder]:
    """Larder where remotes may point at this machine."""
    with embedded({"LARDER_PRIVATE_UPSTREAMS": "allow"}) as larder:
        yield larder


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index that others run: it has a newt, and what builds a project."""
    newt = _write_wheels(tmp_path_factory.mktemp("index") / "files", ("newt", "1.0"))
    with static_index([*newt, *wheels("flit-core")]) as url:
        yield url


Opened = Callable[[str], Desk]


@pytest.fixture
def desk_with(running: Larder, index: str, command_site: Path, tmp_path: Path) -> Opened:
    """Opens a page on a desk with all clients and nobody logged in."""
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    known = documented.desk_environment(command_site, home)
    known |= {
        "LARDER": f"{running.url}/api/v1",
        "WHO": f"admin:{ADMIN_PASSWORD}",
        # Installs go here, not into the clients' own environments.
        "PIP_TARGET": str(tmp_path / "installed"),
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    }

    def opened(page: str) -> Desk:
        if "manage.py" in documented.text_of(page):  # it is followed where Larder runs
            known.update(documented.where_larder_runs(running, folder))
        return Desk(running, page, folder, known, {INDEX: index})

    return opened


def test_a_publisher_comes_from_a_folder_to_a_file_that_others_install(desk_with: Opened) -> None:
    desk = desk_with("publishing.md")
    desk.prepare(*_THREE, *_PRODUCTION)
    _write_frog(desk.folder, "1.0")
    desk.environment["UV_DEFAULT_INDEX"] = desk.hosts[INDEX]
    desk.environment["SOURCE_DATE_EPOCH"] = "1700000000"  # flit builds the very same bytes again
    name, content = make_wheel("frog", "1.0", description="Not the frog that was published.")
    (desk.folder / "other").mkdir()
    (desk.folder / "other" / name).write_bytes(content)
    desk.follow()
    assert list(desk.folder.glob("env/lib/*/site-packages/frog.py"))
    _write_frog(desk.folder, "1.1")
    shutil.rmtree(desk.folder / "dist")
    workflow = documented.file_in(desk.text, ".github/workflows/publish.yml")
    secret = (desk.folder / "ci-token").read_text().strip()
    jobs = yaml.safe_load(workflow.replace("${{ secrets.LARDER_TOKEN }}", secret))["jobs"]
    (job,) = jobs.values()
    does = [step["run"] for step in job["steps"] if "run" in step]
    documented.run_all(does, desk.folder, desk.environment | job["env"])
    assert set(served(desk.repository("pypi-local"), "frog", secret)) == {
        f"frog-{version}{rest}"
        for version in ("1.0", "1.1")
        for rest in ("-py3-none-any.whl", ".tar.gz")
    }


def test_a_consumer_gets_everything_from_one_url(desk_with: Opened) -> None:
    desk = desk_with("installing.md")
    desk.prepare(*_THREE)
    name, content = make_wheel("frog", "1.0")
    (desk.folder / name).write_bytes(content)
    desk.as_admin(f"larder publish --to acme/pypi-local {name}")
    for project in ("with-poetry", "with-pdm"):
        (desk.folder / project).mkdir()
        (desk.folder / project / "pyproject.toml").write_text(_CONSUMER)
    desk.follow()
    installed = {path.name for path in Path(desk.environment["PIP_TARGET"]).iterdir()}
    assert {"frog.py", "newt.py"} <= installed
    for found in (
        "env/lib/*/site-packages/frog.py",
        "with-poetry/poetry.lock",
        "with-pdm/pdm.lock",
    ):
        assert list(desk.folder.glob(found)), found
    for file in desk.folder.parent.rglob("*"):
        is_login = file.name == "logins.json"
        assert is_login or not file.is_file() or b"lra_" not in file.read_bytes(), file


def test_answers_mean_what_the_page_for_consumers_says(desk_with: Opened) -> None:
    desk = desk_with("installing.md")
    desk.prepare(
        ["create_tenant", "answers"],
        ["create_user", "anna", "--tenant", "answers"],
        ["create_tenant", "others"],
        ["create_repository", "others/shelf"],
        ["create_repository", "answers/shelf"],
        ["create_repository", "answers/unset", "--kind", "remote"],
        ["create_repository", "answers/away", "--kind", "remote", "--upstream", NOBODY_LISTENS],
    )
    anna = ("anna", (desk.folder / "password").read_text().strip())
    scenes: dict[int, list[tuple[str, tuple[str, str] | None]]] = {
        401: [("answers/shelf/simple/frog/", None)],
        403: [("others/shelf/simple/frog/", anna)],
        404: [("answers/shelf/simple/frog/", anna)],
        410: [("answers/shelves/simple/frog/", anna), ("answers/shelf/frog/", anna)],
        501: [("answers/unset/simple/frog/", anna)],
        503: [("answers/away/simple/frog/", anna)],
    }
    got = {
        status: [
            requests.get(f"{desk.larder.url}/{path}", auth=who, timeout=30).status_code
            for path, who in asked
        ]
        for status, asked in scenes.items()
    }
    assert got == {status: [status] * len(asked) for status, asked in scenes.items()}
    rows = re.findall(r"^\| (\d{3}) \|", desk.text, re.MULTILINE)
    assert rows == [str(status) for status in scenes]


def test_an_administrators_first_hour(desk_with: Opened) -> None:
    desk = desk_with("administration.md")
    (secret,) = desk.larder.manage(["create_user", desk.here("bob"), "--tenant", "main"])
    (desk.folder / desk.here("password-of-bob")).write_text(f"{secret}\n")
    _write_wheels(desk.folder / "dist", ("frog", "1.0"))
    _write_wheels(desk.folder / "old-files", ("frog", "0.9"), ("frog", "1.0"))
    said = desk.follow()
    assert "its patterns leave the name out" in said
    assert f"{desk.here('bob')}\tmember\n" in said
    for secret_file in ("password", "password-of-ann", "token-of-ci"):
        assert (desk.folder / desk.here(secret_file)).stat().st_mode & 0o777 == 0o600
    assert '"status":"quarantined"' in said
    token = (desk.folder / "token-of-ci").read_text().strip()
    assert len(served(desk.repository("pypi-virtual"), "frog", token)) == 2


def test_who_comes_from_google_artifact_registry(desk_with: Opened, tmp_path: Path) -> None:
    desk = desk_with("coming-from-google-artifact-registry.md")
    desk.prepare(*_ADMINISTRATOR)
    _write_wheels(desk.folder / "dist", ("frog", "0.9"), ("frog", "1.0"))
    theirs = _write_wheels(tmp_path / "theirs", ("axolotl", "1.0"), ("salamander", "1.0"))
    desk.environment["PIP_INDEX_URL"] = desk.hosts[INDEX]
    with static_index(theirs) as old:
        desk.hosts["https://registry.example/simple/"] = old
        desk.follow()
    token = (desk.folder / "token").read_text().strip()
    for name in ("axolotl", "salamander"):
        assert served(desk.repository("quickstart"), name, token) == hashes(
            [file for file in theirs if file.name == name]
        )
    assert list(served(desk.repository("quickstart"), "frog", token)) == [
        "frog-1.0-py3-none-any.whl"
    ]


def test_who_comes_from_devpi(desk_with: Opened, tmp_path: Path) -> None:
    desk = desk_with("coming-from-devpi.md")
    desk.prepare(*_ADMINISTRATOR)
    _write_wheels(desk.folder / "dist", ("frog", "1.1"))
    theirs = _write_wheels(tmp_path / "theirs", ("frog", "1.0"), ("toad", "1.5"))
    desk.environment["PATH"] += f":{client('devpi', 'upstreams').parent}"
    data = desk.folder / "devpi-data"
    with devpi_with(desk.here("ann/dev"), paths(theirs), data) as devpi:
        desk.hosts["https://devpi.example/"] = devpi
        while_it_runs, when_it_is_stopped = desk.text.split("## Moving over, all at once")
        desk.follow(while_it_runs)
    desk.follow(when_it_is_stopped)
    moved = digests(desk.folder / "moved")
    assert hashes(theirs).items() <= moved.items()


def _write_wheels(folder: Path, *wanted: tuple[str, str]) -> list[File]:
    folder.mkdir()
    files = []
    for name, version in wanted:
        filename, content = make_wheel(name, version)
        (folder / filename).write_bytes(content)
        files.append(File(folder / filename, name, version, sha256_of(content)))
    return files


def _write_frog(folder: Path, version: str) -> None:
    (folder / "pyproject.toml").write_text(_PROJECT.format(version=version))
    (folder / "frog.py").write_text('"""It croaks."""\n')
