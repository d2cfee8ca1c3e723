"""Repositories of the three kinds: listed, made, changed, taken out of service."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, Strict, asked, sent
from accounts.roles import Role
from repos import configure
from repos.access import readable_by, require, require_tenant_admin
from repos.api.parts import OneMember, UpstreamSettings, save_parts
from repos.models import Kind, Repository

_BY_NAME = Order(("tenant__slug", "key"), (str, str))
_SETTINGS = (
    "description",
    "quiet_period",
    "max_file_bytes",
    "rules",
    "overwrite_allowed",
    "releases_close_after_days",
)
# What a new one may come with; later they are changed below it (repos.api.parts).
_PARTS = ("upstream", "members", "deployment")


class RepositorySettings(Strict, serializers.ModelSerializer[Repository]):
    """A repository; what may be changed of it, and what it is for good."""

    tenant = serializers.CharField(source="tenant.slug", read_only=True)

    class Meta:
        model = Repository
        fields = ("tenant", "key", "kind", *_SETTINGS, "created_at")
        read_only_fields = ("key", "kind", "created_at")
        validators: ClassVar[list[Any]] = []  # the use case's


class NewRepository(Strict, serializers.ModelSerializer[Repository]):
    """A repository that is to be made."""

    tenant = serializers.CharField(max_length=100)
    members_read = serializers.BooleanField(
        default=True, help_text="Give the reader role to all members of the tenant."
    )
    upstream = UpstreamSettings(required=False, help_text="Of a remote: where it points.")
    members = OneMember(
        many=True, required=False, help_text="Of a virtual: what it shows, in order."
    )
    deployment = serializers.CharField(
        required=False,
        max_length=201,
        help_text="Of a virtual: tenant/key of a local beneath it, where uploads to it go.",
    )

    class Meta:
        model = Repository
        fields = ("tenant", "key", "kind", *_SETTINGS, "members_read", *_PARTS)
        validators: ClassVar[list[Any]] = []


class RepositoriesAsked(PageAsked):
    """Which repositories are wanted."""

    tenant = serializers.CharField(required=False, max_length=100)
    kind = serializers.ChoiceField(Kind.choices, required=False)
    contains = serializers.CharField(
        required=False, max_length=100, help_text="A part of its key or its description."
    )


_NEW = [
    OpenApiExample(
        "a local repository",
        {"tenant": "acme", "key": "pypi-local", "kind": "local", "description": "What we publish"},
        request_only=True,
    ),
    OpenApiExample(
        "a remote repository",
        {
            "tenant": "acme",
            "key": "pypi-remote",
            "kind": "remote",
            "upstream": {"index_url": "https://index.example"},
        },
        request_only=True,
    ),
    OpenApiExample(
        "a virtual repository",
        {
            "tenant": "acme",
            "key": "pypi-virtual",
            "kind": "virtual",
            "members": [{"repository": "acme/pypi-local"}, {"repository": "acme/pypi-remote"}],
            "deployment": "acme/pypi-local",
        },
        request_only=True,
    ),
]


class Repositories(RestView):
    """All repositories that the caller may read."""

    @extend_schema(
        operation_id="list_repositories",
        parameters=[RepositoriesAsked],
        responses=paged(RepositorySettings, "RepositoryPage"),
    )
    def get(self, request: Request) -> Response:
        """List the repositories that you may read, by tenant and key."""
        wanted = asked(RepositoriesAsked, request)
        rows = readable_by(self.by).select_related("tenant")
        if "tenant" in wanted:
            rows = rows.filter(tenant__slug=wanted["tenant"])
        if "kind" in wanted:
            rows = rows.filter(kind=wanted["kind"])
        if "contains" in wanted:
            text = wanted["contains"]
            rows = rows.filter(Q(key__icontains=text) | Q(description__icontains=text))
        return page_of(request, rows, _BY_NAME, RepositorySettings)

    @extend_schema(
        operation_id="create_repository",
        parameters=[IDEMPOTENCY_KEY],
        request=NewRepository,
        responses={201: RepositorySettings},
        examples=_NEW,
    )
    def post(self, request: Request) -> Response:
        """Make a repository in a tenant that you administer, with its parts or not at all."""
        if self.by.user is None:
            require_tenant_admin(self.by, "")
        fields = sent(NewRepository, request)
        name = fields.pop("tenant")
        require_tenant_admin(self.by, name)
        members_read = fields.pop("members_read")
        parts = {name: fields.pop(name) for name in _PARTS if name in fields}

        def make() -> Response:
            with self.changing(require_tenant_admin, name) as tenant:
                row = configure.create_repository(
                    Repository(tenant=tenant, **fields), by=self.by.actor, members_read=members_read
                )
                save_parts(self.by, row, parts)
            return versioned(request, RepositorySettings(row).data, status=201)

        return once(request, make)


class OneRepository(RestView):
    """A repository and its settings."""

    @extend_schema(operation_id="read_repository", responses=RepositorySettings)
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read a repository."""
        row = require(self.by, tenant, key, Role.READER)
        return versioned(request, RepositorySettings(row).data)

    @extend_schema(
        operation_id="change_repository",
        parameters=[IF_MATCH],
        request=RepositorySettings,
        responses=RepositorySettings,
        examples=[OpenApiExample("a longer wait", {"quiet_period": 300}, request_only=True)],
    )
    def patch(self, request: Request, tenant: str, key: str) -> Response:
        """Change the settings of a repository; those that are not sent stay."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            require_version(request, RepositorySettings(row).data)
            for name, value in sent(RepositorySettings, request, row).items():
                setattr(row, name, value)
            configure.change_repository(row, by=self.by.actor)
        return versioned(request, RepositorySettings(row).data)

    @extend_schema(
        operation_id="delete_repository", parameters=[IF_MATCH], request=None, responses={204: None}
    )
    def delete(self, request: Request, tenant: str, key: str) -> Response:
        """Take a repository out of service. Its key stays taken, and what it holds is kept."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            require_tenant_admin(self.by, tenant)
            require_version(request, RepositorySettings(row).data)
            configure.delete_repository(row, by=self.by.actor)
        return Response(status=204)
