"""What pages show as numbers and pictures: downloads per day, and how much a repository holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from base import clock
from packages.models import Distribution, FileDownloads, Project, RepositoryDay
from repos.models import Repository, RepositoryState

# So many rows are counted while somebody waits; of more, the last count is told.
_COUNTED_AT_ONCE = 5_000
_RECOUNTED_AT_MOST = 200  # repositories, at one ring of the bell


@dataclass(frozen=True, slots=True)
class Totals:
    """How much a repository holds."""

    projects: int
    files: int
    stored_bytes: int
    is_exact: bool  # else: as they were when they were last counted, minutes ago


@dataclass(frozen=True, slots=True)
class Day:
    """A day (UTC), and a number."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page of a repository tells in numbers."""

    totals: Totals
    downloads: list[Day]
    stored: list[Day]  # bytes, as far back as is known
    fetched_share: float | None  # of the downloads: came from what it held; None without any


def totals(repository: Repository) -> Totals:
    """Return how much a local or remote holds, in a time that does not grow with it."""
    living = _living(repository)
    sizes = list(living.values_list("size", flat=True)[: _COUNTED_AT_ONCE + 1])
    projects = _projects(repository)[: _COUNTED_AT_ONCE + 1].count()
    if len(sizes) <= _COUNTED_AT_ONCE and projects <= _COUNTED_AT_ONCE:
        return Totals(projects, len(sizes), sum(sizes), is_exact=True)
    last = _counted(repository).first()
    if last is None:
        return Totals(projects, len(sizes), sum(sizes), is_exact=False)
    return Totals(last.projects or 0, last.files or 0, last.stored_bytes or 0, is_exact=False)


def overview(repository: Repository, serial: int, *, days: int) -> Overview:
    """Return the last days of a repository, whose serial is `serial` now, in one question.

    What it holds is counted anew only where it has changed since, and only as far as `totals` does.
    """
    rows = list(RepositoryDay.objects.filter(repository=repository).order_by("-day")[: days + 1])
    since = _first_of(days)
    is_cut = len(rows) > days and rows[-1].counted_serial is None
    if is_cut and (before := _counted(repository).filter(day__lt=since).first()) is not None:
        rows.append(before)
    recent = [row for row in rows if row.day >= since]
    downloads = sum(row.downloads for row in recent)
    fetched = sum(row.fetched for row in recent)
    return Overview(
        totals=_known_totals(repository, rows, serial),
        downloads=filled({row.day: row.downloads for row in recent}, days),
        stored=_carried_on(rows, days),
        fetched_share=1 - fetched / downloads if downloads else None,
    )


def downloads_by_project(projects: Iterable[int], *, days: int) -> dict[int, list[Day]]:
    """Return the downloads of each project on each of the last `days`, of those that had any."""
    counted = (
        FileDownloads.objects.filter(
            distribution__release__project__in=list(projects), day__gte=_first_of(days)
        )
        .values_list("distribution__release__project", "day")
        .annotate(n=Sum("count"))
    )
    found: dict[int, dict[date, int]] = defaultdict(dict)
    for project, day, count in counted:
        found[project][day] = count
    return {project: filled(known, days) for project, known in found.items()}


def downloads_by_day(repository: Repository, *, days: int) -> list[Day]:
    """Return the downloads through a repository on each of the last `days`, today's last."""
    since = _first_of(days)
    rows = RepositoryDay.objects.filter(repository=repository, day__gte=since)
    return filled(dict(rows.values_list("day", "downloads")), days)


def downloads_of(files: Iterable[int] | QuerySet[Distribution], *, days: int) -> list[Day]:
    """Return the downloads of some files together on each of the last `days`, today's last."""
    rows = FileDownloads.objects.filter(distribution__in=files, day__gte=_first_of(days))
    return filled(dict(rows.values("day").annotate(n=Sum("count")).values_list("day", "n")), days)


def fetched_share(repository: Repository, *, days: int) -> float | None:
    """Return which part of a remote's downloads came from what it held; None without any."""
    sums = RepositoryDay.objects.filter(repository=repository, day__gte=_first_of(days)).aggregate(
        downloads=Sum("downloads"), fetched=Sum("fetched")
    )
    return 1 - sums["fetched"] / sums["downloads"] if sums["downloads"] else None


def stored_by_day(repository: Repository, *, days: int) -> list[Day]:
    """Return the bytes held at the end of each of the last `days`, as far back as is known."""
    rows = _counted(repository).filter(day__gte=_first_of(days))
    before = _counted(repository).filter(day__lt=_first_of(days)).first()
    return _carried_on([*rows, *([before] if before else [])], days)


def recount() -> None:
    """Count what repositories hold that have changed since they were last counted."""
    counted = RepositoryDay.objects.filter(
        repository=OuterRef("repository"), counted_serial__isnull=False
    ).order_by("-day")
    due = (
        RepositoryState.objects.filter(serial__gt=0)
        .annotate(counted=Subquery(counted.values("counted_serial")[:1]))
        .filter(Q(counted=None) | ~Q(counted=F("serial")))
        .select_related("repository")
    )
    for state in due[:_RECOUNTED_AT_MOST]:
        held = _living(state.repository).aggregate(files=Count("pk"), stored=Sum("size"))
        RepositoryDay.objects.update_or_create(
            repository=state.repository,
            day=clock.now().date(),
            defaults={
                "projects": _projects(state.repository).count(),
                "files": held["files"],
                "stored_bytes": held["stored"] or 0,
                "counted_serial": state.serial,
            },
        )


def _living(repository: Repository) -> QuerySet[Distribution]:
    return Distribution.objects.filter(repository=repository, deleted_at__isnull=True)


def _projects(repository: Repository) -> QuerySet[Project]:
    return Project.objects.filter(repository=repository)


def _counted(repository: Repository) -> QuerySet[RepositoryDay]:
    """Return the days at whose end it was counted, the last one first."""
    return RepositoryDay.objects.filter(
        repository=repository, counted_serial__isnull=False
    ).order_by("-day")


def _known_totals(repository: Repository, rows: Iterable[RepositoryDay], serial: int) -> Totals:
    """Return what was counted last, the newest of `rows` that has a count; else count a little."""
    last = next((row for row in rows if row.counted_serial is not None), None)
    if last is None and serial == 0:
        return Totals(0, 0, 0, is_exact=True)
    if last is None or last.counted_serial != serial:
        return totals(repository)
    return Totals(last.projects or 0, last.files or 0, last.stored_bytes or 0, is_exact=True)


def _carried_on(rows: Iterable[RepositoryDay], days: int) -> list[Day]:
    """Return the bytes held each day; a day on which nothing was counted is as the one before."""
    known = {row.day: row.stored_bytes for row in rows if row.counted_serial is not None}
    first = _first_of(days)
    last = next((known[day] for day in sorted(known, reverse=True) if day < first), None)
    found = []
    for day in _days(days):
        last = known.get(day, last)
        if last is not None:
            found.append(Day(day, last))
    return found


def filled(known: Mapping[date, int], days: int) -> list[Day]:
    """Return each of the last `days` with its number, today's last; none is known: 0."""
    return [Day(day, known.get(day, 0)) for day in _days(days)]


def _days(days: int) -> list[date]:
    return [_first_of(days) + timedelta(days=passed) for passed in range(days)]


def _first_of(days: int) -> date:
    return clock.now().date() - timedelta(days=days - 1)
