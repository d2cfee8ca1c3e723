"""Asks the database for the stamps of the moment, hundreds of times a second, and never for long.

By a connection of its own beside the pool, whose other users may hold all of it. On PostgreSQL by
libpq itself (`psycopg.pq`): what cursors do beside asking takes twice as long as the question, and
none of them can be told how long to wait.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import OperationalError
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from repos.stamps import QUESTION_OF_ANY, Answered, answered_in_text, stamps_by

# A question may be lost on the way, and its connection not know for minutes.
ANSWERED_WITHIN_SECONDS = 1.0
# The shortest that libpq takes; it is asked for the stamps once for each connection.
_CONNECTED_WITHIN = {"connect_timeout": 2, "tcp_user_timeout": 2_000}
_PREPARED = b"larder_stamps"


class StampsInDatabase:
    """Asks by a connection that it keeps. For one thread at a time."""

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None
        self._ask: _PreparedQuestion | None = None

    def __call__(self, repositories: Collection[int]) -> Answered:
        """Return the access stamp and those of the repositories. Raises django.db.Error.

        What has not changed since the last question is the same object.
        """
        connection = self._connection = self._connection or _wrapper()
        with self._closed_on_error(connection):
            if connection.vendor != "postgresql":
                return stamps_by(connection, repositories)
            if self._ask is None:
                connection.ensure_connection()
                self._ask = _PreparedQuestion(connection.connection.pgconn)
            self._ask.send(repositories)
            return self._ask.answer()

    def begin(self, repositories: Collection[int]) -> Callable[[], Answered] | None:
        """Send the question and return what waits for its answer, as a call would.

        None: it would take longer than sending. Raises django.db.Error.
        """
        if self._connection is None or self._ask is None:
            return None  # SQLite, or nobody has asked by this connection yet
        with self._closed_on_error(self._connection):
            self._ask.send(repositories)
        return partial(self._answered, self._connection, self._ask)

    def _answered(self, connection: BaseDatabaseWrapper, ask: _PreparedQuestion) -> Answered:
        with self._closed_on_error(connection):
            return ask.answer()

    @contextmanager
    def _closed_on_error(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        try:
            with connection.wrap_database_errors:
                yield
        except Error:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._ask = None


def _wrapper() -> BaseDatabaseWrapper:
    connection = connections.create_connection("default")
    connection.inc_thread_sharing()  # by turns
    if connection.vendor == "postgresql":
        options = {**connection.settings_dict["OPTIONS"], **_CONNECTED_WITHIN}
        options.pop("pool", None)
        connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
    return connection


class _PreparedQuestion:
    """The question, made once for a connection; PostgreSQL keeps how it goes about it."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._text, self._said = b"", answered_in_text("")
        pgconn.send_prepare(_PREPARED, QUESTION_OF_ANY.encode())
        self._answer(ExecStatus.COMMAND_OK)

    def send(self, repositories: Collection[int]) -> None:
        """Ask. Raises psycopg's OperationalError."""
        numbers = ",".join(map(str, repositories))
        self._pgconn.send_query_prepared(_PREPARED, [f"{{{numbers}}}".encode()])

    def answer(self) -> Answered:
        """Return what the stamps are; the same object for the same text.

        Raises psycopg's OperationalError, also where no answer comes in time.
        """
        text = self._answer(ExecStatus.TUPLES_OK).get_value(0, 0) or b""
        if text != self._text:
            self._said, self._text = answered_in_text(text.decode()), text
        return self._said

    def _answer(self, status: ExecStatus) -> PGresult:
        """Return the one result of what was sent, and leave the connection ready for the next."""
        pgconn, until = self._pgconn, time.monotonic() + ANSWERED_WITHIN_SECONDS
        while pgconn.flush():
            self._wait(select.POLLIN | select.POLLOUT, until)
            pgconn.consume_input()
        results: list[PGresult] = []
        while True:
            while pgconn.is_busy():
                self._wait(select.POLLIN, until)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                break
            results.append(result)
        if [each.status for each in results] != [status]:
            told = b" ".join(each.error_message for each in results).decode(errors="replace")
            raise OperationalError(f"Asked for stamps, the database said: {told}")
        return results[0]

    def _wait(self, events: int, until: float) -> None:
        ready, left = select.poll(), until - time.monotonic()
        ready.register(self._pgconn.socket, events)
        if left <= 0 or not ready.poll(left * 1000):
            raise OperationalError("The database does not say in time what the stamps are.")
