"""Text search: the projects that words find, those called so first, a page at a time.

The order is by rank, then by name. Each rank is a question of its own, asked only when those
before it have not filled the page: so the common search ends with an index on names.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import Q, QuerySet

from base.keyset import cursor, place_of
from packages.filenames import NormalizedName
from packages.index.decision import Line
from packages.models import Document
from packages.search.conditions import of_documents
from packages.search.engines import FitsPattern
from packages.search.ground import Ground, ThroughVirtual
from packages.search.hits import (
    COUNTED_AT_MOST,
    PER_PAGE,
    Found,
    ProjectHit,
    facets_of,
)
from packages.search.language import And, Compares, Matches, Query, Reach, Wildcard, Word, all_of
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

    PREFIX = 1  # its name begins so; first of these, in the order of names, what is called so
    NAME = 2  # its name has the words somewhere
    ABOUT = 3  # name, summary and keywords have them
    README = 4


_REACHES = {Rank.NAME: Reach.NAME, Rank.ABOUT: Reach.ABOUT, Rank.README: Reach.README}


def find_projects(query: Query, ground: Ground, page: str) -> Found:
    """Return a page of the projects that the words of `query` find."""
    after = place_of(page, int, str, int)
    wanted = _Wanted(query, _as_a_name(query), ground)
    if ground.virtual is not None:
        return _through(ground.virtual, _ranked(wanted, after))
    # What is counted is most of what is shown, so that the questions are asked once.
    counted = list(islice(_ranked(wanted, None, COUNTED_AT_MOST + 1), COUNTED_AT_MOST + 1))
    if not counted:
        return similar_projects(query, ground)
    found = _page_of(wanted, counted, after)
    return Found(
        is_of_projects=True,
        projects=[_hit(row) for row in _in_full(found[:PER_PAGE])],
        next_page=_page_after(found[PER_PAGE - 1]) if len(found) > PER_PAGE else "",
        count=min(len(counted), COUNTED_AT_MOST),
        has_more=len(counted) > COUNTED_AT_MOST,
        facets=facets_of(
            (row.repository for row in counted[:COUNTED_AT_MOST]), ground.repositories
        ),
    )


def ranked_documents(query: Query, ground: Ground, called: str) -> Iterator[Document]:
    """Yield the documents that meet `query` with their projects; first what is `called` so."""
    ranked = _ranked(_Wanted(query, name_form(called), ground), None)
    while chunk := list(islice(ranked, _CHUNK)):
        yield from _in_full(chunk)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A query, the one name that its words make, if they do, and where to look."""

    query: Query
    called: str
    ground: Ground

    @property
    def has_one_word(self) -> bool:
        """Say whether the query is one word, and beside it at most where to look."""
        parts = self.query.queries if isinstance(self.query, And) else (self.query,)
        words = [each for each in parts if isinstance(each, Word)]
        rest = [each for each in parts if isinstance(each, Matches | Compares)]
        return len(words) == 1 and len(words) + len(rest) == len(parts)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A document in the order of hits: its rank, its name, its id, and where it is."""

    rank: int
    normalized: str
    pk: int
    repository: int

    @property
    def place(self) -> tuple[int, str, int]:
        """Return what it is put in order by."""
        return self.rank, self.normalized, self.pk


Place = tuple[int | str, ...] | None


def _page_after(row: _Ranked) -> str:
    return cursor(*row.place)


def _page_of(wanted: _Wanted, counted: Sequence[_Ranked], after: Place) -> Sequence[_Ranked]:
    """Return a page, and one more, from those counted as far as these reach."""
    later = [row for row in counted if after is None or row.place > after]
    if len(later) > PER_PAGE or len(counted) <= COUNTED_AT_MOST:
        return later[: PER_PAGE + 1]
    return list(islice(_ranked(wanted, after), PER_PAGE + 1))


def _ranked(wanted: _Wanted, after: Place, at_once: int = _CHUNK) -> Iterator[_Ranked]:
    """Yield the documents in order, beginning after a place; asks for so many `at_once`."""
    start = int(after[0]) if after else Rank.PREFIX
    better: Q | None = None
    for rank in Rank:
        if rank < Rank.NAME and not wanted.called:
            continue
        if rank >= start:
            rows = Document.objects.filter(
                _of_rank(rank, wanted, is_alone=better is not None),
                wanted.ground.is_asked_for("normalized"),
                repository_id__in=wanted.ground.ids,
            )
            rows = rows if better is None else rows.exclude(better)
            place = after if rank == start else None
            yield from (_Ranked(rank, *row) for row in _in_order(rows, place, at_once))
        better = _of_rank(rank, wanted, is_alone=False)  # each rank holds those before it


def _of_rank(rank: Rank, wanted: _Wanted, *, is_alone: bool) -> Q:
    """Return what a document of this rank or a better one meets; `is_alone`: of this one."""
    repositories = wanted.ground.repositories
    if rank in _REACHES:
        beyond_names = is_alone and wanted.has_one_word
        return of_documents(wanted.query, repositories, _REACHES[rank], beyond_names=beyond_names)
    named = Q(FitsPattern("normalized", (wanted.called, Wildcard.ANY)))
    return named & of_documents(wanted.query, repositories, Reach.NAME)


def _as_a_name(query: Query) -> str:
    """Return the words of a query as one name; empty where it says more than words."""
    words = query.queries if isinstance(query, And) else (query,)
    texts = [each.text for each in words if isinstance(each, Word)]
    return name_form("-".join(texts)) if texts else ""


def _in_order(
    rows: QuerySet[Document], after: Place, at_once: int
) -> Iterator[tuple[str, int, int]]:
    """Yield name, id and repository of documents in order."""
    name, pk = after[1:] if after else ("", 0)
    while True:
        later = Q(normalized__gt=name) | Q(normalized=name, pk__gt=pk) if name else Q()
        ordered = rows.filter(later).order_by("normalized", "pk")
        chunk = list(ordered.values_list("normalized", "pk", "repository_id")[:at_once])
        yield from chunk
        if len(chunk) < at_once:
            return
        name, pk, _ = chunk[-1]


def _in_full(ranked: Sequence[_Ranked]) -> Iterator[Document]:
    rows = Document.objects.defer("about", "words")
    rows = rows.select_related("project", "repository__tenant")
    found = rows.in_bulk([row.pk for row in ranked])
    return (found[row.pk] for row in ranked)


def _through(virtual: ThroughVirtual, ranked: Iterator[_Ranked]) -> Found:
    """Return those of the projects that the virtual shows."""
    hits: list[ProjectHit] = []
    last: _Ranked | None = None
    while chunk := list(islice(ranked, PER_PAGE)):
        is_enough = len(hits) == PER_PAGE or virtual.decided >= _NAMES_AT_MOST
        if last is not None and is_enough:
            return Found(is_of_projects=True, projects=hits, next_page=_page_after(last))
        virtual.look_at(NormalizedName(each.normalized) for each in chunk)
        for place, row in zip(chunk, _in_full(chunk), strict=True):
            if last is not None and len(hits) == PER_PAGE:
                return Found(is_of_projects=True, projects=hits, next_page=_page_after(last))
            last = place
            source = (row.repository_id, row.project.scope)
            if lines := virtual.shown(NormalizedName(row.normalized), source):
                hits.append(_hit(row, str(virtual.tree.virtual), _newest(lines)))
    return Found(is_of_projects=True, projects=hits)


def _newest(lines: Sequence[Line]) -> str:
    offered: dict[str, bool] = {}
    for line in lines:
        is_offered = line.file.yanked_reason is None
        offered[line.file.version] = offered.get(line.file.version, False) or is_offered
    return newest_version(offered)


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
    rows = Document.objects.filter(
        _beside_words(query, ground),
        ground.is_asked_for("normalized"),
        repository_id__in=ground.ids,
    )
    if not form or not wanted:
        return Found(is_of_projects=True, count=0)
    # At the edge of a word two letters are enough: it is there that fewest errors are made.
    parts = sorted({part.strip() for part in wanted if len(part.strip()) > 1})
    shared = Q(pk__in=[])
    for part in parts[:_TRIGRAMS_AT_MOST]:
        shared |= Q(FitsPattern("normalized", (Wildcard.ANY, part, Wildcard.ANY)))
    named = rows.filter(shared).order_by("normalized", "pk").values_list("normalized", "pk")
    likeness = [(_likeness(wanted, name), name, pk) for name, pk in named[:_COMPARED_AT_MOST]]
    best = sorted((-like, name, pk) for like, name, pk in likeness if like >= _SIMILAR_FROM)
    hits = [
        _hit(row)
        for row in _in_full([_Ranked(0, name, pk, 0) for _, name, pk in best[:_SIMILAR_AT_MOST]])
    ]
    return Found(is_of_projects=True, projects=hits, count=0, is_similar=bool(hits))


def _beside_words(query: Query, ground: Ground) -> Q:
    """Return what a query asks for beside words, such as where to look."""
    parts = query.queries if isinstance(query, And) else (query,)
    rest = [each for each in parts if not isinstance(each, Word)]
    return of_documents(all_of(rest), ground.repositories) if rest else Q()


def _trigrams(name: str) -> frozenset[str]:
    """Return the runs of three characters of a name's words, their edges as blanks (pg_trgm)."""
    padded = [f"  {word} " for word in name.split("-") if word]
    return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))


def _likeness(wanted: frozenset[str], name: str) -> float:
    found = _trigrams(name)
    return len(wanted & found) / len(wanted | found)
