"""The search page: a query of words or properties, and what it finds."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from packages.search.finding import search
from packages.search.hits import Facet, Found, PageRefused
from packages.search.language import REPOSITORY, Matches, QueryRefused, all_of, written
from packages.search.parsing import parse

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


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Show what a query finds among what the reader may read; without one, how to ask."""
    text = _asked_for(request)
    context: dict[str, object] = {"text": text, "examples": _EXAMPLES}
    status = HTTPStatus.OK
    if text:
        try:
            found = search(text=text, by=caller_of(request), page=request.GET.get("page", ""))
            context |= {"found": found, "facets": _narrowed(text, found)}
        except (QueryRefused, PageRefused) as refused:
            status = HTTPStatus.BAD_REQUEST
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


def _narrowed(text: str, found: Found) -> list[tuple[Facet, str]]:
    """Return the repositories of the hits, each with the query for what is in it alone."""
    query = parse(text)
    return [
        (facet, written(all_of([query, Matches(REPOSITORY, (facet.repository,))])))
        for facet in found.facets
    ]
