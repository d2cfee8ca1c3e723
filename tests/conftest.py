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
