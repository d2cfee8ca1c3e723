"""Bytes before rows: makes a received file durable, then has its rows written or takes it back.

Whoever takes files in (publish, deploy, a remote's fetch) goes this way. An object is noted before
it is put and named by its blob row in the transaction that names the file, so a crash at any point
leaves a note for the sweeper and never a row without its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

from base import clock
from base.connections import not_waiting_for_the_disk
from base.errors import LarderError
from base.quick_rows import find, insert, remove
from base.rows import is_deadlock
from packages import storage
from packages.models import Blob, LooseObject
from packages.storage import Spooled

T = TypeVar("T")

# How often somebody may be faster before it is given up.
RACES_AT_MOST = 5


class RaceLost(Exception):
    """Another process got between our look and our write: look again."""


def write_with_bytes(tenant_id: int, spool: Spooled, write: Callable[[str | None], T]) -> T:
    """Make the bytes durable, then return what `write` writes, given their key if they were put.

    When it raises RaceLost or a refusal, nothing is left of them.
    """
    key = _put_unless_held(tenant_id, spool)
    try:
        return write(key)
    except (LarderError, RaceLost):
        _take_back(key)
        raise


@contextmanager
def writing_rows() -> Iterator[None]:
    """One transaction; RaceLost when somebody else wrote the same rows first."""
    try:
        with transaction.atomic():
            yield
    except (IntegrityError, OperationalError) as error:
        # Somebody wrote the same row first; or, with OperationalError, two waited for each other.
        if isinstance(error, OperationalError) and not is_deadlock(error):
            raise
        raise RaceLost from None


def blob_row(tenant_id: int, spool: Spooled, key: str | None) -> Blob:
    """Return the tenant's row for these bytes; `key` is where they were put, if they were.

    Raises RaceLost when they are no longer where they were.
    """
    now = clock.now()
    if key is None:
        # The update locks the row against the sweeper; no row means that it was faster.
        held = Blob.objects.filter(tenant_id=tenant_id, sha256=spool.sha256)
        if held.update(named_at=now):
            return held.get()
        raise RaceLost
    if not remove(LooseObject, storage_key=key):
        raise RaceLost
    # Others may have put the same bytes meanwhile: their row is in the way, and the race lost.
    return insert(
        Blob(
            tenant_id=tenant_id,
            sha256=spool.sha256,
            sha1=spool.sha1,
            md5=spool.md5,
            blake2b_256=spool.blake2b_256,
            size=spool.size,
            storage_key=key,
            named_at=now,
        )
    )


def _put_unless_held(tenant_id: int, spool: Spooled) -> str | None:
    """Put the bytes into storage and return their key; None when the tenant holds them."""
    if find(Blob, tenant_id=tenant_id, sha256=spool.sha256) is not None:
        return None
    key = storage.new_key(tenant_id, spool.sha256)
    # Noted before it is put: what becomes of us, the sweeper finds it. The note waits for no disk:
    # it goes there with the next commit that does, and a power cut before that leaves an object
    # over, which costs its bytes and nothing else.
    with not_waiting_for_the_disk():
        insert(LooseObject(storage_key=key, noted_at=clock.now()))
    storage.put(key, spool)
    return key


def _take_back(key: str | None) -> None:
    """Remove the object of an upload that was refused at the last step, and its note."""
    if key is not None and LooseObject.objects.filter(storage_key=key).exists():
        storage.remove(key)
        LooseObject.objects.filter(storage_key=key).delete()
