"""Answers `api/search/prop`: the files that have certain properties."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_

from django.db.models import Q

from artifactory import properties
from artifactory.errors import RequestUnreadable
from artifactory.shapes import Json, answered, file_info, storage_uri
from packages.models import Distribution
from packages.search.conditions import of_property
from packages.search.engines import within_seconds
from packages.search.ground import Ground, among
from packages.search.language import Matches, pattern_of
from pypi.answer import Answer, Ask
from repos.access import readable_by

_SECONDS = 5.0
_FOUND_AT_MOST = 5000
_CONDITIONS_AT_MOST = 20
_DETAIL = "x-result-detail"


def search(ask: Ask) -> Answer:
    """Answer which files in the tenant have all the properties of the query."""
    ground = _ground(ask, ask.query.get("repos", ""))
    asked = {name: value for name, value in ask.query.items() if name != "repos"}
    if not asked or len(asked) > _CONDITIONS_AT_MOST:
        raise RequestUnreadable(f"Ask for one to {_CONDITIONS_AT_MOST} properties: ?name=value.")
    condition = reduce(and_, [_has(name, value) for name, value in asked.items()])
    rows = ground.files().filter(condition).order_by("-pk")
    whole = rows.select_related("repository", "blob")[: _FOUND_AT_MOST + 1]
    with within_seconds(_SECONDS):
        found = list(whole)
    if len(found) > _FOUND_AT_MOST:
        raise RequestUnreadable(
            f"More than {_FOUND_AT_MOST} files have these properties. Name another, or use AQL."
        )
    return answered(ask, {"results": _results(ask, found)})


def _ground(ask: Ask, keys: str) -> Ground:
    rows = readable_by(ask.principal).filter(tenant__slug=ask.tenant).select_related("tenant")
    named = properties.names_in(keys)
    return among(row for row in rows if not named or row.key in named)


def _has(name: str, value: str) -> Q:
    """Return what a file meets that has one of the values, between commas; none is any."""
    if not name.isprintable() or not value.isprintable():
        raise RequestUnreadable("Names and values of properties are plain text.")
    return reduce(
        or_, [of_property(Matches(name, pattern_of(each or "*"))) for each in value.split(",")]
    )


def _results(ask: Ask, rows: list[Distribution]) -> list[Json]:
    detail = {each.strip() for each in ask.header(_DETAIL).split(",")}
    of_each = properties.of_files(rows) if "properties" in detail else {}
    results: list[Json] = []
    for row in rows:
        result: Json = {"uri": storage_uri(ask, row.repository.key, row.path)}
        if "info" in detail:
            result = file_info(ask, row.repository.key, row)
        if "properties" in detail:
            result["properties"] = of_each.get(row.pk, {})
        results.append(result)
    return results
