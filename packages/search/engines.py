"""All SQL of the search that is a database's own: patterns, byte order, words, and time limits.

What the two databases do here is the same to the letter; tests compare both with one model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func
from django.db.models.sql.compiler import SQLCompiler

from base.errors import LarderError
from packages.search.language import Operator, Pattern, Wildcard

_CHECKED_EVERY = 10_000  # of SQLite's steps

Compiled = tuple[str, tuple[str | int, ...]]


class SearchTooSlow(LarderError):
    """The database was not done in time and was stopped."""


class _OwnSql(Func):
    """A condition on columns, written for each database; both forms take one parameter."""

    output_field = BooleanField()

    def __init__(self, *columns: str) -> None:
        super().__init__(*map(F, columns))

    def as_sql(  # type: ignore[override]  # Django's own takes more
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: object
    ) -> Compiled:
        """Return the condition as the database of `connection` has it."""
        columns = [compiler.compile(each)[0] for each in self.get_source_expressions()]
        is_postgresql = connection.vendor == "postgresql"
        sql, parameter = (self.on_postgresql if is_postgresql else self.on_sqlite)(*columns)
        return sql, (parameter,)

    def on_postgresql(self, *columns: str) -> tuple[str, str]:
        """Return the condition on these columns for PostgreSQL, and its parameter."""
        raise NotImplementedError

    def on_sqlite(self, *columns: str) -> tuple[str, str]:
        """Return the same for SQLite."""
        raise NotImplementedError


class FitsPattern(_OwnSql):
    """A text that a pattern describes from its beginning to its end, case and all."""

    def __init__(self, column: str, pattern: Pattern) -> None:
        super().__init__(column)
        self.pattern = pattern

    def on_postgresql(self, *columns: str) -> tuple[str, str]:
        """LIKE: what varies is % and _."""
        (column,) = columns
        signs = {Wildcard.ANY: "%", Wildcard.ONE: "_"}
        pattern = "".join(
            signs[each] if isinstance(each, Wildcard) else _escaped(each, "\\%_", "\\{}")
            for each in self.pattern
        )
        return f"{column} LIKE %s", pattern

    def on_sqlite(self, *columns: str) -> tuple[str, str]:
        """GLOB: SQLite's LIKE does not know case."""
        (column,) = columns
        pattern = "".join(
            each.value if isinstance(each, Wildcard) else _escaped(each, "*?[", "[{}]")
            for each in self.pattern
        )
        return f"{column} GLOB %s", pattern


class FolderFits(FitsPattern):
    """A file whose folder, with the slash at its end, a pattern describes; the root is empty."""

    def __init__(self, pattern: Pattern) -> None:
        _OwnSql.__init__(self, "path", "filename")
        self.pattern = pattern

    def on_postgresql(self, *columns: str) -> tuple[str, str]:
        """As of a column."""
        return super().on_postgresql(_folder(*columns))

    def on_sqlite(self, *columns: str) -> tuple[str, str]:
        """As of a column."""
        return super().on_sqlite(_folder(*columns))


def _folder(path: str, filename: str) -> str:
    return f"SUBSTR({path}, 1, LENGTH({path}) - LENGTH({filename}))"


class ComparesByBytes(_OwnSql):
    """A text that stands before or after another by its bytes, whatever the locale."""

    def __init__(self, column: str, operator: Operator, value: str) -> None:
        super().__init__(column)
        self.operator = operator
        self.value = value

    def on_postgresql(self, *columns: str) -> tuple[str, str]:
        """`~<~` and its kin compare bytes, and use the indexes that begin with a text."""
        (column,) = columns
        sign = self.operator.value
        sign = sign if self.operator == Operator.EQUAL else f"~{sign}~"
        return f"{column} {sign} %s", self.value

    def on_sqlite(self, *columns: str) -> tuple[str, str]:
        """SQLite knows no other order."""
        (column,) = columns
        return f"{column} {self.operator.value} %s", self.value


class HoldsWord(_OwnSql):
    """A document one of whose words, in `about` or `words`, begins so."""

    def __init__(self, column: str, word: str) -> None:
        super().__init__("project_id")
        self.column = column
        self.word = word

    def on_postgresql(self, *columns: str) -> tuple[str, str]:
        """The vectors of migration 0009_search_words stand beside the columns."""
        table = columns[0].rpartition(".")[0]
        return f'{table}."{self.column}_vector" @@ %s::tsquery', f"'{self.word}':*"

    def on_sqlite(self, *columns: str) -> tuple[str, str]:
        """FTS5 over the same words."""
        table = "packages_document_words"
        found = f"SELECT rowid FROM {table} WHERE {table} MATCH %s"  # noqa: S608 - our own names
        return f"{columns[0]} IN ({found})", f'{{{self.column}}} : "{self.word}" *'


def _escaped(text: str, special: str, form: str) -> str:
    return "".join(form.format(char) if char in special else char for char in text)


@contextmanager
def within_seconds(seconds: float) -> Iterator[None]:
    """Stop what the database does in the block when it takes longer. Raises SearchTooSlow."""
    until = time.monotonic() + seconds
    try:
        with _stopped_after(seconds):
            yield
    except OperationalError as error:
        if time.monotonic() < until:  # it broke for another reason
            raise
        raise SearchTooSlow(
            "The search took too long and was stopped. Add a condition that few files meet."
        ) from error


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    if connection.vendor == "postgresql":
        # A transaction, for which the settings hold.
        with transaction.atomic(), connection.cursor() as cursor:
            # To start more processes takes longer than most searches.
            cursor.execute("SELECT set_config('max_parallel_workers_per_gather', '0', true)")
            with connection.execute_wrapper(_LeftOf(seconds)):
                yield
        return
    # Without a transaction: on SQLite each would wait for, and hold up, whoever writes.
    until = time.monotonic() + seconds
    connection.ensure_connection()
    own: Any = connection.connection
    own.set_progress_handler(lambda: time.monotonic() > until, _CHECKED_EVERY)
    try:
        yield
    finally:
        own.set_progress_handler(None, 0)


class _LeftOf:
    """Gives each statement what those before it have left of the time; PostgreSQL knows no sum."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:  # noqa: ANN401 - Django's hook
        """Run one statement."""
        left = max(1, round(1000 * (self._until - time.monotonic())))  # 0 would be "for ever"
        own: Any = connection.connection  # beneath the wrappers, of which this is one
        own.execute("SELECT set_config('statement_timeout', %s, true)", [f"{left}ms"])
        return execute(*statement)
