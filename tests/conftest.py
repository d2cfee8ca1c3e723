"""What every test may ask for: the cast, storage of its own, a clock to move."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from base import clock
from tests import cast as people
from tests import properties as properties  # noqa: PLC0414 - loads the profile of property tests


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the second engine's run be of those tests alone that it can answer otherwise."""
    parser.addoption(
        "--with-database",
        action="store_true",
        help="run the tests that use a database; the others say the same on every engine",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what never comes near a database, where that was asked for."""
    if not config.getoption("--with-database"):
        return
    without = [item for item in items if not _uses_database(item)]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if _uses_database(item)]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep in a line or two what failed: `make test` tells it at its end, below all the output."""
    kept = os.environ.get("LARDER_TEST_FAILURES")
    if report.failed and kept and "PYTEST_XDIST_WORKER" not in os.environ:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = f"{crash.path}:{crash.lineno}: {crash.message}" if crash else str(report.longrepr)
        with Path(kept).open("a", encoding="utf-8") as file:
            file.write(f"{report.nodeid} ({report.when})\n    {said[:500]}\n")


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    has_mark = item.get_closest_marker("django_db") is not None
    return has_mark or not fixtures.isdisjoint({"db", "transactional_db"})


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the present time."""
        return self.time

    def move(self, **delta: float) -> None:
        """Let time pass."""
        self.time += timedelta(**delta)


@pytest.fixture(scope="session")
def django_db_modify_db_settings_tox_suffix() -> None:
    """Keep SQLite's test database in a file: threads of one test then share it as processes do."""
    settings = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        settings["TEST"]["NAME"] = f"{os.environ['LARDER_TEST_HOME']}/tests.sqlite3"


@pytest.fixture
def cast(db: None) -> people.Cast:
    """Everybody: see tests.cast."""
    return people.assemble()


@pytest.fixture
def time() -> Iterator[MovableClock]:
    """A clock that the test moves."""
    movable = MovableClock()
    with clock.use(movable):
        yield movable


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What a wrong credential would have waited for its answer; no test waits itself."""
    waited: list[float] = []
    monkeypatch.setattr("accounts.throttle.sleep", waited.append)
    return waited


@pytest.fixture(autouse=True)
def own_storage(settings: Settings, tmp_path: Path) -> None:
    """Keep blobs and spool in the test's own folder, and static files unhashed."""
    blobs = {
        "BACKEND": "packages.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": tmp_path / "blobs"},
    }
    settings.SPOOL_FOLDER = tmp_path / "spool"
    settings.STORAGES = {
        "blobs": blobs,
        "default": blobs,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
