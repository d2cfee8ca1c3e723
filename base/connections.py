"""Gives the database connection of a request back before its answer has gone out."""

from __future__ import annotations

from django.db import connection


def give_back() -> None:
    """Let others have the connection: a client that reads slowly must not hold it for so long.

    Whatever asks again opens one again. Inside a transaction, as in tests, it is kept.
    """
    if not connection.in_atomic_block:
        connection.close()
