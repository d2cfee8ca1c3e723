"""What a transaction waits for is its own affair."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from base.connections import not_waiting_for_the_disk

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite waits for the disk each time"
)


def waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        (said,) = cursor.fetchone()
    return bool(said != "off")


@pytest.fixture
def waiting(transactional_db: None) -> None:
    """A database that waits, as those of tests do not."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")


@pytest.mark.usefixtures("waiting")
def test_it_alone_does_not_wait() -> None:
    with not_waiting_for_the_disk():
        assert not waits()
    assert waits()


@pytest.mark.usefixtures("waiting")
def test_what_it_stands_in_waits() -> None:
    with transaction.atomic():
        with not_waiting_for_the_disk():
            assert waits()
        assert waits()
