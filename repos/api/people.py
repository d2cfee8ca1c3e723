"""People: members and invitations of a tenant, and the users of the installation."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import members
from accounts.models import Invitation, Membership, Tenant, User
from accounts.principal import Principal
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, Strict, asked, sent
from base.errors import NotThere
from repos.access import require_office, require_superuser

_BY_USER = Order(("user__username",), (str,))
_BY_USERNAME = Order(("username",), (str,))


class MemberFacts(Strict):
    """Somebody's place in a tenant."""

    id = serializers.IntegerField(read_only=True, source="pk")
    username = serializers.CharField(source="user.username", max_length=201)
    kind = serializers.ChoiceField(Membership.Kind.choices, default=Membership.Kind.MEMBER)


class MemberKind(Strict):
    """What may be changed of a member."""

    kind = serializers.ChoiceField(Membership.Kind.choices)


class InvitationFacts(Strict):
    """An offer of membership to whoever has a name."""

    username = serializers.CharField(max_length=201, help_text="Exactly as the user signs in.")
    kind = serializers.ChoiceField(Membership.Kind.choices, default=Membership.Kind.MEMBER)


class UserFacts(Strict, serializers.ModelSerializer[User]):
    """A person. The password is taken and never given out."""

    password = serializers.CharField(
        write_only=True, required=False, max_length=1000, trim_whitespace=False
    )

    class Meta:
        model = User
        fields = ("username", "full_name", "email", "is_active", "is_superuser", "password")
        extra_kwargs: ClassVar[dict[str, Any]] = {"username": {"validators": []}}


class UsersAsked(PageAsked):
    """Which people are wanted."""

    contains = serializers.CharField(
        required=False, max_length=100, help_text="A part of a user name, a name or an address."
    )
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class TenantMembers(RestView):
    """The members of a tenant."""

    @extend_schema(
        operation_id="list_tenant_members",
        parameters=[PageAsked],
        responses=paged(MemberFacts, "MemberPage"),
    )
    def get(self, request: Request, tenant: str) -> Response:
        """List who belongs to a tenant that you administer, its service accounts included."""
        rows = require_office(self.by, tenant).memberships.select_related("user")
        return page_of(request, rows, _BY_USER, MemberFacts)

    @extend_schema(
        operation_id="add_tenant_member",
        parameters=[IDEMPOTENCY_KEY],
        request=MemberFacts,
        responses={201: MemberFacts},
    )
    def post(self, request: Request, tenant: str) -> Response:
        """Make a user a member at once: for who runs the installation. Others invite."""
        _require_superuser_of(self.by, tenant)
        fields = sent(MemberFacts, request)

        def make() -> Response:
            with self.changing(_require_superuser_of, tenant) as place:
                user = User.objects.filter(username=fields["user"]["username"]).first()
                if user is None:
                    raise ValidationError({"username": "There is no such user."})
                row = Membership(tenant=place, user=user, kind=fields["kind"])
                members.save_membership(row, by=self.by.actor)
            return versioned(request, MemberFacts(row).data, status=201)

        return once(request, make)


class OneTenantMember(RestView):
    """A member of a tenant."""

    @extend_schema(operation_id="read_tenant_member", responses=MemberFacts)
    def get(self, request: Request, tenant: str, pk: str) -> Response:
        """Read what somebody is to a tenant that you administer."""
        row = _member(require_office(self.by, tenant), pk)
        return versioned(request, MemberFacts(row).data)

    @extend_schema(
        operation_id="change_tenant_member",
        parameters=[IF_MATCH],
        request=MemberKind,
        responses=MemberFacts,
    )
    def patch(self, request: Request, tenant: str, pk: str) -> Response:
        """Make a member an admin of the tenant, or a plain member again."""
        with self.changing(require_office, tenant) as place:
            row = _member(place, pk)
            require_version(request, MemberFacts(row).data)
            row.kind = sent(MemberKind, request)["kind"]
            members.save_membership(row, by=self.by.actor)
        return versioned(request, MemberFacts(row).data)

    @extend_schema(operation_id="end_tenant_member", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, pk: str) -> Response:
        """Take a member out of the tenant, with their grants, team places and tokens there."""
        with self.changing(require_office, tenant) as place:
            members.end_membership(_member(place, pk), by=self.by.actor)
        return Response(status=204)


class Invitations(RestView):
    """The invitations of a tenant."""

    @extend_schema(
        operation_id="list_invitations",
        parameters=[PageAsked],
        responses=paged(InvitationFacts, "InvitationPage"),
    )
    def get(self, request: Request, tenant: str) -> Response:
        """List the names that a tenant has invited and that have not joined yet."""
        rows = require_office(self.by, tenant).invitations.all()
        return page_of(request, rows, _BY_USERNAME, InvitationFacts)

    @extend_schema(
        operation_id="invite",
        parameters=[IDEMPOTENCY_KEY],
        request=InvitationFacts,
        responses={202: InvitationFacts},
        examples=[OpenApiExample("a colleague", {"username": "wes"}, request_only=True)],
    )
    def post(self, request: Request, tenant: str) -> Response:
        """Invite the user of this exact name; the answer does not tell if there is one."""
        require_office(self.by, tenant)
        fields = sent(InvitationFacts, request)

        def make() -> Response:
            with self.changing(require_office, tenant) as place:
                members.invite(Invitation(tenant=place, **fields), by=self.by.actor)
            return Response(fields, status=202)

        return once(request, make)


class OneInvitation(RestView):
    """An invitation of a tenant."""

    @extend_schema(operation_id="withdraw_invitation", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, username: str) -> Response:
        """Take an invitation back."""
        with self.changing(require_office, tenant) as place:
            rows = place.invitations.select_related("tenant")
            row = rows.filter(username=username).first() if username.isprintable() else None
            if row is None:
                raise NotThere(f"{place} has invited nobody of this name.")
            members.withdraw(row, by=self.by.actor)
        return Response(status=204)


class Users(RestView):
    """The people of the installation."""

    @extend_schema(
        operation_id="list_users", parameters=[UsersAsked], responses=paged(UserFacts, "UserPage")
    )
    def get(self, request: Request) -> Response:
        """List people: for who runs the installation."""
        require_superuser(self.by)
        wanted = asked(UsersAsked, request)
        rows = User.objects.filter(service_of__isnull=True)
        if text := wanted.get("contains"):
            named = Q(username__icontains=text) | Q(full_name__icontains=text)
            rows = rows.filter(named | Q(email__icontains=text))
        if wanted["is_active"] is not None:
            rows = rows.filter(is_active=wanted["is_active"])
        return page_of(request, rows, _BY_USERNAME, UserFacts)

    @extend_schema(
        operation_id="create_user",
        parameters=[IDEMPOTENCY_KEY],
        request=UserFacts,
        responses={201: UserFacts},
    )
    def post(self, request: Request) -> Response:
        """Make a user: for who runs the installation."""
        require_superuser(self.by)
        fields = sent(UserFacts, request)
        password = fields.pop("password", None)
        row = User(**fields)
        hashed = _hashed(password, row)

        def make() -> Response:
            with self.changing(require_superuser):
                members.save_user(row, by=self.by.actor, hashed=hashed)
            return versioned(request, UserFacts(row).data, status=201)

        return once(request, make)


class OneUser(RestView):
    """A person."""

    @extend_schema(operation_id="read_user", responses=UserFacts)
    def get(self, request: Request, username: str) -> Response:
        """Read what is known of a person."""
        require_superuser(self.by)
        return versioned(request, UserFacts(_user(username)).data)

    @extend_schema(
        operation_id="change_user", parameters=[IF_MATCH], request=UserFacts, responses=UserFacts
    )
    def patch(self, request: Request, username: str) -> Response:
        """Change a user; inactive, every sign-in and token of theirs is refused."""
        require_superuser(self.by)
        seen = _user(username)
        fields = sent(UserFacts, request, seen)
        password = fields.pop("password", None)
        _fill_in(seen, fields)
        hashed = _hashed(password, seen)
        with self.changing(require_superuser):
            row = _user(username)
            require_version(request, UserFacts(row).data)
            _fill_in(row, fields)
            members.save_user(row, by=self.by.actor, hashed=hashed)
        return versioned(request, UserFacts(row).data)


def _require_superuser_of(by: Principal, tenant: str) -> Tenant:
    require_superuser(by)
    return require_office(by, tenant)


def _fill_in(user: User, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(user, name, value)


def _hashed(password: str | None, user: User) -> str | None:
    """Return what is stored of a password that is good enough; it takes long: no lock is held."""
    if password is None:
        return None
    validate_password(password, user)
    return members.hash_password(password)


def _member(tenant: Tenant, pk: str) -> Membership:
    row = tenant.memberships.select_related("user", "tenant").filter(pk=pk).first()
    if row is None:
        raise NotThere(f"{tenant} has no member {pk}.")
    return row


def _user(username: str) -> User:
    row = User.objects.filter(username=username, service_of__isnull=True).first()
    if row is None:
        raise NotThere(f"There is no user {username}.")
    return row
