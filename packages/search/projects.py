"""Text search: the projects that words find, those called so first, a page at a time.

The order is by rank, then by name. Each rank is a question of its own, asked only when those
before it have not filled the page: so the common search ends with an index on names.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator

from django.db.models import Q, QuerySet

from packages.filenames import NormalizedName
from packages.models import Document
from packages.search.conditions import of_documents
from packages.search.engines import FitsPattern
from packages.search.ground import Ground, ThroughVirtual
from packages.search.hits import (
    COUNTED_AT_MOST,
    PER_PAGE,
    Facet,
    Found,
    ProjectHit,
    cursor,
    place_of,
)
from packages.search.language import And, Query, Reach, Wildcard, Word
from packages.versions import newest_version
from packages.words import name_form

_NAMES_AT_MOST = 100
_CHUNK = 100
# Of names that are like what was asked for and not found.
_SIMILAR_AT_MOST = 10
_SIMILAR_FROM = 0.3  # the share of trigrams in common, as PostgreSQL's pg_trgm has it
_COMPARED_AT_MOST = 5000
_TRIGRAMS_AT_MOST = 12


class Rank(enum.IntEnum):
    """How well a project answers the words, the best first."""

    EXACT = 1  # it is called so
    PREFIX = 2  # its name begins so
    NAME = 3  # its name has the words somewhere
    ABOUT = 4  # name, summary and keywords have them
    README = 5


_REACHES = {Rank.NAME: Reach.NAME, Rank.ABOUT: Reach.ABOUT, Rank.README: Reach.README}


def find_projects(query: Query, ground: Ground, page: str) -> Found:
    """Return a page of the projects that the words of `query` find."""
    after = place_of(page, int, str, int)
    if ground.virtual is not None:
        return _through(ground.virtual, _ranked(query, ground, after))
    found = list(_first(_ranked(query, ground, after), PER_PAGE + 1))
    if not found and after is None:
        return similar_projects(query, ground)
    count, facets = _counted(query, ground)
    return Found(
        is_of_projects=True,
        projects=[_hit(row) for _, row in found[:PER_PAGE]],
        next_page=_page_after(*found[PER_PAGE - 1]) if len(found) > PER_PAGE else "",
        count=min(count, COUNTED_AT_MOST),
        has_more=count > COUNTED_AT_MOST,
        facets=facets,
    )


Ranked = Iterator[tuple[Rank, Document]]
Place = tuple[int | str, ...] | None


def _first(ranked: Ranked, count: int) -> Ranked:
    for _ in range(count):
        if (each := next(ranked, None)) is None:
            return
        yield each


def _page_after(rank: Rank, row: Document) -> str:
    return cursor(int(rank), row.normalized, row.pk)


def _ranked(query: Query, ground: Ground, after: Place) -> Ranked:
    """Yield the documents in order, beginning after a place."""
    start = after[0] if after else Rank.EXACT
    better = Q(pk__in=[])
    for rank in Rank:
        condition = _of_rank(rank, query, ground)
        if condition is None:
            continue
        if rank >= int(start):
            rows = _rows(ground).filter(condition).exclude(better)
            yield from ((rank, row) for row in _in_order(rows, after if rank == start else None))
        better = condition  # each rank holds those before it


def _of_rank(rank: Rank, query: Query, ground: Ground) -> Q | None:
    """Return what a document of this rank or a better one meets; None where there is no such."""
    if rank in _REACHES:
        return of_documents(query, ground.repositories, _REACHES[rank])
    form = _as_a_name(query)
    if not form:
        return None
    named = Q(normalized=form)
    if rank == Rank.PREFIX:
        named = Q(FitsPattern("normalized", (form, Wildcard.ANY)))
    return named & of_documents(query, ground.repositories, Reach.NAME)


def _as_a_name(query: Query) -> str:
    """Return the words of a query as one name; empty where it says more than words."""
    words = query.queries if isinstance(query, And) else (query,)
    texts = [each.text for each in words if isinstance(each, Word)]
    return name_form("-".join(texts)) if texts else ""


def _rows(ground: Ground) -> QuerySet[Document]:
    rows = Document.objects.filter(repository_id__in=ground.ids)
    return rows.defer("about", "readme").select_related("project", "repository__tenant")


def _in_order(rows: QuerySet[Document], after: Place) -> Iterator[Document]:
    name, pk = after[1:] if after else ("", 0)
    while True:
        later = Q(normalized__gt=name) | Q(normalized=name, pk__gt=pk)
        chunk = list(rows.filter(later).order_by("normalized", "pk")[:_CHUNK])
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        name, pk = chunk[-1].normalized, chunk[-1].pk


def _counted(query: Query, ground: Ground) -> tuple[int, list[Facet]]:
    rows = Document.objects.filter(
        of_documents(query, ground.repositories), repository_id__in=ground.ids
    )
    found = list(rows.values_list("repository_id", flat=True)[: COUNTED_AT_MOST + 1])
    names = {each.pk: str(each) for each in ground.repositories}
    counted = Counter(found[:COUNTED_AT_MOST]).most_common()
    return len(found), [Facet(names[pk], count) for pk, count in counted]


def _through(virtual: ThroughVirtual, ranked: Ranked) -> Found:
    """Return those of the projects that the virtual shows."""
    hits: list[ProjectHit] = []
    last = None
    for rank, row in ranked:
        if last is not None and (len(hits) == PER_PAGE or virtual.decided >= _NAMES_AT_MOST):
            return Found(is_of_projects=True, projects=hits, next_page=_page_after(*last))
        last = (rank, row)
        source = (row.repository_id, row.project.scope)
        if lines := virtual.shown(NormalizedName(row.normalized), source):
            offered: dict[str, bool] = {}
            for line in lines:
                is_offered = line.file.yanked_reason is None
                offered[line.file.version] = offered.get(line.file.version, False) or is_offered
            hits.append(_hit(row, str(virtual.tree.virtual), newest_version(offered)))
    return Found(is_of_projects=True, projects=hits)


def _hit(row: Document, through: str = "", version: str = "") -> ProjectHit:
    return ProjectHit(
        repository=str(row.repository),
        scope=row.project.scope,
        through=through,
        project=row.normalized,
        name=row.name,
        version=version or row.version,
        summary=row.summary,
    )


def similar_projects(query: Query, ground: Ground) -> Found:
    """Return projects whose names are like the words, best first: for when nothing was found."""
    form = _as_a_name(query)
    wanted = _trigrams(form)
    rows = _rows(ground)
    if not form or not wanted:
        return Found(is_of_projects=True, count=0)
    parts = sorted(wanted)[:_TRIGRAMS_AT_MOST]
    inner = [part for part in parts if " " not in part]
    shared = Q(pk__in=[])
    for part in inner or [form[:2]]:
        shared |= Q(FitsPattern("normalized", (Wildcard.ANY, part, Wildcard.ANY)))
    named = rows.filter(shared).order_by("normalized", "pk").values_list("normalized", "pk")
    likeness = [(_likeness(wanted, name), name, pk) for name, pk in named[:_COMPARED_AT_MOST]]
    best = sorted((-like, name, pk) for like, name, pk in likeness if like >= _SIMILAR_FROM)
    found = rows.in_bulk([pk for _, _, pk in best[:_SIMILAR_AT_MOST]])
    hits = [_hit(found[pk]) for _, _, pk in best[:_SIMILAR_AT_MOST]]
    return Found(is_of_projects=True, projects=hits, count=0, is_similar=bool(hits))


def _trigrams(name: str) -> frozenset[str]:
    """Return the runs of three characters of a name's words, their edges as blanks (pg_trgm)."""
    padded = [f"  {word} " for word in name.split("-") if word]
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def _likeness(wanted: frozenset[str], name: str) -> float:
    found = _trigrams(name)
    return len(wanted & found) / len(wanted | found)
