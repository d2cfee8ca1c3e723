"""Grants: roles on one repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Membership, Team
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, RoleField, Strict, sent
from accounts.roles import Role
from base.errors import NotThere
from repos import configure
from repos.access import require
from repos.models import Grant, Repository

_WITH = ("repository__tenant", "membership__user", "membership__tenant", "team__tenant")
_BY_ID = Order(("pk",), (int,))


class GrantMissing(NotThere):
    """The repository has no such grant."""


class GrantFacts(Strict):
    """A role on a repository, and whom it is for."""

    id = serializers.IntegerField(read_only=True, source="pk")
    subject = serializers.ChoiceField(Grant.Subject.choices)
    user = serializers.CharField(
        required=False, allow_null=True, max_length=201, source="membership.user.username",
        help_text="The name of a member of the tenant, where the subject is a user.",
    )  # fmt: skip
    team = serializers.CharField(
        required=False, allow_null=True, max_length=100, source="team.name",
        help_text="The name of a team of the tenant, where the subject is a team.",
    )  # fmt: skip
    role = RoleField()

    def to_representation(self, instance: Grant) -> dict[str, Any]:
        """Return a grant with null for whom it does not name."""
        return {
            "id": instance.pk,
            "subject": instance.subject,
            "user": instance.membership.user.username if instance.membership else None,
            "team": instance.team.name if instance.team else None,
            "role": Role(instance.role).label,
        }


class GrantRole(Strict):
    """What may be changed of a grant."""

    role = RoleField()


class Grants(RestView):
    """The grants on a repository."""

    @extend_schema(
        operation_id="list_grants", parameters=[PageAsked], responses=paged(GrantFacts, "GrantPage")
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List who has which role in a repository."""
        row = require(self.by, tenant, key, Role.ADMIN)
        rows = row.grants.select_related(*_WITH)
        return page_of(request, rows, _BY_ID, GrantFacts)

    @extend_schema(
        operation_id="add_grant",
        parameters=[IDEMPOTENCY_KEY],
        request=GrantFacts,
        responses={201: GrantFacts},
        examples=[
            OpenApiExample(
                "a writer",
                {"subject": "user", "user": "wes", "role": "writer"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Give a role to a user, a team, or one of the wider circles."""
        require(self.by, tenant, key, Role.ADMIN)
        fields = sent(GrantFacts, request)

        def make() -> Response:
            with self.changing(require, tenant, key, Role.ADMIN) as row:
                grant = _new(row, fields)
                configure.save_grant(grant, by=self.by.actor)
            return versioned(request, GrantFacts(grant).data, status=201)

        return once(request, make)


class OneGrant(RestView):
    """A grant on a repository."""

    @extend_schema(operation_id="read_grant", responses=GrantFacts)
    def get(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Read a grant."""
        row = require(self.by, tenant, key, Role.ADMIN)
        return versioned(request, GrantFacts(_grant(row, pk)).data)

    @extend_schema(
        operation_id="change_grant", parameters=[IF_MATCH], request=GrantRole, responses=GrantFacts
    )
    def patch(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Change the role that a grant gives."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            grant = _grant(row, pk)
            require_version(request, GrantFacts(grant).data)
            grant.role = sent(GrantRole, request)["role"]
            configure.save_grant(grant, by=self.by.actor)
        return versioned(request, GrantFacts(grant).data)

    @extend_schema(operation_id="end_grant", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Take a role away."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            configure.end_grant(_grant(row, pk), by=self.by.actor)
        return Response(status=204)


def _new(repository: Repository, fields: Mapping[str, Any]) -> Grant:
    grant = Grant(repository=repository, subject=fields["subject"], role=fields["role"])
    user = fields.get("membership", {}).get("user", {}).get("username")
    team = fields.get("team", {}).get("name")
    grant.membership = _membership(repository, user) if user else None
    grant.team = _team(repository, team) if team else None
    return grant


def _grant(repository: Repository, pk: str) -> Grant:
    grant = repository.grants.select_related(*_WITH).filter(pk=pk).first()
    if grant is None:
        raise GrantMissing(f"{repository} has no grant {pk}.")
    return grant


def _membership(repository: Repository, user: str) -> Membership:
    rows = Membership.objects.select_related("user", "tenant")
    found = rows.filter(tenant=repository.tenant_id, user__username=user).first()
    if found is None:
        raise ValidationError({"user": f"{user} is not a member of {repository.tenant}."})
    return found


def _team(repository: Repository, name: str) -> Team:
    found = Team.objects.filter(tenant=repository.tenant_id, name=name).first()
    if found is None:
        raise ValidationError({"team": f"{repository.tenant} has no team {name}."})
    return found
