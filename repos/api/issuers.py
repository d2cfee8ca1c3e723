"""Issuers, which vouch for CI in the whole installation: for who runs it."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Issuer
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, Strict, sent
from base.errors import NotThere
from repos import publishers
from repos.access import require_superuser

_BY_URL = Order(("url",), (str,))


class IssuerMissing(NotThere):
    """There is no such issuer."""


class IssuerSettings(Strict, serializers.ModelSerializer[Issuer]):
    """Who vouches for CI, and how its keys are fetched."""

    class Meta:
        model = Issuer
        fields = ("id", "kind", "url", "is_active", "private_allowed", "ca")
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "url": {"validators": []},  # the use case's
            "kind": {"required": True},
        }


class Issuers(RestView):
    """The issuers that CI may come from."""

    @extend_schema(
        operation_id="list_issuers",
        parameters=[PageAsked],
        responses=paged(IssuerSettings, "IssuerPage"),
    )
    def get(self, request: Request) -> Response:
        """List who vouches for CI."""
        require_superuser(self.by)
        return page_of(request, Issuer.objects.all(), _BY_URL, IssuerSettings)

    @extend_schema(
        operation_id="add_issuer",
        parameters=[IDEMPOTENCY_KEY],
        request=IssuerSettings,
        responses={201: IssuerSettings},
        examples=[
            OpenApiExample(
                "GitLab inside your network",
                {"kind": "gitlab", "url": "https://gitlab.example", "private_allowed": True},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Let an issuer vouch for CI; whom it vouches for is trusted by repositories."""
        require_superuser(self.by)
        row = Issuer(**sent(IssuerSettings, request))

        def make() -> Response:
            with self.changing(require_superuser):
                publishers.save_issuer(row, by=self.by.actor)
            return versioned(request, IssuerSettings(row).data, status=201)

        return once(request, make)


class OneIssuer(RestView):
    """An issuer."""

    @extend_schema(operation_id="read_issuer", responses=IssuerSettings)
    def get(self, request: Request, pk: str) -> Response:
        """Read an issuer."""
        require_superuser(self.by)
        return versioned(request, IssuerSettings(_issuer(pk)).data)

    @extend_schema(
        operation_id="change_issuer",
        parameters=[IF_MATCH],
        request=IssuerSettings,
        responses=IssuerSettings,
        examples=[OpenApiExample("switched off", {"is_active": False}, request_only=True)],
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Change how an issuer is asked, or switch it off: its tokens end at once."""
        with self.changing(require_superuser):
            row = _issuer(pk)
            require_version(request, IssuerSettings(row).data)
            for name, value in sent(IssuerSettings, request, row).items():
                setattr(row, name, value)
            publishers.save_issuer(row, by=self.by.actor)
        return versioned(request, IssuerSettings(row).data)

    @extend_schema(operation_id="delete_issuer", request=None, responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Remove an issuer of which no repository trusts a publisher any more."""
        with self.changing(require_superuser):
            publishers.delete_issuer(_issuer(pk), by=self.by.actor)
        return Response(status=204)


def _issuer(pk: str) -> Issuer:
    row = Issuer.objects.filter(pk=pk).first()
    if row is None:
        raise IssuerMissing(f"There is no issuer {pk}.")
    return row
