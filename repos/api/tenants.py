"""Who calls, and tenants, for those who administer them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import members
from accounts.models import Tenant
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, RoleField, Strict, sent
from repos.access import SignInRequired, require_office, require_superuser, tenants_of

_OF_SUPERUSERS = ("host_name", "quota_bytes", "quota_files")


class TenantName(serializers.ModelSerializer[Tenant]):
    """A tenant as its members know it."""

    class Meta:
        model = Tenant
        fields = ("slug", "name")
        read_only_fields = fields


class TenantSettings(Strict, serializers.ModelSerializer[Tenant]):
    """A tenant, its bounds and what it uses of them."""

    moved_by_use = ("used_bytes", "used_files")

    class Meta:
        model = Tenant
        fields = ("slug", "name", *_OF_SUPERUSERS, "used_bytes", "used_files")
        read_only_fields = ("slug", "used_bytes", "used_files")
        extra_kwargs: ClassVar[dict[str, Any]] = {"host_name": {"validators": []}}


class NewTenant(Strict, serializers.ModelSerializer[Tenant]):
    """A tenant that is to be made."""

    class Meta:
        model = Tenant
        fields = ("slug", "name", *_OF_SUPERUSERS)
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "slug": {"validators": []},
            "host_name": {"validators": []},
        }


class TokenOfCaller(serializers.Serializer[Any]):
    """How the caller's token narrows them."""

    name = serializers.CharField()
    role = RoleField()
    all_repositories = serializers.BooleanField()
    project_patterns = serializers.ListField(child=serializers.CharField())


class Caller(serializers.Serializer[Any]):
    """Who calls."""

    username = serializers.CharField()
    is_superuser = serializers.BooleanField()
    tenants = serializers.ListField(child=serializers.CharField())
    token = TokenOfCaller(allow_null=True, help_text="null: they have come themselves.")


class Me(RestView):
    """The caller."""

    @extend_schema(operation_id="who_am_i", responses=Caller)
    def get(self, request: Request) -> Response:
        """Read who you are here, and how your token narrows you."""
        by = self.by
        if by.user is None:
            raise SignInRequired("Sign in with a user name and a token.")
        facts = {
            "username": by.user.username,
            "is_superuser": by.user.is_superuser,
            "tenants": tenants_of(by),
            "token": by.token,
        }
        return Response(Caller(facts).data)


class Tenants(RestView):
    """The tenants that the caller belongs to."""

    @extend_schema(
        operation_id="list_tenants",
        parameters=[PageAsked],
        responses=paged(TenantName, "TenantPage"),
    )
    def get(self, request: Request) -> Response:
        """List the tenants that you belong to; all of them for who runs the installation."""
        by = self.by
        if by.user is None:
            raise SignInRequired("Sign in with a user name and a token.")
        rows = Tenant.objects.all()
        if not by.user.is_superuser or by.token is not None:
            rows = rows.filter(slug__in=tenants_of(by))
        order = Order(("slug",), (str,))
        return page_of(request, rows, order, TenantName)

    @extend_schema(
        operation_id="create_tenant",
        parameters=[IDEMPOTENCY_KEY],
        request=NewTenant,
        responses={201: TenantSettings},
        examples=[OpenApiExample("a tenant", {"slug": "acme", "name": "Acme"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make a tenant: for who runs the installation."""
        require_superuser(self.by)
        row = Tenant(**sent(NewTenant, request))

        def make() -> Response:
            with self.changing(require_superuser):
                members.save_tenant(row, by=self.by.actor)
            return versioned(request, TenantSettings(row).data, status=201)

        return once(request, make)


class OneTenant(RestView):
    """A tenant."""

    @extend_schema(operation_id="read_tenant", responses=TenantSettings)
    def get(self, request: Request, tenant: str) -> Response:
        """Read a tenant that you administer, and what it uses of its quota."""
        return versioned(request, TenantSettings(require_office(self.by, tenant)).data)

    @extend_schema(
        operation_id="change_tenant",
        parameters=[IF_MATCH],
        request=TenantSettings,
        responses=TenantSettings,
    )
    def patch(self, request: Request, tenant: str) -> Response:
        """Change what a tenant is called; its bounds, for who runs the installation."""
        with self.changing(require_office, tenant) as row:
            require_version(request, TenantSettings(row).data)
            fields = sent(TenantSettings, request, row)
            for name in _OF_SUPERUSERS:
                is_new = fields.get(name, getattr(row, name)) != getattr(row, name)
                if is_new and not (self.by.user and self.by.user.is_superuser):
                    told = "Only who runs this installation may change this."
                    raise ValidationError({name: told})
            for name, value in fields.items():
                setattr(row, name, value)
            members.save_tenant(row, by=self.by.actor)
        return versioned(request, TenantSettings(row).data)
