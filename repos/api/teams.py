"""Teams: named sets of a tenant's members."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import members
from accounts.models import Membership, Team, Tenant
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, Strict, sent
from base.errors import NotThere
from repos.access import require_office

_BY_TEAM = Order(("name",), (str,))


class TeamFacts(Strict):
    """A named set of a tenant's members."""

    name = serializers.CharField(max_length=100)
    members = serializers.ListField(
        child=serializers.CharField(max_length=201), help_text="Their user names."
    )

    def to_representation(self, instance: Team) -> dict[str, Any]:
        """Return a team with the names of who is in it."""
        names = sorted(each.user.username for each in instance.members.all())
        return {"name": instance.name, "members": names}


class Teams(RestView):
    """The teams of a tenant."""

    @extend_schema(
        operation_id="list_teams", parameters=[PageAsked], responses=paged(TeamFacts, "TeamPage")
    )
    def get(self, request: Request, tenant: str) -> Response:
        """List the teams of a tenant that you administer, and who is in them."""
        rows = require_office(self.by, tenant).teams.prefetch_related("members__user")
        return page_of(request, rows, _BY_TEAM, TeamFacts)

    @extend_schema(
        operation_id="create_team",
        parameters=[IDEMPOTENCY_KEY],
        request=TeamFacts,
        responses={201: TeamFacts},
        examples=[
            OpenApiExample("a team", {"name": "data", "members": ["wes"]}, request_only=True)
        ],
    )
    def post(self, request: Request, tenant: str) -> Response:
        """Make a team of members of the tenant."""
        require_office(self.by, tenant)
        fields = sent(TeamFacts, request)

        def make() -> Response:
            with self.changing(require_office, tenant) as place:
                row = Team(tenant=place, name=fields["name"])
                chosen = _members_named(place, fields["members"])
                members.save_team(row, by=self.by.actor, members=chosen)
            return versioned(request, TeamFacts(row).data, status=201)

        return once(request, make)


class OneTeam(RestView):
    """A team of a tenant."""

    @extend_schema(operation_id="read_team", responses=TeamFacts)
    def get(self, request: Request, tenant: str, name: str) -> Response:
        """Read who is in a team."""
        return versioned(request, TeamFacts(_team(require_office(self.by, tenant), name)).data)

    @extend_schema(
        operation_id="change_team", parameters=[IF_MATCH], request=TeamFacts, responses=TeamFacts
    )
    def patch(self, request: Request, tenant: str, name: str) -> Response:
        """Rename a team, or say anew who is in it."""
        with self.changing(require_office, tenant) as place:
            row = _team(place, name)
            require_version(request, TeamFacts(row).data)
            fields = sent(TeamFacts, request, row)
            row.name = fields.get("name", row.name)
            names = fields.get("members")
            chosen = None if names is None else _members_named(place, names)
            members.save_team(row, by=self.by.actor, members=chosen)
        return versioned(request, TeamFacts(_team(place, row.name)).data)

    @extend_schema(operation_id="delete_team", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, name: str) -> Response:
        """Delete a team, with the grants that it holds."""
        with self.changing(require_office, tenant) as place:
            members.delete_team(_team(place, name), by=self.by.actor)
        return Response(status=204)


def _members_named(tenant: Tenant, names: list[str]) -> list[Membership]:
    found = {
        row.user.username: row
        for row in tenant.memberships.select_related("user").filter(user__username__in=names)
    }
    for name in names:
        if name not in found:
            raise ValidationError({"members": f"{name} is not a member of {tenant}."})
    return list(found.values())


def _team(tenant: Tenant, name: str) -> Team:
    rows = tenant.teams.select_related("tenant").prefetch_related("members__user")
    row = rows.filter(name=name).first()
    if row is None:
        raise NotThere(f"{tenant} has no team {name}.")
    return row
