"""The schema of the REST door, and the page on which people try it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response

_PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {
            "type": "string",
            "description": "One sentence: what is wrong, and the way out.",
        },
        "errors": {
            "type": "object",
            "description": "The sentences by the field that they are about.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "column": {"type": "integer", "description": "Of a query: where it cannot be read."},
    },
    "example": {
        "title": "Forbidden",
        "status": 403,
        "detail": "You may read acme/pypi-local but not publish to it. Ask ada.",
    },
}
_REFUSED = {
    "description": "Refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Schema(SpectacularJSONAPIView):
    """The OpenAPI schema: everybody's, as it tells of nothing that anybody has."""

    authentication_classes = ()
    http_method_names = ("get", "head")

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer with the schema."""
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]  # the library's
        del response.headers["Content-Disposition"]  # it is for reading, too
        return response


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the schema as a page on which each operation can be tried."""
    return render(request, "portal/rest.html")


def finished(
    result: dict[str, Any],
    generator: Any,  # noqa: ARG001 - drf-spectacular's signature
    request: Any,  # noqa: ARG001 - the same
    public: bool,  # noqa: ARG001, FBT001 - the same
) -> dict[str, Any]:
    """Say of every operation that it may be refused, and how; its sentence is its headline."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["summary"] = operation.pop("description").rstrip(".")
            operation["responses"] |= {"4XX": _REFUSED, "5XX": _REFUSED}
    return result
