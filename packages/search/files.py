"""Property search: the files that meet a query, newest first, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from django.db.models import Q, QuerySet

from base.keyset import cursor, place_of
from packages.filenames import NormalizedName
from packages.models import Distribution
from packages.search.conditions import of_files
from packages.search.ground import Ground, ThroughVirtual
from packages.search.hits import (
    COUNTED_AT_MOST,
    PER_PAGE,
    FileHit,
    Found,
    facets_of,
)
from packages.search.language import Query

# Through a virtual: a page may be shorter than it could be, but is never long in coming.
_NAMES_AT_MOST = 100
_ROWS_AT_MOST = 2000
_CHUNK = 100


def find_files(query: Query | None, ground: Ground, page: str) -> Found:
    """Return a page of the files that meet `query`; None for every file there."""
    place = place_of(page, int)
    after = int(place[0]) if place else None
    rows = _meeting(query, ground)
    if ground.virtual is not None:
        return _through(ground.virtual, rows.filter(pk__lt=after) if place else rows)
    # What is counted is most of what is shown, so that the question is asked once.
    counted = list(rows.values_list("pk", "repository_id", "kind")[: COUNTED_AT_MOST + 1])
    found = _page_of(rows, [pk for pk, _, _ in counted], after)
    has_more = len(counted) > COUNTED_AT_MOST
    counted = counted[:COUNTED_AT_MOST]
    repositories = [repository for _, repository, _ in counted]
    return Found(
        is_of_projects=False,
        files=[_hit(row) for row in _in_full(found[:PER_PAGE])],
        next_page=cursor(found[PER_PAGE - 1]) if len(found) > PER_PAGE else "",
        count=len(repositories),
        has_more=has_more,
        facets=facets_of(repositories, ground.repositories),
        counted=[pk for pk, _, _ in counted],
        kinds=Counter(kind for _, _, kind in counted if kind),
    )


def _meeting(query: Query | None, ground: Ground) -> QuerySet[Distribution]:
    condition = of_files(query, ground.repositories) if query is not None else Q()
    return ground.files().filter(condition).order_by("-pk")


def _page_of(
    rows: QuerySet[Distribution], counted: Sequence[int], after: int | None
) -> Sequence[int]:
    """Return the ids of a page, and of one more, from those counted as far as these reach."""
    later = [pk for pk in counted if after is None or pk < after]
    if len(later) > PER_PAGE or len(counted) <= COUNTED_AT_MOST:
        return later[: PER_PAGE + 1]
    return list(rows.filter(pk__lt=after).values_list("pk", flat=True)[: PER_PAGE + 1])


def _in_full(ids: Sequence[int]) -> Iterator[Distribution]:
    rows = Distribution.objects.select_related("release__project", "repository__tenant")
    found = rows.in_bulk(ids)
    return (found[pk] for pk in ids)


def _through(virtual: ThroughVirtual, rows: QuerySet[Distribution]) -> Found:
    """Return those of the files that the virtual shows."""
    hits: list[FileHit] = []
    last = None
    looked_at = 0
    for chunk in _by_chunks(rows.filter(release__isnull=False)):
        is_tired = virtual.decided >= _NAMES_AT_MOST or looked_at >= _ROWS_AT_MOST
        if len(hits) == PER_PAGE or is_tired:
            assert last is not None  # noqa: S101 - something was looked at to get here
            return Found(is_of_projects=False, files=hits, next_page=cursor(last))
        virtual.look_at(map(_project_name, chunk))
        for row in chunk:
            if last is not None and len(hits) == PER_PAGE:
                return Found(is_of_projects=False, files=hits, next_page=cursor(last))
            last = row.pk
            if virtual.shows(row):
                hits.append(_hit(row, str(virtual.tree.virtual)))
        looked_at += len(chunk)
    return Found(is_of_projects=False, files=hits)


def _by_chunks(rows: QuerySet[Distribution]) -> Iterator[list[Distribution]]:
    rows = rows.select_related("release__project", "repository__tenant")
    last = None
    while chunk := list((rows if last is None else rows.filter(pk__lt=last))[:_CHUNK]):
        yield chunk
        if len(chunk) < _CHUNK:
            return
        last = chunk[-1].pk


def _project_name(row: Distribution) -> NormalizedName:
    assert row.release is not None  # noqa: S101 - the question leaves others out
    return NormalizedName(row.release.project.normalized)


def _hit(row: Distribution, through: str = "") -> FileHit:
    release = row.release
    return FileHit(
        repository=str(row.repository),
        scope=release.project.scope if release else "",
        through=through,
        project=release.project.normalized if release else "",
        version=release.version if release else "",
        filename=row.filename,
        kind=row.kind,
        size=row.size,
        sha256=row.sha256,
        requires_python=row.requires_python,
        is_yanked=row.yanked or (release is not None and release.yanked),
        state=row.extraction,
        uploaded_at=row.uploaded_at,
    )
