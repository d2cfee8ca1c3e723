"""The world of the access table, made once for all tests of a module."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from tests.access.asking import connection_kept
from tests.access.world import World, quick_and_stored_in


@pytest.fixture(scope="module")
def shared_world(
    django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Path]]:
    """Everybody and every place, in a transaction that is rolled back after the module."""
    folder = tmp_path_factory.mktemp("access")
    logging.disable()  # thousands of refusals, each with its line
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        connection_kept(),
        quick_and_stored_in(folder),
    ):
        yield World(), folder
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(
    shared_world: tuple[World, Path], db: None, own_storage: None, monkeypatch
) -> Iterator[World]:
    """The world, as it was made; what a test changes is undone with the transaction of `db`."""
    made, folder = shared_world
    monkeypatch.setattr("portal.middleware.LEASE_SECONDS", 0)
    with quick_and_stored_in(folder):
        yield made
