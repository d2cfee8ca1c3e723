"""On PostgreSQL no search reads all properties through; bench/search.py tries it with millions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from django.db import connection, transaction

from accounts.principal import Principal
from bench.search import QUESTIONS
from tests import crowds

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite tells its plans in other words"
)
_FILES = 4000


@pytest.fixture(scope="module")
def readers(django_db_setup: None, django_db_blocker) -> Iterator[Mapping[str, Principal]]:
    """Some thousand files with properties, and who searches them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield crowds.fill(_FILES)
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_search_reads_properties_by_index(
    db: None, readers: Mapping[str, Principal], name: str
) -> None:
    for by in readers.values():
        plans = crowds.plans(QUESTIONS[name], by)
        assert plans
        assert [line for plan in plans for line in crowds.reads_all_through(plan)] == []


def test_a_plan_that_reads_all_through_is_known_as_one(db: None, readers) -> None:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT * FROM packages_property WHERE origin = 'archive'")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert crowds.reads_all_through(plan)
