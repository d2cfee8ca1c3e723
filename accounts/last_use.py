"""Writes down when tokens were last used: after the requests, never in their way.

A request only notes the use in memory. One thread in each process that serves writes the notes
down every few seconds; a database that is busy then makes nobody wait, and costs at most a few
notes. The row's condition keeps it at once a minute however many processes use one token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import Error, connection, transaction
from django.db.models import Q

from accounts.models import Token
from base import clock

log = structlog.get_logger(__name__)

_AT_MOST_EVERY = timedelta(minutes=1)
_WRITTEN_EVERY_SECONDS = 5.0

_noted: dict[int, datetime] = {}
_lock = threading.Lock()


def note(token: Token) -> None:
    """Remember that `token` is used now, unless its row says so of the last minute."""
    now = clock.now()
    if token.last_used_at is None or token.last_used_at <= now - _AT_MOST_EVERY:
        with _lock:
            _noted.setdefault(token.pk, now)


def write_down() -> None:
    """Write the notes of this process into the tokens' rows."""
    with _lock:
        noted = dict(_noted)
        _noted.clear()
    if noted:
        _write(noted)


def _write(noted: Mapping[int, datetime]) -> int:
    """Write when each token was used, and return how many rows did not know it yet."""
    written = 0
    with transaction.atomic():
        for pk, used_at in sorted(noted.items()):  # in one order: no two processes deadlock
            rarely = Q(last_used_at__isnull=True) | Q(last_used_at__lte=used_at - _AT_MOST_EVERY)
            written += Token.objects.filter(rarely, pk=pk).update(last_used_at=used_at)
    return written


def keep_writing() -> None:
    """Write the notes down from now on; called once by a process that serves."""
    threading.Thread(target=_write_for_ever, name="last-use", daemon=True).start()


def _write_for_ever() -> None:
    while True:
        time.sleep(_WRITTEN_EVERY_SECONDS)
        try:
            write_down()
        except Error as error:  # InterfaceError, of a lost connection, is no DatabaseError
            log.warning("the last use of tokens could not be written down", reason=str(error))
        finally:
            connection.close()
