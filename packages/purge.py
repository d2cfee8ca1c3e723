"""Purges what a remote keeps: long work, that workers do in small steps until all of it is gone.

What is to go, how far it is and who is at it stands in one row (`CachePurge`). A step is one short
transaction, which removes files of one project and says so in that row: a worker that is killed
between two steps, or in one, leaves nothing half done, and the next one goes on when the lease has
run out. Only files go that were here when it began: what is fetched anew meanwhile stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

import structlog
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from accounts.principal import Principal
from base import audit, clock
from base.audit import Actor
from base.errors import InvalidInput
from packages.cache import Dropped, cached, remove, require_remote
from packages.models import CachePurge, Distribution
from packages.statistics import totals
from repos.models import Repository

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
# Then other work has its turn; the next ring of the bell goes on.
TIME_AT_MOST = timedelta(seconds=10)
FILES_AT_ONCE = 100
# Of what upstream has done to a file: then the same bytes are there to be fetched again.
_COMES_AGAIN = ("", Distribution.UpstreamChange.YANKED)


class NotTyped(InvalidInput):
    """Somebody purges what a remote keeps without having typed its name."""


class OtherPurge(InvalidInput):
    """A purge of other files of the remote goes on; there is one at a time."""


class TurnLost(Exception):
    """Another process has taken the purge over: the step of this one is undone."""


def ask(
    remote: Repository,
    *,
    typed: str,
    by: Principal,
    fetched_days: int = 0,
    unused_days: int = 0,
) -> CachePurge:
    """Have workers let go of what `remote` keeps, once its name was typed: all, or what is old.

    Of what was fetched so many days ago and not asked for in so many days, both where both. Who
    asks for a purge that goes on already is told of that one.
    """
    require_remote(remote, by)
    if typed.strip() != str(remote):
        raise NotTyped(f"Nothing was purged: type {remote} to say that you mean it.")
    now, kept = clock.now(), totals(remote)
    with transaction.atomic():
        purge, is_new = CachePurge.objects.get_or_create(
            repository=remote,
            ended_at=None,
            defaults={
                "by": by.actor.name,
                "by_token": by.actor.token,
                "by_address": by.actor.address,
                "fetched_days": fetched_days,
                "unused_days": unused_days,
                "files": 0,
                "bytes": 0,
                "began_at": now,
                "moved_at": now,
            },
        )
        if is_new:
            _record(
                purge,
                "upstream.purge",
                before={"kept_files": kept.files, "kept_bytes": kept.stored_bytes},
                after={"to_go": purge.which},
            )
    if (purge.fetched_days, purge.unused_days) != (fetched_days, unused_days):
        raise OtherPurge(
            f"{remote} is being purged already, of other files: {purge.which}. "
            "Ask again when that has ended."
        )
    return purge


def purge_due() -> int:
    """Go on with the purges that nobody is at, for a few seconds; return how many files went."""
    ends = clock.now() + TIME_AT_MOST
    files = 0
    while (purge := take(CachePurge.objects.all())) is not None:
        with closing(steps(purge)) as going_on:
            for dropped in going_on:
                files += dropped.files
                if clock.now() >= ends:
                    return files
    return files


def take(which: QuerySet[CachePurge]) -> CachePurge | None:
    """Take that one of some purges that has waited longest, if any: its fence is the caller's."""
    now = clock.now()
    is_free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    due = which.filter(is_free, ended_at__isnull=True, repository__deleted_at__isnull=True)
    order = F("lease_until").asc(nulls_first=True)
    for pk in due.order_by(order, "pk").values_list("pk", flat=True):
        fence = secrets.token_hex(16)
        same = CachePurge.objects.filter(is_free, pk=pk, ended_at__isnull=True)
        if same.update(fence=fence, lease_until=now + LEASE):
            return CachePurge.objects.select_related("repository__tenant").get(pk=pk)
    return None


def steps(purge: CachePurge) -> Generator[Dropped]:
    """Go on with a purge that was taken, and yield what each step let go of.

    It is given back when nothing is left, when the caller stops, and when something goes wrong.
    """
    try:
        if not purge.is_counted:
            _count(purge)
        for project_id, files in _projects(purge):
            yield _step(purge, project_id, files)
        _end(purge)
    except TurnLost:
        log.info("a purge was taken over", of=str(purge.repository))
    finally:
        _mine(purge).update(fence="", lease_until=clock.now())


def _due(purge: CachePurge) -> QuerySet[Distribution]:
    """Return the files that are still to go: those alone that were here when the purge began.

    What upstream has changed stays: it may be the last copy, or what a quarantine hangs on.
    Somebody who has looked at it drops it by itself.
    """
    fetched = purge.began_at - timedelta(days=purge.fetched_days)
    due = cached(purge.repository).filter(
        uploaded_at__lte=fetched, release__isnull=False, upstream_change__in=_COMES_AGAIN
    )
    if not purge.unused_days:
        return due
    since = purge.began_at - timedelta(days=purge.unused_days)
    unused = Q(used_at__lte=since) | Q(used_at__isnull=True, uploaded_at__lte=since)
    return due.filter(unused)


def _count(purge: CachePurge) -> None:
    held = _due(purge).aggregate(files=Count("pk"), bytes=Sum("size"))
    purge.files, purge.bytes, purge.is_counted = held["files"], held["bytes"] or 0, True
    _moved(purge)


def _projects(purge: CachePurge) -> Iterator[tuple[int, list[int]]]:
    """Yield the files that are due, those of one project at a time, in the order of an index."""
    after = ""
    while True:
        rows = _due(purge).filter(filename__gte=after).order_by("filename", "pk")
        found = list(rows.values_list("release__project", "pk", "filename")[:FILES_AT_ONCE])
        if not found:
            return
        for project_id, files in groupby(sorted(found), key=itemgetter(0)):
            yield project_id, [pk for _, pk, _ in files]
        after = found[-1][2]


def _step(purge: CachePurge, project_id: int, files: list[int]) -> Dropped:
    with transaction.atomic():
        dropped = remove(project_id, files)
        purge.files_done += dropped.files
        purge.bytes_done += dropped.bytes
        _moved(purge)
    return dropped


def _end(purge: CachePurge) -> None:
    with transaction.atomic():
        # Somebody else may have dropped some of them one by one, or counted on.
        before = {"files": purge.files, "bytes": purge.bytes}
        purge.files, purge.bytes = purge.files_done, purge.bytes_done
        purge.ended_at = clock.now()
        _moved(purge)
        after = {"files_let_go": purge.files_done, "bytes_let_go": purge.bytes_done}
        _record(purge, "upstream.purged", before=before, after=after)


def _moved(purge: CachePurge) -> None:
    """Write how far the purge is and renew the lease, or raise TurnLost."""
    purge.moved_at = clock.now()
    if not _mine(purge).update(
        files=purge.files,
        bytes=purge.bytes,
        is_counted=purge.is_counted,
        files_done=purge.files_done,
        bytes_done=purge.bytes_done,
        moved_at=purge.moved_at,
        ended_at=purge.ended_at,
        lease_until=purge.moved_at + LEASE,
    ):
        raise TurnLost


def _mine(purge: CachePurge) -> QuerySet[CachePurge]:
    return CachePurge.objects.filter(pk=purge.pk, fence=purge.fence)


def _record(
    purge: CachePurge, action: str, *, before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    remote = purge.repository
    audit.record(
        by=Actor(name=purge.by, token=purge.by_token, address=purge.by_address),
        action=action,
        tenant=remote.tenant.slug,
        repository=str(remote),
        subject=str(remote),
        before=before,
        after=after,
    )
