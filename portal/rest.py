"""What a refusal is at the REST door: a problem (RFC 9457) with the sentence of all doors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as RuleBroken
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.callers import CHALLENGE
from base.errors import LarderError
from packages.search.language import QueryRefused
from pypi.errors import headers_of, reason_phrase, status_of

Refusal = tuple[int, str, dict[str, str], dict[str, object]]


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the answer to a refusal; None for what is no refusal but a fault of ours."""
    refusal = _refusal(error, context)
    if refusal is None:
        return None
    status, detail, headers, more = refusal
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail} | more
    response = Response(
        body, status=status, headers=headers, content_type="application/problem+json"
    )
    response.reason_phrase = reason_phrase(detail)
    return response


def _refusal(error: Exception, context: Mapping[str, Any]) -> Refusal | None:
    fetch_mode = _fetch_mode(context["request"])
    headers = {"Cache-Control": "no-store"}
    match error:
        case LarderError():
            column: dict[str, object] = (
                {"column": error.column} if isinstance(error, QueryRefused) else {}
            )
            told = headers_of(error, fetch_mode=fetch_mode)
            return status_of(error), error.sentence, told, column
        case RuleBroken():  # a use case refuses
            status = HTTPStatus.CONFLICT if _is_taken(error) else HTTPStatus.BAD_REQUEST
            fields = error.message_dict if hasattr(error, "error_dict") else error.messages
            return status, *_told(fields, headers)
        case ValidationError():
            return HTTPStatus.BAD_REQUEST, *_told(error.detail, headers)
        case APIException() | Http404():
            known = error if isinstance(error, APIException) else NotFound()
            if known.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                headers["Allow"] = ", ".join(context["view"].allowed_methods)
            if known.status_code == HTTPStatus.UNAUTHORIZED and fetch_mode != "navigate":
                headers["WWW-Authenticate"] = CHALLENGE
            return known.status_code, str(known.detail), headers, {}
    return None


def _is_taken(error: RuleBroken) -> bool:
    """Say whether what was to be made is there already."""
    by_field = getattr(error, "error_dict", None)
    found = (
        [each for below in by_field.values() for each in below] if by_field else error.error_list
    )
    return any(each.code in {"unique", "unique_together"} for each in found)


def _told(
    errors: Any,  # noqa: ANN401 - a tree of sentences, as the framework has it
    headers: dict[str, str],
) -> tuple[str, dict[str, str], dict[str, object]]:
    """Return the sentences about what was sent: all in one, and by field."""
    found = list(_sentences(errors, ""))
    by_field: dict[str, list[str]] = {}
    for field, sentence in found:
        by_field.setdefault(field, []).append(sentence)
    told = " ".join(f"{field}: {sentence}" if field else sentence for field, sentence in found)
    return told, headers, {"errors": by_field}


def _sentences(errors: Any, field: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - as above
    if isinstance(errors, Mapping):
        for name, below in errors.items():
            own = "" if name in {NON_FIELD_ERRORS, "non_field_errors"} else str(name)
            yield from _sentences(below, f"{field}.{own}".strip("."))
    elif isinstance(errors, list | tuple):
        for each in errors:
            yield from _sentences(each, field)
    else:
        yield field, str(errors)


def _fetch_mode(request: Request) -> str:
    return str(request.headers.get("sec-fetch-mode", ""))
