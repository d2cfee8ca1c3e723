"""Turns a query into conditions on rows: of distributions, and of projects' documents.

A condition on a property is one look into an index per term (`Exists`), so that the database may
begin with whichever is met by fewer files.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, When

from packages.filenames import Kind as FileKind
from packages.models import Distribution, Document, Property
from packages.properties import key_of_value
from packages.search.engines import ComparesByBytes, FitsPattern, HoldsWord
from packages.search.language import (
    ATTESTED,
    KIND,
    REPOSITORY,
    STATE,
    TENANT,
    And,
    Compares,
    Matches,
    Not,
    Operator,
    Or,
    Pattern,
    Query,
    QueryRefused,
    Reach,
    Wildcard,
    Word,
    fits,
)
from packages.words import name_form, words_of
from repos.models import Kind as RepositoryKind
from repos.models import Repository

_FILE_KINDS = tuple(kind.value for kind in FileKind)
_REPOSITORY_KINDS = (RepositoryKind.LOCAL.value, RepositoryKind.REMOTE.value)
_ATTESTED = {"yes": True, "no": False}
_STATES = tuple(Distribution.Extraction.values)
_EQUALITY = {Operator.EQUAL, Operator.UNEQUAL}
_NOTHING = Q(pk__in=[])
_FEW_PROJECTS = 500
_ANYTHING: Pattern = (Wildcard.ANY,)

Repositories = Iterable[Repository]


def of_files(query: Query, repositories: Repositories) -> Q:
    """Return what a distribution in one of `repositories` must meet. Raises QueryRefused."""
    match query:
        case And(queries):
            return reduce(and_, [of_files(each, repositories) for each in queries])
        case Or(queries):
            return reduce(or_, [of_files(each, repositories) for each in queries])
        case Not(inner):
            return ~of_files(inner, repositories)
        case Word():
            return _of_project_with(query)
        case Matches() | Compares():
            return _of_field(query, repositories)


def of_documents(
    query: Query,
    repositories: Repositories,
    reach: Reach = Reach.README,
    *,
    beyond_names: bool = False,
) -> Q:
    """Return what a document must meet, its words looked for no further than `reach`.

    What is not to be there is looked for everywhere. `beyond_names` is for whoever leaves out the
    documents that have the words in their names anyway: then one index answers.
    """
    match query:
        case And(queries):
            return reduce(
                and_,
                [
                    of_documents(each, repositories, reach, beyond_names=beyond_names)
                    for each in queries
                ],
            )
        case Or(queries):
            return reduce(or_, [of_documents(each, repositories, reach) for each in queries])
        case Not(inner):
            return ~of_documents(inner, repositories)
        case Word():
            return _of_word(query, min(reach, query.reach), beyond_names=beyond_names)
        case Matches() | Compares():
            return _of_field(query, repositories)


def _of_word(word: Word, reach: Reach, *, beyond_names: bool) -> Q:
    if reach == Reach.NAME:
        return _named(word)
    if beyond_names:
        return _holds(word, "words" if reach == Reach.README else "about")
    if reach == Reach.ABOUT:
        return _named(word) | _holds(word, "about")
    return Q(project__in=_holding(word))


def _of_project_with(word: Word) -> Q:
    """Return what a file meets whose project holds a word.

    Of few projects the files are found by them. Of many they are not gathered, which is most of
    the work: the other conditions and the order find files, each of which is then looked up among
    the projects. In a CASE, so that no planner begins with the projects after all.
    """
    few = list(_holding(word, may_repeat=True)[: _FEW_PROJECTS + 1])
    if len(few) <= _FEW_PROJECTS:
        return Q(release__project__in=set(few))
    holds = When(release__project__in=_holding(word), then=True)
    return Q(Case(holds, default=False, output_field=BooleanField()))


def is_of_repository(name: str, pattern: Pattern, repository: Repository) -> bool:
    """Say whether `tenant:` or `repository:` with this pattern means a repository."""
    if name == TENANT:
        return fits(pattern, repository.tenant.slug)
    is_full = any("/" in part for part in pattern if isinstance(part, str))
    return fits(pattern, str(repository) if is_full else repository.key)


def _of_field(term: Matches | Compares, repositories: Repositories) -> Q:
    if term.field in {TENANT, REPOSITORY}:
        pattern = _exact(term)
        found = [each.pk for each in repositories if is_of_repository(term.field, pattern, each)]
        return _signed(term, Q(repository_id__in=found))
    if term.field == KIND:
        return _signed(term, _of_kind(term, repositories))
    if term.field == STATE:
        return _signed(term, Q(extraction__in=_chosen(term, _STATES)))
    if term.field == ATTESTED:
        return _signed(term, attested(*(_ATTESTED[word] for word in _chosen(term, _ATTESTED))))
    return of_property(term)


def attested(*wanted: bool) -> Q:
    """Return what a file meets that has attestations which were verified here, or has none.

    As a list of values: SQLite finds no index for a column that stands for itself.
    """
    return Q(is_attested__in=wanted)


def _of_kind(term: Matches | Compares, repositories: Repositories) -> Q:
    pattern = _exact(term)
    if fits(pattern, RepositoryKind.VIRTUAL.value) and pattern != _ANYTHING:
        raise QueryRefused(
            term.column,
            "Files are in locals and remotes. To search a virtual, name it: repository:tenant/key.",
        )
    chosen = _chosen(term, (*_REPOSITORY_KINDS, *_FILE_KINDS))
    within = [each.pk for each in repositories if each.kind in chosen]
    return Q(kind__in=[each for each in chosen if each in _FILE_KINDS]) | Q(
        repository_id__in=within
    )


def _chosen(term: Matches | Compares, known: Iterable[str]) -> list[str]:
    """Return which of the words that a field knows are meant."""
    pattern, words = _exact(term), list(known)
    chosen = [word for word in words if fits(pattern, word)]
    if not chosen:
        raise QueryRefused(term.column, f"{term.field} is one of {', '.join(words)}.")
    return chosen


def _exact(term: Matches | Compares) -> Pattern:
    """Return the pattern of a field that is compared for being equal alone."""
    if isinstance(term, Matches):
        return term.pattern
    if term.operator not in _EQUALITY:
        raise QueryRefused(
            term.column, f"{term.field} takes : = and !=, for it has no smaller and larger."
        )
    return (term.value,) if term.value else ()


def _signed(term: Matches | Compares, found: Q) -> Q:
    return ~found if isinstance(term, Compares) and term.operator == Operator.UNEQUAL else found


def of_property(term: Matches | Compares) -> Q:
    """Return what a file meets one of whose properties is as `term` says."""
    rows = Property.objects.filter(distribution=OuterRef("pk"), name=term.field)
    if isinstance(term, Matches):
        return Q(Exists(_matching(rows, term.pattern)))
    key, operator = key_of_value(term.value), term.operator
    equal = Operator.EQUAL if operator == Operator.UNEQUAL else operator
    if key:
        rows = rows.exclude(version_key="").filter(ComparesByBytes("version_key", equal, key))
    else:
        rows = rows.filter(ComparesByBytes("value", equal, term.value))
    return _signed(term, Q(Exists(rows)))


def _matching(rows: QuerySet[Property], pattern: Pattern) -> QuerySet[Property]:
    """Return the properties whose value a pattern describes."""
    match pattern:
        case (Wildcard.ANY,):
            return rows
        case ():
            return rows.filter(value="")
        case (str() as text,):
            return rows.filter(value=text)
        case _:
            return rows.filter(FitsPattern("value", pattern))


def _named(word: Word) -> Q:
    """Return what the name of a project meets that has the word in it."""
    form = name_form(word.text)
    return Q(FitsPattern("normalized", (Wildcard.ANY, form, Wildcard.ANY))) if form else _NOTHING


def _holds(word: Word, column: str) -> Q:
    """Return what a document meets that has all words of a word in a column."""
    words = words_of(word.text)
    return reduce(and_, [Q(HoldsWord(column, each)) for each in words]) if words else _NOTHING


def _holding(word: Word, *, may_repeat: bool = False) -> QuerySet[Document, int]:
    """Return the ids of the projects that hold a word, as two sets each of which has its index.

    As one condition it would have to be tried on every README.
    """
    ids = Document.objects.values_list("project", flat=True)
    return ids.filter(_named(word)).union(ids.filter(_holds(word, "words")), all=may_repeat)
