"""Search by REST: the language and the engine of the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import QueryDict
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.views import RestView
from base.errors import InvalidInput
from packages.search.finding import search
from packages.search.hits import Found


class QueryMissing(InvalidInput):
    """The address does not say what to search for."""


class SearchAsked(serializers.Serializer[Any]):
    """What is searched for."""

    q = serializers.CharField(help_text="docs/search.md has the language.")
    page = serializers.CharField(required=False, help_text="From `next` of the page before.")


class HitsOfRepository(serializers.Serializer[Any]):
    """How many of the hits counted are in a repository."""

    repository = serializers.CharField()
    count = serializers.IntegerField()


class Hit(serializers.Serializer[Any]):
    """A file, or a project: a project has no file name and no digest."""

    repository = serializers.CharField()
    scope = serializers.CharField()
    through = serializers.CharField(help_text="The virtual that was searched, if one was.")
    project = serializers.CharField()
    version = serializers.CharField()
    name = serializers.CharField(required=False)
    summary = serializers.CharField(required=False)
    filename = serializers.CharField(required=False)
    kind = serializers.CharField(required=False)
    size = serializers.IntegerField(required=False)
    sha256 = serializers.CharField(required=False)
    requires_python = serializers.CharField(required=False)
    is_yanked = serializers.BooleanField(required=False)
    state = serializers.CharField(required=False)
    uploaded_at = serializers.DateTimeField(required=False)


class SearchResult(serializers.Serializer[Any]):
    """A page of what a query finds."""

    query = serializers.CharField()
    of = serializers.ChoiceField(["files", "projects"])
    count = serializers.IntegerField(allow_null=True, help_text="null: it is not known.")
    has_more_than_count = serializers.BooleanField()
    is_similar = serializers.BooleanField(
        help_text="Nothing is called so; these names are like it."
    )
    repositories = HitsOfRepository(many=True)
    hits = Hit(many=True)
    next = serializers.URLField(allow_null=True)


class Search(RestView):
    """Everything that the caller may read."""

    @extend_schema(
        operation_id="search",
        parameters=[SearchAsked],
        responses=SearchResult,
        examples=[
            OpenApiExample(
                "approved files",
                {
                    "query": "qa.approved:yes",
                    "of": "files",
                    "count": 0,
                    "has_more_than_count": False,
                    "is_similar": False,
                    "repositories": [],
                    "hits": [],
                    "next": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Find files or projects: a page of what meets `q`."""
        text = request.query_params.get("q", "")
        if not text.strip():
            raise QueryMissing("Say what to search for, as q. docs/search.md has the language.")
        page = request.query_params.get("page", "")
        return Response(_written(search(text=text, by=self.by, page=page), text, request.path))


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
