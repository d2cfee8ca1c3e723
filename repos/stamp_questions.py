"""Asks the database for the stamps of the moment, hundreds of times a second, and never for long.

On PostgreSQL by libpq itself (`psycopg.pq`): what cursors do beside asking takes twice as long as
the question, and none of them can be told how long to wait.
"""

from __future__ import annotations

import select
import time
from collections.abc import Collection, Sequence

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import OperationalError
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from repos.stamps import QUESTION_OF_ANY, Answered, answered, stamps_by

# A question may be lost on the way, and its connection not know for minutes.
ANSWERED_WITHIN_SECONDS = 1.0
_PREPARED = b"larder_stamps"


class StampsInDatabase:
    """Asks by a connection of its own, which it keeps. For one thread at a time."""

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None
        self._ask: _PreparedQuestion | None = None

    def __call__(self, repositories: Collection[int]) -> Answered:
        """Return the access stamp and those of the repositories. Raises django.db.Error."""
        connection = self._connection or self._connected()
        try:
            if self._ask is None:
                return stamps_by(connection, repositories)
            with connection.wrap_database_errors:
                return answered(self._ask(repositories))
        except Error:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._ask = None

    def _connected(self) -> BaseDatabaseWrapper:
        connection = connections.create_connection("default")
        connection.inc_thread_sharing()  # by turns
        connection.ensure_connection()
        self._connection = connection
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors:
                self._ask = _PreparedQuestion(connection.connection.pgconn)
        return connection


class _PreparedQuestion:
    """The question, made once for a connection; PostgreSQL keeps how it goes about it."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        _require(pgconn.prepare(_PREPARED, QUESTION_OF_ANY.encode()), ExecStatus.COMMAND_OK)
        self._answers = select.poll()
        self._answers.register(pgconn.socket, select.POLLIN)

    def __call__(self, repositories: Collection[int]) -> Sequence[tuple[int, int, int, str]]:
        """Return the rows. Raises psycopg's OperationalError, also where none come in time."""
        pgconn, until = self._pgconn, time.monotonic() + ANSWERED_WITHIN_SECONDS
        numbers = ",".join(map(str, repositories))
        pgconn.send_query_prepared(_PREPARED, [f"{{{numbers}}}".encode()])
        pgconn.flush()
        while pgconn.is_busy():
            left = until - time.monotonic()
            if left <= 0 or not self._answers.poll(left * 1000):
                raise OperationalError("The database does not say in time what the stamps are.")
            pgconn.consume_input()
        result = pgconn.get_result()
        while pgconn.get_result() is not None:
            pass
        return _rows(_require(result, ExecStatus.TUPLES_OK))


def _require(result: PGresult | None, status: ExecStatus) -> PGresult:
    if result is None or result.status != status:
        told = b"nothing" if result is None else result.error_message
        raise OperationalError(f"Asked for stamps, the database said: {told.decode()}")
    return result


def _rows(result: PGresult) -> list[tuple[int, int, int, str]]:
    """Return what libpq has as text."""
    rows = []
    for row in range(result.ntuples):
        pk, epoch, serial, nonce = (result.get_value(row, column) or b"" for column in range(4))
        rows.append((int(pk), int(epoch), int(serial), nonce.decode()))
    return rows
