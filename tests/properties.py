"""How much the tests try: the examples of properties, with which seeds; and the largest tables.

Two profiles of hypothesis. `ci` is loaded where nothing else is said: the same examples each time,
so that a failure is a failure of the change. `fresh` tries examples that nobody has seen: `make
test` does on SQLite, with a seed that it prints. LARDER_TEST_COUNTS=full tries many more of either.

The largest tables, as that of who may do what, are tried half on SQLite and half on PostgreSQL:
their answers come from the same code, and each line meets every other caller on either.
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
    """Return every other line of a table: the others for the next number and the other engine."""
    return table if IS_FULL else table[(number + IS_ON_POSTGRES) % 2 :: 2]


def examples(count: int) -> settings:
    """Return the settings of a property that is tried with `count` examples in every run."""
    return settings(max_examples=count * _MORE if IS_FULL else count)
