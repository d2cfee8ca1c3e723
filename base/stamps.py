"""Stamps say whether something held in memory is still true; the lease says for how long.

A stamp is a counter with a random nonce: the counter orders changes, the nonce tells two
histories apart (a restored backup, a rolled-back transaction that was read by mistake).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from base.models import AccessStamp

# How long a process may serve from a stamp it has read, in seconds. The answer to an unsafe
# request waits this long after its last commit, so whoever got that answer knows that every
# process has stopped serving what was there before.
LEASE_SECONDS = 0.002

_THE_ROW = 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """A value that is equal only while nothing relevant has changed."""

    epoch: int
    serial: int
    nonce: str


def new_nonce() -> str:
    """Return a random text that makes two stamps with equal counters differ."""
    return secrets.token_hex(8)


@contextmanager
def configuring() -> Iterator[None]:
    """One transaction that changes who may do what, or how something is set: one at a time.

    It locks the access stamp before it looks at anything. What one change has checked (no circle
    of members, one grant for a subject) another cannot undo meanwhile, and two changes that touch
    the same rows in another order wait for each other here and nowhere else.
    """
    with transaction.atomic():
        if not AccessStamp.objects.select_for_update().filter(pk=_THE_ROW):
            # The first change of an installation makes the row; of two firsts, the second waits.
            AccessStamp.objects.bulk_create([AccessStamp(pk=_THE_ROW)], ignore_conflicts=True)
            AccessStamp.objects.select_for_update().get(pk=_THE_ROW)
        yield


def move_access() -> None:
    """Make every remembered access decision out of date, when this `configuring()` commits."""
    AccessStamp.objects.filter(pk=_THE_ROW).update(epoch=F("epoch") + 1, nonce=new_nonce())


def access_stamp() -> Stamp:
    """Return the present access stamp."""
    row = AccessStamp.objects.filter(pk=_THE_ROW).first() or AccessStamp()
    return Stamp(epoch=row.epoch, serial=0, nonce=row.nonce)
