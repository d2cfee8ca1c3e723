"""Reads and writes single rows by SQL that is made once for each model.

Django makes the SQL of a query anew each time, which takes several times as long as the database
takes to answer it. That is well spent everywhere but in what happens at each upload, some twenty
times in a row. The values are the same: fields convert them as they do for Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.db.models import Field, Model, QuerySet

M = TypeVar("M", bound=Model)
T = TypeVar("T")
AnyField = Field[Any, Any]
# Of a row that there is not, in a question before it is asked.
_STAND_IN = -(2**31)


def find(model: type[M], *, lock: bool = False, **equal: object) -> M | None:
    """Return the one row whose fields, by their columns' attributes, are `equal`.

    With `lock` nobody else changes it until the transaction ends; rows that refer to it are still
    written.
    """
    sql, fields = _selecting(model, tuple(equal), lock=lock and _locks_rows())
    with connection.cursor() as cursor:
        cursor.execute(sql, _prepared(model, equal))
        found = cursor.fetchone()
    if found is None:
        return None
    values = [_converted(field, value) for field, value in zip(fields, found, strict=True)]
    return model.from_db(connection.alias, [field.attname for field in fields], values)


def get(model: type[M], *, lock: bool = False, **equal: object) -> M:
    """Return the same row; raises ObjectDoesNotExist."""
    found = find(model, lock=lock, **equal)
    if found is None:
        raise ObjectDoesNotExist(f"There is no such {model.__name__}.")
    return found


def insert(row: M) -> M:
    """Insert a new row, as `save` does where nobody listens to signals; return it with its id."""
    _insert(row, or_leave=False)
    return row


def insert_or_leave(row: Model) -> bool:
    """Insert a row in whose place nobody else's is, waiting for who is about to; say whether."""
    return _insert(row, or_leave=True)


def _insert(row: Model, *, or_leave: bool) -> bool:
    is_numbered = row.pk is None
    sql, fields = _inserting(type(row), is_numbered=is_numbered, or_leave=or_leave)
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchone()
    if found is None:
        return False
    if is_numbered:
        (row.pk,) = found
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as Django does
    return True


def update(row: Model, *names: str) -> None:
    """Write these fields of a row. Raises ObjectDoesNotExist when it has gone."""
    if not update_while(row, *names):
        raise ObjectDoesNotExist(f"There is no such {type(row).__name__}.")


def update_while(row: Model, *names: str, **equal: object) -> bool:
    """Write these fields of a row if, in the database, others are `equal`; say whether."""
    model = type(row)
    fields = [_field(model, name) for name in names]
    values = [
        field.get_db_prep_save(field.pre_save(row, add=False), connection) for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _updating(model, names, tuple(equal)), [*values, row.pk, *_prepared(model, equal)]
        )
        return bool(cursor.rowcount)


def remove(model: type[Model], **equal: object) -> int:
    """Delete the rows whose fields are `equal`, to which no others refer; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {_table(model)} WHERE {_where(model, tuple(equal))}",  # noqa: S608 - names of columns
            _prepared(model, equal),
        )
        return int(cursor.rowcount)


class Question(Generic[T]):
    """A query for plain values about one row, whose SQL is made when it is first asked."""

    def __init__(self, about: Callable[[int], QuerySet[Any, T]]) -> None:
        """Take what returns the query about the row of an id, with `values_list`."""
        self._about = about
        self._made: dict[str, tuple[str, Sequence[object]]] = {}

    def ask(self, pk: int) -> list[T]:
        """Return what there is about the row `pk`, as the database tells it."""
        if connection.vendor not in self._made:
            query = self._about(_STAND_IN).query
            self._made[connection.vendor] = query.sql_with_params()
        sql, values = self._made[connection.vendor]
        asked: list[Any] = [pk if _is_stand_in(each) else each for each in values]
        with connection.cursor() as cursor:
            cursor.execute(sql, asked)
            return list(cursor.fetchall())


def _is_stand_in(value: object) -> bool:
    return isinstance(value, int) and value == _STAND_IN


def _locks_rows() -> bool:
    return bool(connection.features.has_select_for_update)


@lru_cache(maxsize=256)
def _selecting(
    model: type[Model], names: tuple[str, ...], *, lock: bool
) -> tuple[str, list[AnyField]]:
    fields = list(model._meta.concrete_fields)  # noqa: SLF001 - Django's public way
    sql = f"SELECT {_columns(fields)} FROM {_table(model)} WHERE {_where(model, names)}"  # noqa: S608 - names of columns
    return f"{sql} FOR NO KEY UPDATE" if lock else sql, fields


@lru_cache(maxsize=256)
def _inserting(
    model: type[Model], *, is_numbered: bool, or_leave: bool
) -> tuple[str, list[AnyField]]:
    meta = model._meta  # noqa: SLF001 - Django's public way
    fields = [each for each in meta.concrete_fields if not (is_numbered and each.primary_key)]
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {_table(model)} ({_columns(fields)}) VALUES ({places})"  # noqa: S608 - names of columns
    if or_leave:
        sql = f"{sql} ON CONFLICT DO NOTHING"
    return f"{sql} RETURNING {_quoted(meta.pk.column)}", fields


@lru_cache(maxsize=256)
def _updating(model: type[Model], names: tuple[str, ...], equal: tuple[str, ...]) -> str:
    written = ", ".join(f"{_quoted(_field(model, name).column)} = %s" for name in names)
    where = _where(model, (model._meta.pk.name, *equal))  # noqa: SLF001 - Django's public way
    return f"UPDATE {_table(model)} SET {written} WHERE {where}"  # noqa: S608 - names of columns


def _where(model: type[Model], names: Iterable[str]) -> str:
    return " AND ".join(f"{_quoted(_field(model, name).column)} = %s" for name in names)


def _columns(fields: Iterable[AnyField]) -> str:
    return ", ".join(_quoted(field.column) for field in fields)


def _table(model: type[Model]) -> str:
    return _quoted(model._meta.db_table)  # noqa: SLF001 - Django's public way


def _quoted(name: str | None) -> str:
    return f'"{name}"'  # both databases


def _field(model: type[Model], name: str) -> AnyField:
    return cast("AnyField", model._meta.get_field(name))  # noqa: SLF001 - Django's public way


def _prepared(model: type[Model], equal: Mapping[str, object]) -> list[Any]:
    if None in equal.values():
        raise ValueError("Nothing equals NULL in SQL.")
    return [
        _field(model, name).get_db_prep_value(value, connection) for name, value in equal.items()
    ]


def _converted(field: AnyField, value: object) -> object:
    if _is_converted(field, connection.vendor):
        for convert in _converters(field):
            value = convert(value, field.cached_col, connection)
    return value


@lru_cache(maxsize=1024)
def _is_converted(field: AnyField, _vendor: str) -> bool:
    """Say whether the database gives another value than Django, which it does of few fields."""
    return bool(_converters(field))


def _converters(field: AnyField) -> list[Callable[..., object]]:
    column = field.cached_col
    return [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
