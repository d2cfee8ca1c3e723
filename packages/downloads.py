"""Counts downloads: in memory while requests are answered, in rows every few seconds.

A request notes what it gives out; `base.notes` has the notes of a process written by upserts that
add. What a process has not written when it dies is lost: some seconds of counts.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from accounts.principal import Principal
from base import clock
from packages.models import Distribution, FileDownloads, RepositoryDay

# A process remembers no more files than this between two writings; what comes on top is not told.
_AT_MOST = 10_000
# A file that was still on its way when the notes were written is looked for again for so long.
_ARRIVES_WITHIN = timedelta(minutes=15)

# The same words on SQLite and on PostgreSQL.
_ADD_TO_FILE = f"""
    INSERT INTO {FileDownloads._meta.db_table} AS held
        (distribution_id, day, count, last_at, last_by) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (distribution_id, day) DO UPDATE SET
        count = held.count + excluded.count, last_at = excluded.last_at, last_by = excluded.last_by
"""  # noqa: S608, SLF001 - our own table's name
_ADD_TO_DAY = f"""
    INSERT INTO {RepositoryDay._meta.db_table} AS held
        (repository_id, day, downloads, downloaded_bytes, fetched) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (repository_id, day) DO UPDATE SET
        downloads = held.downloads + excluded.downloads,
        downloaded_bytes = held.downloaded_bytes + excluded.downloaded_bytes,
        fetched = held.fetched + excluded.fetched
"""  # noqa: S608, SLF001 - the same


@dataclass(frozen=True, slots=True)
class _File:
    """A file that was given out; `distribution` is None while it comes from upstream."""

    repository: int
    distribution: int | None
    filename: str
    day: date


@dataclass(slots=True)
class _Count:
    count: int = 0
    last_at: datetime = field(default_factory=clock.now)
    last_by: str = ""


@dataclass(slots=True)
class _Sum:
    downloads: int = 0
    downloaded_bytes: int = 0
    fetched: int = 0


_files: dict[_File, _Count] = defaultdict(_Count)
_days: dict[tuple[int, date], _Sum] = defaultdict(_Sum)
_lock = threading.Lock()


def note(  # noqa: PLR0913 - a download has this many sides
    *,
    through: int,
    holder: int,
    distribution: int | None,
    filename: str,
    size: int,
    by: Principal,
) -> None:
    """Remember that `by` downloads a file now.

    `through` is the repository whose URL it came by, `holder` the local or remote that has it;
    `distribution` is None when it comes from upstream while it is sent. `size` is in bytes.
    """
    now = clock.now()
    file = _File(holder, distribution, filename, now.date())
    with _lock:
        if file in _files or len(_files) < _AT_MOST:
            count = _files[file]
            count.count += 1
            count.last_at, count.last_by = now, by.user.username if by.user else ""
        for repository in {through, holder}:
            day = _days[repository, now.date()]
            day.downloads += 1
            day.downloaded_bytes += size
            day.fetched += distribution is None


def write_down() -> None:
    """Add the notes of this process to the rows."""
    with _lock:
        files, days = dict(_files), dict(_days)
        _files.clear()
        _days.clear()
    if not days and not files:
        return
    known, arriving = _named(files)
    # In one order: no two processes deadlock.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            _ADD_TO_FILE,
            [
                (pk, day, each.count, each.last_at, each.last_by)
                for (pk, day), each in sorted(known.items(), key=lambda item: item[0])
            ],
        )
        cursor.executemany(
            _ADD_TO_DAY,
            [
                (pk, day, each.downloads, each.downloaded_bytes, each.fetched)
                for (pk, day), each in sorted(days.items(), key=lambda item: item[0])
            ],
        )
    with _lock:
        for file, count in arriving.items():
            _add(_files[file], count)


def _named(
    files: Mapping[_File, _Count],
) -> tuple[dict[tuple[int, date], _Count], dict[_File, _Count]]:
    """Return the counts by distribution and day, and those of files that are still on their way."""
    wanted: dict[int, list[str]] = defaultdict(list)
    for file in files:
        if file.distribution is None:
            wanted[file.repository].append(file.filename)
    there = {
        (repository, filename): pk
        for repository, names in wanted.items()
        for pk, filename in Distribution.objects.filter(
            repository=repository, filename__in=names, deleted_at__isnull=True
        ).values_list("pk", "filename")
    }
    known: dict[tuple[int, date], _Count] = defaultdict(_Count)
    arriving: dict[_File, _Count] = {}
    for file, count in files.items():
        pk = file.distribution or there.get((file.repository, file.filename))
        if pk is not None:
            _add(known[pk, file.day], count)
        elif count.last_at > clock.now() - _ARRIVES_WITHIN:
            arriving[file] = count
    return known, arriving


def _add(to: _Count, more: _Count) -> None:
    to.count += more.count
    to.last_at, to.last_by = more.last_at, more.last_by
