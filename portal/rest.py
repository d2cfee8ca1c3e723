"""What a refusal is at the REST door: a problem (RFC 9457) with the sentence of all doors."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import Http404
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from base.errors import LarderError
from packages.search.language import QueryRefused
from pypi.errors import headers_of, reason_phrase, status_of


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to a refusal; None for what is no refusal but a fault of ours."""
    if isinstance(error, LarderError):
        status, detail = status_of(error), error.sentence
        headers = headers_of(error, fetch_mode=_fetch_mode(context["request"]))
    elif isinstance(error, APIException | Http404):
        known = error if isinstance(error, APIException) else NotFound()
        status, detail = known.status_code, str(known.detail)
        headers = {"Cache-Control": "no-store"}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = "GET, HEAD"
    else:
        return None
    body: dict[str, object] = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if isinstance(error, QueryRefused):
        body["column"] = error.column
    response = Response(
        body, status=status, headers=headers, content_type="application/problem+json"
    )
    response.reason_phrase = reason_phrase(detail)
    return response


def _fetch_mode(request: Request) -> str:
    return str(request.headers.get("sec-fetch-mode", ""))
