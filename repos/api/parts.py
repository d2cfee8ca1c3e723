"""What is particular to a kind: the upstream of a remote; members and merging of a virtual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.principal import Principal
from accounts.rest.schema import IF_MATCH
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, Strict, sent
from accounts.roles import Role
from repos import configure
from repos.access import readable_by, require
from repos.models import Kind, Member, Repository, Upstream, VirtualSettings


class UpstreamSettings(Strict, serializers.ModelSerializer[Upstream]):
    """Where a remote points. The password is taken and never given out."""

    scopes = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
    include = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
    exclude = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
    password = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        max_length=1000,
        trim_whitespace=False,
        help_text="A new one; empty: the stored one is forgotten; left out: it stays.",
    )
    has_password = serializers.SerializerMethodField()

    class Meta:
        model = Upstream
        fields = (
            "index_url", "suffix", "scopes", "files_url", "username", "password", "has_password",
            "private_allowed", "names_are_kept", "ca", "proxy", "connect_seconds", "read_seconds",
            "fresh_seconds", "negative_seconds", "offline", "lists_projects", "include", "exclude",
        )  # fmt: skip

    def get_has_password(self, row: Upstream) -> bool:
        """Say whether a password is stored."""
        return bool(row.sealed_password)


class OneMember(Strict):
    """A place in a virtual repository."""

    repository = serializers.CharField(max_length=201, help_text="tenant/key")
    scope = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class Members(Strict):
    """The members of a virtual, in order."""

    members = OneMember(many=True)


class Merging(Strict):
    """How a virtual shows its members, and where uploads to it go."""

    merge = serializers.ChoiceField(VirtualSettings.Merge.choices)
    deployment = serializers.CharField(
        max_length=201,
        allow_null=True,
        help_text="tenant/key of a local beneath it; null: uploads are refused.",
    )


class OneUpstream(RestView):
    """The upstream of a remote."""

    @extend_schema(operation_id="read_upstream", responses=UpstreamSettings)
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read where a remote points; an address inside your network is for its administrators."""
        row = require(self.by, tenant, key, Role.ADMIN)
        return versioned(request, UpstreamSettings(_upstream(row)).data)

    @extend_schema(
        operation_id="change_upstream",
        parameters=[IF_MATCH],
        request=UpstreamSettings,
        responses=UpstreamSettings,
        examples=[
            OpenApiExample("an index", {"index_url": "https://index.example"}, request_only=True)
        ],
    )
    def patch(self, request: Request, tenant: str, key: str) -> Response:
        """Say or change where a remote points; what is not sent stays."""
        with self.changing(require, tenant, key, Role.ADMIN) as repository:
            row = _upstream(repository)
            require_version(request, UpstreamSettings(row).data)
            fields = sent(UpstreamSettings, request, row)
            _save_upstream(self.by, row, fields)
        return versioned(request, UpstreamSettings(row).data)


class VirtualMembers(RestView):
    """The members of a virtual."""

    @extend_schema(operation_id="read_members", responses=Members)
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read the members of a virtual, in order."""
        row = require(self.by, tenant, key, Role.ADMIN)
        return versioned(request, _members(row))

    @extend_schema(
        operation_id="replace_members",
        parameters=[IF_MATCH],
        request=Members,
        responses=Members,
        examples=[
            OpenApiExample(
                "a local before a remote",
                {"members": [{"repository": "acme/local"}, {"repository": "acme/remote"}]},
                request_only=True,
            )
        ],
    )
    def put(self, request: Request, tenant: str, key: str) -> Response:
        """Let a virtual show these members, in this order."""
        with self.changing(require, tenant, key, Role.ADMIN) as row:
            require_version(request, _members(row))
            wanted = sent(Members, request)["members"]
            _save_members(self.by, row, wanted)
        return versioned(request, _members(row))


class VirtualMerging(RestView):
    """How a virtual merges, and where uploads to it go."""

    @extend_schema(operation_id="read_merging", responses=Merging)
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """Read how a virtual shows its members."""
        row = require(self.by, tenant, key, Role.ADMIN)
        return versioned(request, _merging(_virtual(row)))

    @extend_schema(
        operation_id="change_merging", parameters=[IF_MATCH], request=Merging, responses=Merging
    )
    def patch(self, request: Request, tenant: str, key: str) -> Response:
        """Change how a virtual shows its members, and where uploads to it go."""
        with self.changing(require, tenant, key, Role.ADMIN) as repository:
            row = _virtual(repository)
            require_version(request, _merging(row))
            fields = sent(Merging, request, _merging(row))
            row.merge = fields.get("merge", row.merge)
            if "deployment" in fields:
                row.deployment = _deployment(self.by, row, fields["deployment"])
            configure.save_virtual(row, by=self.by.actor)
        return versioned(request, _merging(row))


def save_parts(by: Principal, repository: Repository, parts: Mapping[str, Any]) -> None:
    """Save what a new repository comes with: its upstream, or its members and where uploads go."""
    if "upstream" in parts:
        _save_upstream(by, _upstream(repository), dict(parts["upstream"]))
    if "members" in parts:
        _save_members(by, repository, parts["members"])
    if "deployment" in parts:
        row = _virtual(repository)
        row.deployment = _deployment(by, row, parts["deployment"])
        configure.save_virtual(row, by=by.actor)


def _save_upstream(by: Principal, row: Upstream, fields: dict[str, Any]) -> None:
    password = fields.pop("password", None)
    _judge_reach(by, row, fields)
    for name, value in fields.items():
        setattr(row, name, value)
    configure.save_upstream(row, by=by.actor, password=password)


def _judge_reach(by: Principal, row: Upstream, fields: dict[str, Any]) -> None:
    """Leave it to superusers what Larder may reach within their network (decision 0008)."""
    if by.user is not None and by.user.is_superuser and by.token is None:
        return
    for name in ("private_allowed", "proxy"):
        if fields.get(name, getattr(row, name)) != getattr(row, name):
            raise ValidationError({name: "Only who runs this installation may change this."})
    before = Upstream.objects.filter(pk=row.pk).first()
    moved = Upstream(
        pk=row.pk,
        index_url=fields.get("index_url", row.index_url),
        files_url=fields.get("files_url", row.files_url),
    )
    if before is not None and configure.points_elsewhere(moved):
        fields["private_allowed"] = False  # it was allowed for the old hosts


def _save_members(by: Principal, virtual: Repository, wanted: Sequence[Mapping[str, Any]]) -> None:
    there = {str(place.repository): place.repository for place in _places(virtual)}
    found = _named(by, [each["repository"] for each in wanted], there)
    places = [Member(repository=found[each["repository"]], scope=each["scope"]) for each in wanted]
    configure.set_members(virtual, places, by=by.actor)


def _deployment(by: Principal, row: VirtualSettings, name: str | None) -> Repository | None:
    there = {str(row.deployment): row.deployment} if row.deployment else {}
    return _named(by, [name], there)[name] if name else None


def _upstream(repository: Repository) -> Upstream:
    """Return the upstream of a remote, or the one that it could have."""
    if repository.kind != Kind.REMOTE:
        raise ValidationError("Only a remote repository has an upstream.")
    row = Upstream.objects.filter(repository=repository).first()
    return row or Upstream(repository=repository)


def _virtual(repository: Repository) -> VirtualSettings:
    if repository.kind != Kind.VIRTUAL:
        raise ValidationError("Only a virtual repository has these settings.")
    rows = VirtualSettings.objects.select_related("deployment__tenant", "repository__tenant")
    return rows.filter(repository=repository).first() or VirtualSettings(repository=repository)


def _merging(row: VirtualSettings) -> dict[str, Any]:
    return {"merge": row.merge, "deployment": str(row.deployment) if row.deployment else None}


def _places(virtual: Repository) -> list[Member]:
    return list(virtual.members.select_related("repository__tenant"))


def _members(virtual: Repository) -> dict[str, Any]:
    if virtual.kind != Kind.VIRTUAL:
        raise ValidationError("Only a virtual repository has members.")
    return {
        "members": [
            {"repository": str(place.repository), "scope": place.scope}
            for place in _places(virtual)
        ]
    }


def _named(by: Principal, names: list[str], there: dict[str, Repository]) -> dict[str, Repository]:
    """Return repositories by their names: those that are there, and others that `by` may read."""
    found = dict(there)
    for name in names:
        if name not in found:
            tenant, _, key = name.partition("/")
            row = (
                readable_by(by)
                .select_related("tenant")
                .filter(tenant__slug=tenant, key=key)
                .first()
            )
            if row is None:
                raise ValidationError(f"There is no repository {name} that you may use.")
            found[name] = row
    return found
