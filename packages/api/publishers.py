"""The publishers that a repository trusts: listed with their last use, added, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Issuer
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, paged
from accounts.rest.versions import versioned
from accounts.rest.views import RestView, Strict, sent
from accounts.roles import Role
from packages.filenames import parse_name
from packages.publishers import publishers_of
from repos import publishers
from repos.access import require
from repos.models import Repository, TrustedPublisher
from repos.targets import require_local

_SHOWN_AT_MOST = 10
_BY_PROJECT = Order(("normalized", "pk"), (str, int))


class PublisherFacts(Strict, serializers.ModelSerializer[TrustedPublisher]):
    """CI that may publish a project without a secret, and whether it has."""

    moved_by_use = ("owner_id", "source_id", "is_pending", "last_used_at")

    project = serializers.CharField(
        source="normalized", max_length=200, help_text="Its name; it need not be there yet."
    )
    issuer = serializers.CharField(
        source="issuer.url", max_length=500, help_text="Its URL, as an administrator added it."
    )
    kind = serializers.ChoiceField(
        Issuer.Kind.choices,
        source="issuer.kind",
        required=False,
        help_text="Of the issuer. Said with a new publisher, an issuer of another kind is refused.",
    )
    name = serializers.CharField(read_only=True, help_text="As the audit names who publishes.")
    is_pending = serializers.BooleanField(
        read_only=True, help_text="Nobody has published the project yet."
    )
    claims = serializers.DictField(child=serializers.CharField(), required=False)

    class Meta:
        model = TrustedPublisher
        fields = (
            "id", "project", "issuer", "kind", "source", "workflow", "environment", "ref",
            "claims", "owner_id", "source_id", "name", "is_pending", "created_at",
            "trusted_anew_at", "last_used_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "trusted_anew_at", "last_used_at")
        validators: ClassVar[list[Any]] = []  # the use case's


class Numbers(Strict):
    """By which numbers its host knows who is trusted."""

    owner_id = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Of the account or group. Left out: of the first that publishes.",
    )
    source_id = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Of the repository, project or account. Left out: of the first that publishes.",
    )


class Publishers(RestView):
    """The publishers that a repository trusts."""

    @extend_schema(
        operation_id="list_publishers",
        parameters=[PageAsked],
        responses=paged(PublisherFacts, "PublisherPage"),
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List which CI may publish without a secret, by project, with its last use."""
        row = require(self.by, tenant, key, Role.ADMIN)
        return page_of(request, publishers_of(row), _BY_PROJECT, PublisherFacts)

    @extend_schema(
        operation_id="add_publisher",
        parameters=[IDEMPOTENCY_KEY],
        request=PublisherFacts,
        responses={201: PublisherFacts},
        examples=[
            OpenApiExample(
                "a workflow of GitHub",
                {
                    "project": "frog",
                    "issuer": "https://token.actions.githubusercontent.com",
                    "source": "acme/frog",
                    "workflow": "release.yml",
                    "environment": "release",
                },
                request_only=True,
            ),
            OpenApiExample(
                "a service account of Google",
                {
                    "project": "frog",
                    "issuer": "https://accounts.google.com",
                    "source": "releases@acme.iam.gserviceaccount.com",
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Let CI publish a project, be it there or not. Its owner is the first who publishes."""
        require(self.by, tenant, key, Role.ADMIN)
        fields = sent(PublisherFacts, request)

        def make() -> Response:
            with self.changing(require, tenant, key, Role.ADMIN) as row:
                require_local(self.by, row)
                made = _new(row, fields)
                publishers.add_publisher(made, by=self.by.actor)
            return versioned(request, PublisherFacts(_publisher(row, made.pk)).data, status=201)

        return once(request, make)


class OnePublisher(RestView):
    """A publisher that a repository trusts."""

    @extend_schema(operation_id="read_publisher", responses=PublisherFacts)
    def get(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Read a publisher, with its last use, and by which numbers it is kept."""
        row = require(self.by, tenant, key, Role.ADMIN)
        return versioned(request, PublisherFacts(_publisher(row, pk)).data)

    @extend_schema(operation_id="remove_publisher", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Trust a publisher no longer: the tokens that it has publish nothing here any more."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            publishers.remove_publisher(_publisher(row, pk), by=self.by.actor)
        return Response(status=204)


class TrustAnew(RestView):
    """Trusts others by the name of a publisher."""

    @extend_schema(
        operation_id="trust_publisher_anew",
        request=Numbers,
        responses=PublisherFacts,
        examples=[OpenApiExample("made again", {"source_id": "816"}, request_only=True)],
    )
    def post(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Trust who has these numbers by its name, or whoever publishes first, and nobody else.

        This counts for all publishers of the same source in the repository. Tokens that they led to
        publish nothing by them any more.
        """
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            numbers = sent(Numbers, request)
            publishers.trust_anew(_publisher(row, pk), by=self.by.actor, **numbers)
        return versioned(request, PublisherFacts(_publisher(row, pk)).data)


def _new(repository: Repository, fields: Mapping[str, Any]) -> TrustedPublisher:
    values = dict(fields)
    named = values.pop("issuer")
    url, kind = named["url"], named.get("kind")
    issuer = Issuer.objects.filter(url=url, is_active=True).first() if url.isprintable() else None
    if issuer is None:
        urls = Issuer.objects.filter(is_active=True).values_list("url", flat=True)
        there = ", ".join(urls[:_SHOWN_AT_MOST]) or "none yet"
        raise ValidationError({"issuer": f"Nobody added this issuer here. There are: {there}."})
    if kind not in {None, issuer.kind}:
        there = issuer.get_kind_display()
        raise ValidationError({"issuer": f"{issuer} was added as an issuer of {there}."})
    values["normalized"] = parse_name(values["normalized"])
    return TrustedPublisher(repository=repository, issuer=issuer, **values)


def _publisher(repository: Repository, pk: int | str) -> TrustedPublisher:
    row = publishers_of(repository).filter(pk=pk).first()
    if row is None:
        raise publishers.PublisherMissing(f"{repository} trusts no publisher {pk}.")
    return row
