"""Reads the JSON that a request brings: bounded in size and in time, before it is parsed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from base.bodies import BodyBroken, body_of


class BoundedJson(BaseParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes that arrives in time.

    It is no JSONParser itself: of one of those the framework reads the body, however slowly.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return what the body says. Raises ParseError."""
        assert parser_context is not None  # noqa: S101 - the framework gives it
        body = body_of(parser_context["request"]._request)  # noqa: SLF001 - it has no other way
        try:
            whole = body.whole(at_most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            return JSONParser().parse(io.BytesIO(whole), media_type, parser_context)
        except BodyBroken as broken:
            raise ParseError(broken.sentence) from None
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
