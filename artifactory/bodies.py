"""Reads the short bodies of requests: JSON and queries, within bounds."""

from __future__ import annotations

import json
from typing import Any

from artifactory.errors import RequestUnreadable
from pypi.answer import Ask

_JSON_AT_MOST = 1024 * 1024


def text_of(ask: Ask, *, at_most: int) -> str:
    """Return the body as a text. Raises RequestUnreadable, or BodyBroken."""
    try:
        return ask.body.whole(at_most=at_most).decode()
    except UnicodeDecodeError:
        raise RequestUnreadable("The body is no text in UTF-8.") from None


def object_of(ask: Ask) -> dict[str, Any]:
    """Return the JSON object that the body is. Raises RequestUnreadable, or BodyBroken."""
    try:
        found = json.loads(text_of(ask, at_most=_JSON_AT_MOST))
    except (ValueError, RecursionError):  # the latter: it is nested beyond all reason
        raise RequestUnreadable("The body is no JSON.") from None
    if not isinstance(found, dict):
        raise RequestUnreadable("The body is no JSON object.")
    return found
