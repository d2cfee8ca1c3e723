"""A search is stopped when it takes too long, in one statement or in many."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from packages.search.engines import SearchTooSlow, within_seconds

_BUSY_SECONDS = 0.2
_BUSY = {
    "postgresql": f"SELECT pg_sleep({_BUSY_SECONDS})",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 600000)"
    " SELECT max(i) FROM n",
}


def be_busy(times: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute(_BUSY[connection.vendor])


@pytest.mark.django_db
def test_statements_share_one_time() -> None:
    with within_seconds(60):
        be_busy(1)
    with pytest.raises(SearchTooSlow, match="took too long and was stopped"), within_seconds(0.5):
        be_busy(200)


@pytest.mark.django_db
def test_another_fault_is_no_want_of_time() -> None:
    with pytest.raises(OperationalError, match="elsewhere"), within_seconds(60):
        raise OperationalError("elsewhere")


@pytest.mark.django_db
def test_the_limit_ends_with_the_search() -> None:
    with pytest.raises(SearchTooSlow), within_seconds(0.001):
        be_busy(200)
    be_busy(1)
