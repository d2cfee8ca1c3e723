"""What the schema of the REST door says of many operations, in one place."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the state that is changed, from the last GET; or `*`.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Any text of your own: with the same one again, nothing is made twice.",
)


class CredentialsInSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library has no types there
    """How the schema names the credentials that are taken; the library finds it by its base."""

    target_class = "accounts.rest.callers.ByCredentials"
    match_subclasses = True
    name = ["token", "password"]  # noqa: RUF012 - the library's

    def get_security_definition(self, auto_schema: Any) -> Any:
        """Return a token as Bearer, or as the password of Basic, whose user name is not read."""
        return [{"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "basic"}]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        """Return that one of them is enough, and that what anyone may read needs none."""
        return [{"token": []}, {"password": []}, {}]


def paged(rows: type[serializers.BaseSerializer[Any]], name: str) -> Any:
    """Return what a page of a list of rows looks like."""
    return inline_serializer(
        name,
        {
            "results": rows(many=True),
            "next": serializers.URLField(
                allow_null=True, help_text="Where the next page is; null at the end."
            ),
        },
    )
