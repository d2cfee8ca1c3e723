"""Gives storage back: bytes of files deleted long ago, and objects that no row names.

Rows go first and in one transaction, objects after, and every object between the two is noted
as loose: a sweep that is killed anywhere leaves only something for the next one.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts import kept_answers, logins, publishing
from accounts.models import Tenant
from base import clock
from packages import storage
from packages.curate import BYTES_KEPT_FOR
from packages.models import Blob, Distribution, Fetch, LooseObject, UpstreamPage
from repos import client_calls

log = structlog.get_logger(__name__)

# A blob that nothing names, or an object being put, is left alone for this long: no running
# upload needs that much time between its put and its commit.
GRACE = timedelta(days=1)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How much one sweep removed."""

    purged: int  # deleted distributions that let go of their bytes
    blobs: int
    objects: int
    spool_files: int
    fetches: int = 0  # of files that never came
    pages: int = 0  # that upstream never had
    calls: int = 0  # of clients, a day ago
    logins: int = 0  # of the larder command, that ended a month ago
    publishing: int = 0  # tokens of CI, and what it got them for
    answers: int = 0  # kept for requests that are sent again


def sweep() -> Swept:
    """Remove what is due, a batch of each kind, and say how much it was."""
    return Swept(
        purged=_purge_deleted(),
        blobs=_drop_unnamed_blobs(),
        objects=_remove_loose_objects(),
        spool_files=_remove_old_spool_files(),
        fetches=_forget_fetches(),
        pages=_forget_pages(),
        calls=client_calls.forget(),
        logins=logins.forget(),
        publishing=publishing.forget(),
        answers=kept_answers.forget(),
    )


def _forget_pages() -> int:
    """Remove what is known of names that upstream never had and nobody asks for any more.

    Callers choose the names: their rows must not pile up.
    """
    since = clock.now() - GRACE
    rows = UpstreamPage.objects.filter(was_ever_served=False)
    for lately in ("used_at", "answered_at", "failed_at", "heartbeat_at"):
        rows = rows.exclude(**{f"{lately}__gte": since})
    return rows.delete()[0]


def _forget_fetches() -> int:
    """Remove the notes of fetches that are long over: failed, refused, or of dead processes."""
    long_ago = clock.now() - GRACE
    is_over = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=long_ago)
    is_refused = Q(refused_until__isnull=False, refused_until__gte=clock.now())
    return Fetch.objects.filter(is_over).exclude(is_refused).delete()[0]


def _purge_deleted() -> int:
    """Let files deleted long ago go of their bytes, alone or with their repository.

    Their names stay taken.
    """
    due = _deleted_long_ago().values_list("pk", flat=True)[:_BATCH]
    return sum(_purge(pk) for pk in list(due))


def _deleted_long_ago() -> QuerySet[Distribution]:
    long_ago = clock.now() - BYTES_KEPT_FOR
    is_due = Q(deleted_at__lte=long_ago) | Q(repository__deleted_at__lte=long_ago)
    return Distribution.objects.filter(is_due, blob__isnull=False)


@transaction.atomic
def _purge(pk: int) -> int:
    # Locked and asked again: it may have been restored since it was listed.
    row = _deleted_long_ago().select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        return 0
    Blob.objects.filter(distributions=row).update(named_at=clock.now())
    row.blob = None
    row.deleted_at = row.deleted_at or clock.now()
    row.save(update_fields=["blob", "deleted_at"])
    Tenant.objects.filter(repositories=row.repository_id).update(
        used_bytes=F("used_bytes") - row.size, used_files=F("used_files") - 1
    )
    return 1


def _drop_unnamed_blobs() -> int:
    named = Distribution.objects.filter(blob=OuterRef("pk"))
    due = Blob.objects.filter(~Exists(named), named_at__lte=clock.now() - GRACE)
    return sum(_drop(pk) for pk in list(due.values_list("pk", flat=True)[:_BATCH]))


@transaction.atomic
def _drop(pk: int) -> int:
    # A publish that wants this blob updates `named_at` first: whoever locks the row first wins,
    # and the other one sees it.
    blob = Blob.objects.select_for_update().filter(pk=pk, named_at__lte=clock.now() - GRACE).first()
    if blob is None or blob.distributions.exists():
        return 0
    LooseObject.objects.create(storage_key=blob.storage_key, noted_at=clock.now() - GRACE)
    blob.delete()
    return 1


def _remove_loose_objects() -> int:
    due = LooseObject.objects.filter(noted_at__lte=clock.now() - GRACE)
    removed = 0
    for key in list(due.order_by("noted_at").values_list("storage_key", flat=True)[:_BATCH]):
        try:
            removed += _remove(key)
        except storage.StorageFailed as error:  # one bad object must not stop the rest
            log.warning("an object could not be removed", storage_key=key, reason=error.sentence)
    return removed


@transaction.atomic
def _remove(key: str) -> int:
    # Under the note's lock: a publish that has put this object takes the note as its last step,
    # and puts its bytes again under another key when it is gone.
    noted = LooseObject.objects.select_for_update().filter(pk=key).first()
    if noted is None:
        return 0
    storage.remove(key)
    noted.delete()
    return 1


def _remove_old_spool_files() -> int:
    """Remove what killed processes left on this machine's disk: uploads, fetches, extractions."""
    oldest = time.time() - GRACE.total_seconds()  # the file system's clock, not ours
    removed = 0
    spool = Path(settings.SPOOL_FOLDER)
    for path in chain.from_iterable(map(spool.glob, ("upload-*", "fetch-*", "extract-*"))):
        with contextlib.suppress(FileNotFoundError):  # its upload has just ended
            if path.stat().st_mtime < oldest:
                path.unlink()
                removed += 1
    return removed
