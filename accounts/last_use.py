"""Writes down when tokens were last used: after the requests, never in their way.

A request only notes the use in memory; `base.notes` has the notes written down. The row's
condition keeps it at once a minute however many processes use one token.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import Token
from base import clock

AT_MOST_EVERY = timedelta(minutes=1)

_noted: dict[int, datetime] = {}
_lock = threading.Lock()


def note(token: Token) -> None:
    """Remember that `token` is used now, unless its row says so of the last minute."""
    now = clock.now()
    if token.last_used_at is None or token.last_used_at <= now - AT_MOST_EVERY:
        note_again(token.pk, now)


def note_again(token_id: int, now: datetime) -> None:
    """Remember that the token is used, a while after its row was read."""
    with _lock:
        _noted.setdefault(token_id, now)


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
            rarely = Q(last_used_at__isnull=True) | Q(last_used_at__lte=used_at - AT_MOST_EVERY)
            written += Token.objects.filter(rarely, pk=pk).update(last_used_at=used_at)
    return written
