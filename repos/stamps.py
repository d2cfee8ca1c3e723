"""Moves and reads the stamps of repositories (see base.stamps for what a stamp is)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from psycopg import Cursor

from base.quick_rows import get, update
from base.stamps import Stamp, new_nonce
from repos.models import Repository, RepositoryState

_NO_ROW = 0
_KEPT = tuple(
    field.name
    for field in RepositoryState._meta.concrete_fields  # noqa: SLF001 - Django's public way
    if not field.primary_key
)

_ABOUT_ACCESS = f"SELECT {_NO_ROW}, epoch, 0, nonce FROM base_accessstamp"  # noqa: S608 - a number
_ABOUT_REPOSITORIES = (
    "SELECT repository_id, epoch, serial, nonce FROM repos_repositorystate WHERE repository_id"
)
# The same for PostgreSQL, which is told the repositories as an array, and says it all in one text:
# that is compared at once with what it said before.
QUESTION_OF_ANY = (
    "SELECT string_agg(concat_ws(' ', pk, epoch, serial, nonce), ',') "  # noqa: S608 - of constants
    f"FROM ({_ABOUT_ACCESS} UNION ALL {_ABOUT_REPOSITORIES} = ANY($1::bigint[])) "
    "AS found (pk, epoch, serial, nonce)"
)
# The access stamp, and those of the repositories that are there.
Answered = tuple[Stamp, Mapping[int, Stamp]]


def move_epoch(repository: Repository) -> None:
    """Say that the repository's settings, members or upstream have changed."""
    RepositoryState.objects.filter(repository=repository).update(
        epoch=F("epoch") + 1, nonce=new_nonce()
    )


def locked_state(repository_id: int) -> RepositoryState:
    """Return the state row, locked until the transaction ends.

    Take it last: the lock is what makes the order of serials the order of commits, and every
    other change of the repository waits for it.
    """
    return get(RepositoryState, lock=True, repository_id=repository_id)


def move_serial(state: RepositoryState) -> int:
    """Save a locked state with the next serial, which says that contents changed; return it."""
    state.serial += 1
    state.nonce = new_nonce()
    update(state, *_KEPT)
    return state.serial


def stamp(repository_id: int) -> Stamp:
    """Return the present stamp of one repository."""
    return RepositoryState.objects.get(repository_id=repository_id).stamp


def stamps(repository_ids: Iterable[int]) -> dict[int, Stamp]:
    """Return the present stamps of several repositories, in one question."""
    rows = RepositoryState.objects.filter(repository_id__in=repository_ids)
    return {row.repository_id: row.stamp for row in rows}


def stamps_by(connection: BaseDatabaseWrapper, repositories: Collection[int]) -> Answered:
    """Ask by a connection. The question is SQL: by the ORM, making it costs more than asking it."""
    return answered(_rows(connection, _question(repositories)))


def answered(rows: Iterable[tuple[int, int, int, str]]) -> Answered:
    """Return what the rows of a question say."""
    access, stamps = Stamp(epoch=0, serial=0, nonce=""), {}
    for pk, epoch, serial, nonce in rows:
        if pk == _NO_ROW:
            access = Stamp(epoch, serial, nonce)
        else:
            stamps[pk] = Stamp(epoch, serial, nonce)
    return access, stamps


def answered_in_text(text: str) -> Answered:
    """Return what PostgreSQL's answer to `QUESTION_OF_ANY` says."""
    rows = (each.split(" ") for each in text.split(",") if each)
    return answered((int(pk), int(epoch), int(serial), nonce) for pk, epoch, serial, nonce in rows)


def _question(repositories: Collection[int]) -> str:
    if not repositories:
        return _ABOUT_ACCESS
    numbers = ",".join(str(int(each)) for each in repositories)
    return f"{_ABOUT_ACCESS} UNION ALL {_ABOUT_REPOSITORIES} IN ({numbers})"


def _rows(connection: BaseDatabaseWrapper, question: str) -> list[tuple[int, int, int, str]]:
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(question)
            return list(cursor.fetchall())
    # At each upload, and without values: half of the time goes to what Django's cursor does beside
    # asking.
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return Cursor(connection.connection).execute(question).fetchall()
