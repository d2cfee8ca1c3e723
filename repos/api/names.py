"""Claims, and the names of ours that a virtual takes from upstream as well."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, paged
from accounts.rest.views import RestView, Strict, sent
from accounts.roles import Role
from base.errors import NotThere
from repos import configure
from repos.access import require
from repos.models import AlsoUpstream, Claim


class NoSuchName(NotThere):
    """The repository has no such claim or mark."""


class ClaimPattern(Strict, serializers.ModelSerializer[Claim]):
    """A name, or a beginning of names, that a repository declares its own."""

    class Meta:
        model = Claim
        fields = ("pattern",)
        validators: ClassVar[list[Any]] = []


class AlsoUpstreamName(Strict, serializers.ModelSerializer[AlsoUpstream]):
    """A name of ours that a virtual takes from its remotes as well."""

    project = serializers.CharField(source="normalized", max_length=200)

    class Meta:
        model = AlsoUpstream
        fields = ("project",)


class Claims(RestView):
    """The claims of a repository."""

    @extend_schema(
        operation_id="list_claims",
        parameters=[PageAsked],
        responses=paged(ClaimPattern, "ClaimPage"),
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List the names that a repository declares its own."""
        row = require(self.by, tenant, key, Role.ADMIN)
        order = Order(("pattern",), (str,))
        return page_of(request, row.claims.all(), order, ClaimPattern)

    @extend_schema(
        operation_id="add_claim",
        parameters=[IDEMPOTENCY_KEY],
        request=ClaimPattern,
        responses={201: ClaimPattern},
        examples=[OpenApiExample("a beginning", {"pattern": "acme-*"}, request_only=True)],
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Declare a name, or a beginning of names, the repository's own."""
        require(self.by, tenant, key, Role.ADMIN)
        fields = sent(ClaimPattern, request)

        def make() -> Response:
            with self.changing(require, tenant, key, Role.ADMIN) as row:
                claim = Claim(repository=row, **fields)
                configure.add_claim(claim, by=self.by.actor)
            return Response(ClaimPattern(claim).data, status=201)

        return once(request, make)


class OneClaim(RestView):
    """A claim of a repository."""

    @extend_schema(operation_id="remove_claim", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, key: str, pattern: str) -> Response:
        """Take a claim back."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            claim = row.claims.select_related("repository__tenant").filter(pattern=pattern).first()
            if claim is None:
                raise NoSuchName(f"{row} does not claim {pattern}.")
            configure.remove_claim(claim, by=self.by.actor)
        return Response(status=204)


class AlsoUpstreams(RestView):
    """The names that a virtual takes from its remotes as well."""

    @extend_schema(
        operation_id="list_also_upstream",
        parameters=[PageAsked],
        responses=paged(AlsoUpstreamName, "AlsoUpstreamPage"),
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List the names of yours that a virtual takes from upstream too."""
        row = require(self.by, tenant, key, Role.ADMIN)
        order = Order(("normalized",), (str,))
        return page_of(
            request,
            row.also_upstream.all(),
            order,
            AlsoUpstreamName,
        )

    @extend_schema(
        operation_id="mark_also_upstream",
        parameters=[IDEMPOTENCY_KEY],
        request=AlsoUpstreamName,
        responses={201: AlsoUpstreamName},
        examples=[OpenApiExample("a name", {"project": "frog"}, request_only=True)],
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Let a virtual take a name of yours from upstream too: strangers' files with it."""
        require(self.by, tenant, key, Role.ADMIN)
        fields = sent(AlsoUpstreamName, request)

        def make() -> Response:
            with self.changing(require, tenant, key, Role.ADMIN) as row:
                mark = AlsoUpstream(virtual=row, **fields)
                configure.mark_also_upstream(mark, by=self.by.actor)
            return Response(AlsoUpstreamName(mark).data, status=201)

        return once(request, make)


class OneAlsoUpstream(RestView):
    """A name that a virtual takes from its remotes as well."""

    @extend_schema(operation_id="unmark_also_upstream", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, key: str, project: str) -> Response:
        """Take a name from your own repositories alone again."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            marks = row.also_upstream.select_related("virtual__tenant")
            mark = marks.filter(normalized=project).first()
            if mark is None:
                raise NoSuchName(f"{row} does not take {project} from upstream.")
            configure.unmark_also_upstream(mark, by=self.by.actor)
        return Response(status=204)
