"""The REST door of what is inside: search."""

from __future__ import annotations

from dataclasses import asdict

from django.conf import settings
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest import principal_of
from base.errors import InvalidInput
from packages.search.finding import search
from packages.search.hits import Found


class QueryMissing(InvalidInput):
    """The address does not say what to search for."""


class Search(APIView):
    """`GET /api/v1/search?q=...`: a page of files or projects that meet a query."""

    http_method_names = ("get", "head")

    def get(self, request: Request) -> Response:
        """Answer with what `q` finds, from `page` on."""
        text = request.query_params.get("q", "")
        if not text.strip():
            raise QueryMissing("Say what to search for, as q. docs/search.md has the language.")
        page = request.query_params.get("page", "")
        found = search(text=text, by=principal_of(request), page=page)
        return Response(
            _written(found, text, request.path),
            headers={"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"},
        )


def _written(found: Found, text: str, path: str) -> dict[str, object]:
    hits = found.projects if found.is_of_projects else found.files
    return {
        "query": text,
        "of": "projects" if found.is_of_projects else "files",
        "count": found.count,
        "has_more_than_count": found.has_more,
        "is_similar": found.is_similar,
        "repositories": [asdict(facet) for facet in found.facets],
        "hits": [asdict(hit) for hit in hits],
        "next": _next(found, text, path),
    }


def _next(found: Found, text: str, path: str) -> str | None:
    if not found.next_page:
        return None
    query = QueryDict(mutable=True)
    query.update({"q": text, "page": found.next_page})
    return f"{settings.BASE_URL}{path}?{query.urlencode()}"
