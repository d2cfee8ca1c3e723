"""How much the tests try: the examples of properties, with which seeds; and the largest tables.

Two profiles of hypothesis. `ci` is loaded where nothing else is said: the same examples each time,
so that a failure is a failure of the change. `fresh` tries examples that nobody has seen: `make
test` does on SQLite, with a seed that it prints. LARDER_TEST_COUNTS=full tries many more of either.

The largest tables, as that of who may do what, are tried on SQLite. Their answers come from the
same code on PostgreSQL, where each caller tries some of their lines again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings

IS_FULL = os.environ.get("LARDER_TEST_COUNTS") == "full"
IS_ON_POSTGRES = os.environ.get("LARDER_DATABASE_URL", "").startswith("postgres")
_MORE = 20
# An example may take long on a busy machine, and shares its fixtures with the others: what it
# changes it puts back.
_BOUNDED = settings(
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("ci", _BOUNDED, derandomize=True)
settings.register_profile("fresh", _BOUNDED)
settings.load_profile("ci")


Line = TypeVar("Line")


def lines(table: Sequence[Line], number: int) -> Sequence[Line]:
    """Return a table; on PostgreSQL every third line of it, others for the next number."""
    return table if IS_FULL or not IS_ON_POSTGRES else table[number % 3 :: 3]


def examples(count: int) -> settings:
    """Return the settings of a property that is tried with `count` examples in every run."""
    return settings(max_examples=count * _MORE if IS_FULL else count)
