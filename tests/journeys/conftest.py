"""What journeys ask for: a running Larder of either kind, and machines that know nothing of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.journeys import larder as larders
from tests.journeys.documented import copy_client
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine

_LOG_AT_MOST = 20_000
# Few tests of minutes: begun last, they would keep one process busy when the others are done.
_LONGEST = {"test_quiet_period.py", "test_crashes.py"}
_marks = pytest.StashKey[dict[str, list[int]]]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files be the first, whatever the order of the others."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)


@pytest.fixture(scope="session")
def production() -> Iterator[Larder]:
    """Larder on PostgreSQL, S3 and pgmq."""
    with larders.production() as running:
        yield running


@pytest.fixture(scope="session")
def embedded() -> Iterator[Larder]:
    """Larder on SQLite and folders."""
    with larders.embedded() as running:
        yield running


@pytest.fixture(params=["production", "embedded"])
def larder(request: pytest.FixtureRequest) -> Larder:
    """Each of the two."""
    running: Larder = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def repository(larder: Larder) -> Repository:
    """An empty repository."""
    return larder.repository()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any configuration."""
    home = tmp_path / "home"
    home.mkdir()
    return Machine(home)


@pytest.fixture(scope="session")
def command_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the built larder command is installed."""
    folder = tmp_path_factory.mktemp("built")
    tree = copy_client(folder)
    builder = Machine(folder)
    builder.run("flit", "build", "--format", "wheel", within=tree)
    (wheel,) = (tree / "dist").iterdir()
    site = folder / "site"
    where = ("--target", str(site))
    builder.run("pip", "install", "-q", "--no-index", "--no-deps", *where, str(wheel))
    return site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Remember where the logs stand when a test begins, and let nobody's mistakes weigh on it."""
    item.stash[_marks] = {name: each.log_marks() for name, each in _running(item).items()}
    for each in _running(item).values():
        each.forgive()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what Larder logged meanwhile."""
    report = yield
    if report.failed:
        for name, running in _running(item).items():
            marks = item.stash.get(_marks, {}).get(name, [0] * len(running.logs))
            log = running.log_since(marks)[-_LOG_AT_MOST:]
            report.sections.append((f"log of Larder ({name})", log))
    return report


def _running(item: pytest.Item) -> dict[str, Larder]:
    found = getattr(item, "funcargs", {})
    return {name: each for name, each in found.items() if isinstance(each, Larder)}
