"""Answers `api/search/aql`: files by everything that is known of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from accounts.principal import Principal
from artifactory import aql, properties
from artifactory.aql import Aql, AqlRefused
from artifactory.bodies import text_of
from artifactory.conditions import condition_of, names_people, repositories_meant
from artifactory.shapes import Json, answered, checksums, moment
from packages.models import Distribution
from packages.provenance import uploader
from packages.search.engines import within_seconds
from packages.search.ground import Ground, among, through
from pypi.answer import Answer, Ask
from repos.access import readable_by
from repos.models import Kind

_SECONDS = 5.0
_COLUMNS = {
    "repo": "repository__key",
    "path": "path",
    "name": "filename",
    "size": "size",
    "created": "uploaded_at",
    "modified": "uploaded_at",
    "updated": "uploaded_at",
}
_ALWAYS = ("repo", "path", "name")
_USUAL = (
    *_ALWAYS,
    *("type", "size", "created", "created_by", "modified", "modified_by", "updated"),
)
_EVERYTHING = "*"
_PROPERTIES = frozenset({"property", "property.*", "property.key", "property.value", _EVERYTHING})
# Through a virtual it is decided file by file, and name by name, what is shown.
_LOOKED_AT_MOST = 2000
_NAMES_AT_MOST = 100


def find(ask: Ask) -> Answer:
    """Answer which files the caller may read in the tenant and that meet a query."""
    ask.authenticate()
    query = aql.parse(text_of(ask, at_most=4 * aql.LENGTH_AT_MOST))
    if not ask.principal.hears_names and names_people(query.criterion):
        raise AqlRefused("Who uploaded a file is told to who has signed in alone.")
    with within_seconds(_SECONDS):
        rows = _found(ask, query)
    results = _results(ask, query, rows)
    span: Json = {
        "start_pos": query.offset,
        "end_pos": query.offset + len(results),
        "total": len(results),
    }
    if query.limit is not None:
        span["limit"] = query.limit
    return answered(ask, {"results": results, "range": span})


def _found(ask: Ask, query: Aql) -> list[Distribution]:
    readable = readable_by(ask.principal).filter(tenant__slug=ask.tenant).select_related("tenant")
    meant = repositories_meant(query.criterion, readable)
    virtuals = [each for each in meant if each.kind == Kind.VIRTUAL]
    if len(meant) == 1 and virtuals:
        ground = through(virtuals[0], ask.principal)
        # All of it is meant; what it shows lies in repositories of other names.
        condition = condition_of(_without_repo(query), ground.repositories)
    else:
        ground = among(meant)
        condition = condition_of(query.criterion, meant)
    order = [f"-{_COLUMNS[each[1:]]}" if each[0] == "-" else _COLUMNS[each] for each in query.sort]
    rows = ground.files().filter(condition).order_by(*order, "-pk")
    return _page(query, ground, rows.select_related("repository", "release__project", "blob"))


def _without_repo(query: Aql) -> aql.All:
    parts = query.criterion.parts
    return aql.All(
        tuple(
            each for each in parts if not (isinstance(each, aql.Condition) and each.field == "repo")
        )
    )


def _page(query: Aql, ground: Ground, rows: QuerySet[Distribution]) -> list[Distribution]:
    """Return what the query's limit lets through; without one, all, or nothing if it is too much.

    A script that deletes, or counts, is not to take a part for the whole.
    """
    upto = query.offset + (aql.RESULTS_AT_MOST + 1 if query.limit is None else query.limit)
    if ground.virtual is None:
        found = list(rows[query.offset : upto])
    else:
        shown = _shown(ground, rows[: _LOOKED_AT_MOST + 1])
        found = [row for _, row in zip(range(upto), shown, strict=False)][query.offset :]
    if query.limit is None and len(found) > aql.RESULTS_AT_MOST:
        raise AqlRefused(
            f"More than {aql.RESULTS_AT_MOST} items meet this: take them in parts, by .sort(, "
            ".offset( and .limit(."
        )
    return found


def _shown(ground: Ground, rows: QuerySet[Distribution]) -> Iterator[Distribution]:
    """Yield those of the files that the virtual shows."""
    virtual = ground.virtual
    assert virtual is not None  # noqa: S101 - asked for by who has one
    for looked_at, row in enumerate(rows):
        if looked_at == _LOOKED_AT_MOST or virtual.decided > _NAMES_AT_MOST:
            raise AqlRefused(
                f"Too many files beneath {virtual.tree.virtual} meet this. Ask for fewer, or for "
                "one of its repositories."
            )
        if virtual.shows(row):
            yield row


def _results(ask: Ask, query: Aql, rows: list[Distribution]) -> list[Json]:
    wanted = set(query.include)
    names = {each[1:] for each in wanted if each.startswith("@")}
    has_all = bool(wanted & _PROPERTIES)
    of_each = properties.of_files(rows) if has_all or names - {_EVERYTHING} or "*" in names else {}
    has_all = has_all or _EVERYTHING in names
    fields = {*_ALWAYS, *(wanted & set(aql.FIELDS))} if wanted & set(aql.FIELDS) else set(_USUAL)
    if _EVERYTHING in wanted:
        fields = set(aql.FIELDS)
    results = []
    for row in rows:
        result = {
            name: value for name, value in _item(row, ask.principal).items() if name in fields
        }
        if of_each or has_all or names:
            result["properties"] = [
                {"key": name, "value": value}
                for name, values in of_each.get(row.pk, {}).items()
                if has_all or name in names
                for value in values
            ]
        results.append(result)
    return results


def _item(row: Distribution, by: Principal) -> Json:
    """Return a file as an item; here its size is a number."""
    at, digests = moment(row.uploaded_at), checksums(row)
    return {
        "repo": row.repository.key,
        "path": row.path.rpartition("/")[0] or ".",
        "name": row.filename,
        "type": "file",
        "size": row.size,
        "created": at,
        "created_by": uploader(row, by),
        "modified": at,
        "modified_by": uploader(row, by),
        "updated": at,
        "actual_sha1": digests["sha1"],
        "actual_md5": digests["md5"],
        "sha256": digests["sha256"],
    }
