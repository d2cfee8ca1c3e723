"""The search page: a query of words or properties, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from accounts.authentication import caller_of
from base.keyset import PageRefused
from packages.search.facets import groups_of
from packages.search.finding import search
from packages.search.hits import Found
from packages.search.language import (
    KIND,
    REPOSITORY,
    And,
    Compares,
    Matches,
    Query,
    QueryRefused,
    Wildcard,
    all_of,
    written,
)
from packages.search.parsing import parse

# Beside words it changes nothing but this: that files are found, and not projects.
_ANY_KIND = Matches(KIND, (Wildcard.ANY,))
# What the search page tells who has not asked yet: a query, and what it finds.
_EXAMPLES = (
    ("frog", "projects with the word in name, summary, keywords or README; names first"),
    ("pypi.name:acme-*", "files of projects whose names begin so; * and ? stand for what varies"),
    ("pypi.version>=1.2 and qa.approved:yes", "both; versions compare as installers compare them"),
    ('pypi.requires.python:">=3.9"', "exactly this value, in quotes for its signs"),
    ("(team:red or team:blue) not kind:sdist", "or, not and parentheses"),
    ("state:failed tenant:acme", "files whose metadata could not be read, in one tenant"),
    ("frog repository:acme/pypi-virtual", "what one virtual shows of that word"),
)


class Asked(HttpRequest):
    """A request as django-htmx's middleware hands it on."""

    htmx: HtmxDetails


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition of the query, and the query without it."""

    text: str
    without: str


@require_safe
def search_page(request: Asked) -> HttpResponse:
    """Show what a query finds among what the reader may read; without one, how to ask."""
    text = _asked_for(request)
    context: dict[str, object] = {"text": text, "examples": _EXAMPLES}
    status = HTTPStatus.OK
    if text:
        try:
            found = search(text=text, by=caller_of(request), page=request.GET.get("page", ""))
            context |= {"found": found} | _ways_on(parse(text), found)
        except (QueryRefused, PageRefused) as refused:
            # While somebody types, half a query is no mistake.
            status = HTTPStatus.OK if request.htmx else HTTPStatus.BAD_REQUEST
            context |= {"refused": refused.sentence}
            if isinstance(refused, QueryRefused):
                context |= {"caret": " " * (refused.column - 1) + "^"}
    else:
        caller_of(request)  # a wrong credential is refused here too
    return render(request, "packages/search.html", context, status=status)


def _asked_for(request: HttpRequest) -> str:
    """Return the query; the box on a repository's page adds where to look."""
    text, within = (request.GET.get(name, "").strip() for name in ("q", "in"))
    if not within:
        return text
    where = written(Matches(REPOSITORY, (within,)))
    return f"{where} ({text})" if text else where


def _ways_on(query: Query, found: Found) -> dict[str, object]:
    """Return the queries that are a step away: narrower, wider, and of files for projects."""
    parts = query.queries if isinstance(query, And) else (query,)
    groups = [
        (
            group.title,
            [(each, written(all_of([query, each.term]))) for each in group.choices],
        )
        for group in groups_of(found)
    ]
    return {
        "groups": groups,
        "chips": [
            _chip(part, [each for each in parts if each is not part])
            for part in parts
            if isinstance(part, Matches | Compares)
        ],
        "of_files": written(all_of([query, _ANY_KIND])) if found.projects else "",
        "link": f"{settings.BASE_URL}{reverse('search', query={'q': written(query)})}",
    }


def _chip(part: Query, rest: list[Query]) -> Chip:
    return Chip(text=written(part), without=written(all_of(rest)) if rest else "")
