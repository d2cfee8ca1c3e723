"""Tokens: made once, listed, changed, revoked. Who makes one may widen it, others narrow it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.administration import office_of_user
from accounts.models import Membership, Token, User
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, paged
from accounts.rest.versions import require_version, versioned
from accounts.rest.views import RestView, RoleField, Strict, asked, sent
from accounts.roles import Role
from repos import configure
from repos.access import readable_by, require_person
from repos.models import Repository
from repos.narrowing import narrow_token, normal_patterns

_LATEST = Order(("pk",), (int,), is_descending=True)


class TokenLimits(Strict):
    """What a token may do at most."""

    name = serializers.CharField(max_length=100, help_text="What it is for, e.g. laptop or CI.")
    role = RoleField(help_text="The most it may do.")
    repositories = serializers.ListField(
        child=serializers.CharField(max_length=201),
        allow_null=True,
        allow_empty=False,
        help_text="tenant/key of those in which it works; null: wherever its owner may.",
    )
    project_patterns = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        help_text="Projects it may publish, yank and delete, such as acme-*; empty: all.",
    )
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="null: it works until it is revoked."
    )


class NewToken(TokenLimits):
    """A token that is to be made."""

    tenant = serializers.CharField(max_length=100, help_text="The one that it works in.")
    owner = serializers.CharField(
        required=False,
        max_length=201,
        help_text="Yourself, unless you say a service account of the tenant.",
    )


class TokenFacts(TokenLimits):
    """A token; its secret is told when it is made, and never again."""

    id = serializers.IntegerField(read_only=True)
    identifier = serializers.CharField(read_only=True, help_text="How its secret begins.")
    owner = serializers.CharField(read_only=True)
    tenant = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    revoked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)
    moved_by_use = ("last_used_at",)

    def to_representation(self, instance: Token) -> dict[str, Any]:
        """Return a token with the names of where it works."""
        names = sorted(str(each.repository) for each in instance.repositories.all())
        instant = self.fields["created_at"].to_representation
        moments = ("expires_at", "created_at", "revoked_at", "last_used_at")
        return {
            "id": instance.pk,
            "identifier": instance.identifier,
            "owner": instance.membership.user.username,
            "tenant": instance.membership.tenant.slug,
            "name": instance.name,
            "role": Role(instance.role).label,
            "repositories": None if instance.all_repositories else names,
            "project_patterns": instance.project_patterns,
        } | {name: instant(at) if (at := getattr(instance, name)) else None for name in moments}


class MadeToken(TokenFacts):
    """A token that was made now."""

    secret = serializers.CharField(read_only=True, help_text="Shown this once.")


class TokensAsked(PageAsked):
    """Whose tokens are wanted."""

    tenant = serializers.CharField(
        required=False, max_length=100, help_text="All of a tenant that you administer."
    )
    owner = serializers.CharField(
        required=False, max_length=201, help_text="Of these, one user's or service account's."
    )


class Tokens(RestView):
    """The caller's own tokens, and those of a tenant for who administers it."""

    @extend_schema(
        operation_id="list_tokens",
        parameters=[TokensAsked],
        responses=paged(TokenFacts, "TokenPage"),
    )
    def get(self, request: Request) -> Response:
        """List your tokens, or those of a tenant that you administer; the latest first."""
        user = require_person(self.by)
        wanted = asked(TokensAsked, request)
        rows = _visible(user)
        if "tenant" in wanted:
            rows = rows.filter(membership__tenant__slug=wanted["tenant"])
        else:
            rows = rows.filter(membership__user=user)
        if "owner" in wanted:
            rows = rows.filter(membership__user__username=wanted["owner"])
        return page_of(request, rows, _LATEST, TokenFacts)

    @extend_schema(
        operation_id="create_token",
        parameters=[IDEMPOTENCY_KEY],
        request=NewToken,
        responses={201: MadeToken},
        examples=[
            OpenApiExample(
                "for CI",
                {
                    "tenant": "acme",
                    "owner": "acme/ci",
                    "name": "CI",
                    "role": "writer",
                    "repositories": ["acme/pypi-local"],
                    "expires_at": "2027-01-01T00:00:00Z",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make a token, for yourself or a service account. Its secret is in this answer alone."""
        require_person(self.by)
        fields = sent(NewToken, request)

        def make() -> Response:
            with self.changing(require_person) as user:
                owner = _owner(user, fields["tenant"], fields.get("owner", user.username))
                row, secret = configure.create_token(
                    membership=owner,
                    name=fields["name"],
                    by=self.by.actor,
                    role=fields["role"],
                    repositories=self._chosen(owner, fields["repositories"]),
                    project_patterns=tuple(normal_patterns(fields.get("project_patterns", []))),
                    expires_at=fields["expires_at"],
                )
            made = TokenFacts(_visible(user).get(pk=row.pk)).data | {"secret": secret}
            return Response(made, status=201, headers={"Cache-Control": "no-store"})

        return once(request, make, is_secret=True)

    def _chosen(self, owner: Membership, names: list[str] | None) -> list[Repository] | None:
        if names is None:
            return None
        return repositories_named(readable_by(self.by).filter(tenant=owner.tenant_id), names)


class OneToken(RestView):
    """A token."""

    @extend_schema(operation_id="read_token", responses=TokenFacts)
    def get(self, request: Request, pk: str) -> Response:
        """Read what a token may do, and when it was used."""
        row = _token(require_person(self.by), pk)
        return versioned(request, TokenFacts(row).data)

    @extend_schema(
        operation_id="change_token",
        parameters=[IF_MATCH],
        request=TokenLimits,
        responses=TokenFacts,
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Change what a token may do; what is not sent stays. Only who administers adds to it."""
        _token(require_person(self.by), pk)
        with self.changing(require_person) as user:
            row = _token(user, pk)
            require_version(request, TokenFacts(row).data)
            fields = sent(TokenLimits, request, row)
            names = fields.pop("repositories", "as they are")
            if "project_patterns" in fields:
                fields["project_patterns"] = normal_patterns(fields["project_patterns"])
            for name, value in fields.items():
                setattr(row, name, value)
            may_widen = office_of_user(user).may_widen(user, row)
            save = configure.limit_token if may_widen else narrow_token
            save(row, self._where(row, names), by=self.by.actor)
        return versioned(request, TokenFacts(_token(user, pk)).data)

    @extend_schema(operation_id="revoke_token", request=None, responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Revoke a token: it is refused from the next request on."""
        with self.changing(require_person) as user:
            tokens.revoke(_token(user, pk), by=self.by.actor)
        return Response(status=204)

    def _where(self, row: Token, names: list[str] | str | None) -> list[Repository] | None:
        """Return where the token is to work; None: wherever its owner may."""
        if isinstance(names, list):
            # Those that it has may stay, though they went out of service.
            may_stay = Q(deleted_at__isnull=True) | Q(tokens__token=row)
            there = Repository.objects.filter(may_stay, tenant=row.membership.tenant)
            return repositories_named(there.distinct(), names)
        if names is None or row.all_repositories:
            return None
        return [each.repository for each in row.repositories.all()]


def repositories_named(rows: QuerySet[Repository], names: list[str]) -> list[Repository]:
    """Return those of `rows` that have these names. Raises ValidationError where none has."""
    keys = {name: name.partition("/")[2] for name in names}
    found = {str(row): row for row in rows.select_related("tenant").filter(key__in=keys.values())}
    for name in names:
        if name not in found:
            raise ValidationError({"repositories": f"There is no {name} that may be chosen."})
    return [found[name] for name in dict.fromkeys(names)]


def _visible(user: User) -> QuerySet[Token]:
    """Return the tokens that `user` may see: their own, and those of where they administer."""
    office = office_of_user(user)
    rows = Token.objects.select_related("membership__user", "membership__tenant")
    rows = rows.prefetch_related("repositories__repository__tenant")
    if office.everything:
        return rows
    return rows.filter(Q(membership__user=user) | Q(membership__tenant__in=list(office.tenants)))


def _token(user: User, pk: str) -> Token:
    row = _visible(user).filter(pk=pk).first()
    if row is None:
        raise tokens.TokenMissing("You have no such token.")
    return row


def _owner(user: User, tenant: str, owner: str) -> Membership:
    """Return whose token it will be: decision 0008 says for whom `user` may make one."""
    rows = Membership.objects.filter(Q(user=user) | _in_office(user))
    mine = office_of_user(user).token_owners(user, rows).select_related("user", "tenant")
    found = mine.filter(tenant__slug=tenant, user__username=owner).first()
    if found is None:
        raise ValidationError({"owner": f"You make no tokens for {owner} in {tenant}."})
    return found


def _in_office(user: User) -> Q:
    office = office_of_user(user)
    return Q(pk__isnull=False) if office.everything else Q(tenant__in=list(office.tenants))
