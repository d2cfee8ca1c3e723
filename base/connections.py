"""How a request holds its database connection, and what its transactions wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


def give_back() -> None:
    """Let others have the connection: a client that reads slowly must not hold it for so long.

    Whatever asks again opens one again. Inside a transaction, as in tests, it is kept.
    """
    if not connection.in_atomic_block:
        connection.close()


@contextmanager
def not_waiting_for_the_disk() -> Iterator[None]:
    """One transaction of its own, which a power cut may take back right after its end.

    What commits later is never there without it. SQLite waits all the same, and within another
    transaction it is that one which says what it waits for.
    """
    may_not_wait = connection.vendor == "postgresql" and not connection.in_atomic_block
    with transaction.atomic():
        if may_not_wait:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit TO off")
        yield
