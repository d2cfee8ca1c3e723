"""Service accounts: a tenant's accounts for CI, which have tokens and no password."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import members
from accounts.models import Tenant, User
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, Strict, sent
from base.errors import NotThere
from base.slugs import validate_slug
from repos.access import require_office

_BY_USERNAME = Order(("username",), (str,))


class ServiceAccountFacts(Strict):
    """A tenant's account for CI: it has no password, but tokens."""

    name = serializers.CharField(max_length=100, validators=[validate_slug])
    username = serializers.CharField(read_only=True)
    is_active = serializers.BooleanField(default=True)

    def to_representation(self, instance: User) -> dict[str, Any]:
        """Return an account by its name within the tenant, and its whole one."""
        name = instance.username.partition("/")[2]
        return {"name": name, "username": instance.username, "is_active": instance.is_active}


class ServiceAccountState(Strict):
    """What may be changed of a service account."""

    is_active = serializers.BooleanField()


class ServiceAccounts(RestView):
    """The service accounts of a tenant."""

    @extend_schema(
        operation_id="list_service_accounts",
        parameters=[PageAsked],
        responses=paged(ServiceAccountFacts, "ServiceAccountPage"),
    )
    def get(self, request: Request, tenant: str) -> Response:
        """List the accounts that a tenant has for its CI."""
        rows = require_office(self.by, tenant).service_accounts.all()
        return page_of(request, rows, _BY_USERNAME, ServiceAccountFacts)

    @extend_schema(
        operation_id="create_service_account",
        parameters=[IDEMPOTENCY_KEY],
        request=ServiceAccountFacts,
        responses={201: ServiceAccountFacts},
        examples=[OpenApiExample("for CI", {"name": "ci"}, request_only=True)],
    )
    def post(self, request: Request, tenant: str) -> Response:
        """Make an account for CI, a plain member of the tenant. Give it grants and a token."""
        require_office(self.by, tenant)
        fields = sent(ServiceAccountFacts, request)

        def make() -> Response:
            with self.changing(require_office, tenant) as place:
                name, is_active = f"{place.slug}/{fields['name']}", fields["is_active"]
                row = User(username=name, service_of=place, is_active=is_active)
                members.save_user(row, by=self.by.actor)
            return versioned(request, ServiceAccountFacts(row).data, status=201)

        return once(request, make)


class OneServiceAccount(RestView):
    """A service account of a tenant."""

    @extend_schema(operation_id="read_service_account", responses=ServiceAccountFacts)
    def get(self, request: Request, tenant: str, name: str) -> Response:
        """Read whether a service account is active."""
        row = _service_account(require_office(self.by, tenant), name)
        return versioned(request, ServiceAccountFacts(row).data)

    @extend_schema(
        operation_id="change_service_account",
        parameters=[IF_MATCH],
        request=ServiceAccountState,
        responses=ServiceAccountFacts,
    )
    def patch(self, request: Request, tenant: str, name: str) -> Response:
        """Let a service account rest, or work again: inactive, its tokens are refused."""
        with self.changing(require_office, tenant) as place:
            row = _service_account(place, name)
            require_version(request, ServiceAccountFacts(row).data)
            row.is_active = sent(ServiceAccountState, request)["is_active"]
            members.save_user(row, by=self.by.actor)
        return versioned(request, ServiceAccountFacts(row).data)


def _service_account(tenant: Tenant, name: str) -> User:
    rows = tenant.service_accounts.select_related("service_of")
    row = rows.filter(username=f"{tenant.slug}/{name}").first()
    if row is None:
        raise NotThere(f"{tenant} has no service account {name}.")
    return row
