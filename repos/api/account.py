"""What people do about themselves: a new password, and the invitations of their name."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import members
from accounts.authentication import CredentialsRefused, by_password
from accounts.models import Invitation, Membership, User
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import paged
from accounts.rest.views import RestView, Strict, sent
from base.errors import NotThere
from repos.access import require_person

_BY_TENANT = Order(("tenant__slug",), (str,))


class NewPassword(Strict):
    """A new password, for who knows the old one."""

    old = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    new = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)


class OwnInvitation(serializers.ModelSerializer[Invitation]):
    """A membership that a tenant offers you."""

    tenant = serializers.CharField(source="tenant.slug")
    kind = serializers.ChoiceField(Membership.Kind.choices)

    class Meta:
        model = Invitation
        fields = ("tenant", "kind", "invited_at")
        read_only_fields = fields


class OwnPassword(RestView):
    """The password of the caller."""

    @extend_schema(operation_id="change_own_password", request=NewPassword, responses={204: None})
    def put(self, request: Request) -> Response:
        """Change your password. All your sessions and logins end with the old one."""
        user = require_person(self.by)
        said = sent(NewPassword, request)
        try:
            user = by_password(user.username, said["old"], address=self.by.address)
        except CredentialsRefused:
            raise ValidationError({"old": "This is not your password."}) from None
        validate_password(said["new"], user)
        members.set_password(user, password=said["new"], by=self.by.actor)
        return Response(status=204)


class OwnInvitations(RestView):
    """The invitations of the caller's name."""

    @extend_schema(
        operation_id="list_own_invitations",
        parameters=[PageAsked],
        responses=paged(OwnInvitation, "OwnInvitationPage"),
    )
    def get(self, request: Request) -> Response:
        """List the tenants that offer you a membership."""
        user = require_person(self.by)
        return page_of(request, members.invitations_of(user), _BY_TENANT, OwnInvitation)


class Joining(RestView):
    """An invitation that is accepted."""

    @extend_schema(operation_id="join_tenant", request=None, responses={204: None})
    def post(self, request: Request, tenant: str) -> Response:
        """Become a member of a tenant that has invited you."""
        with self.changing(require_person) as user:
            members.join(_invitation(user, tenant), user=user, by=self.by.actor)
        return Response(status=204)


class Declining(RestView):
    """An invitation that is declined."""

    @extend_schema(operation_id="decline_invitation", request=None, responses={204: None})
    def post(self, request: Request, tenant: str) -> Response:
        """Decline an invitation; the tenant is not told."""
        with self.changing(require_person) as user:
            members.decline(_invitation(user, tenant), by=self.by.actor)
        return Response(status=204)


def _invitation(user: User, tenant: str) -> Invitation:
    found = members.invitations_of(user).filter(tenant__slug=tenant).first()
    if found is None:
        raise NotThere(f"You have no invitation to {tenant}.")
    return found
