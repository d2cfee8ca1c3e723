"""Logins of the larder command: made by a person, used for access tokens, ended."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import logins
from accounts.authentication import by_refresh_token
from accounts.models import Login
from accounts.rest.once import once
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import IDEMPOTENCY_KEY, paged
from accounts.rest.views import RestView, Strict, sent
from base.audit import Actor
from repos.access import require_person

_LATEST = Order(("pk",), (int,), is_descending=True)
_NO_STORE = {"Cache-Control": "no-store"}


class LoginFacts(Strict, serializers.ModelSerializer[Login]):
    """A login; its refresh token is told when it is made, and never again."""

    class Meta:
        model = Login
        fields: tuple[str, ...] = (
            "id", "name", "identifier", "created_at", "expires_at", "revoked_at", "last_used_at",
        )  # fmt: skip
        read_only_fields = fields


class NewLogin(Strict):
    """A login that is to be made."""

    name = serializers.CharField(max_length=100, help_text="Where, e.g. ann on laptop.")


class MadeLogin(LoginFacts):
    """A login that was made now."""

    refresh_token = serializers.CharField(read_only=True, help_text="Shown this once.")

    class Meta(LoginFacts.Meta):
        fields = (*LoginFacts.Meta.fields, "refresh_token")
        read_only_fields = fields


class RefreshToken(Strict):
    """What a login is used by."""

    refresh_token = serializers.CharField(max_length=100, write_only=True)


class AccessToken(serializers.Serializer[Any]):
    """A token that is good for half an hour, for everything that is not a person's alone."""

    username = serializers.CharField()
    access_token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class Logins(RestView):
    """The caller's own logins."""

    @extend_schema(
        operation_id="list_logins", parameters=[PageAsked], responses=paged(LoginFacts, "LoginPage")
    )
    def get(self, request: Request) -> Response:
        """List your logins with the larder command; the latest first."""
        user = require_person(self.by)
        return page_of(request, Login.objects.filter(user=user), _LATEST, LoginFacts)

    @extend_schema(
        operation_id="create_login",
        parameters=[IDEMPOTENCY_KEY],
        request=NewLogin,
        responses={201: MadeLogin},
        examples=[OpenApiExample("a laptop", {"name": "ann on laptop"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make a login, with your password. Its refresh token is in this answer alone."""
        require_person(self.by)
        name = sent(NewLogin, request)["name"]

        def make() -> Response:
            with self.changing(require_person) as user:
                login, secret = logins.create(user=user, name=name, by=self.by.actor)
            made = LoginFacts(login).data | {"refresh_token": secret}
            return Response(made, status=201, headers=_NO_STORE)

        return once(request, make, is_secret=True)


class OneLogin(RestView):
    """A login."""

    @extend_schema(operation_id="revoke_login", request=None, responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """End a login: its tokens are refused from the next request on."""
        logins.revoke(logins.one_of(require_person(self.by), int(pk)), by=self.by.actor)
        return Response(status=204)


class Access(RestView):
    """What a refresh token is for; nobody need be signed in."""

    @extend_schema(operation_id="obtain_access", request=RefreshToken, responses=AccessToken)
    def post(self, request: Request) -> Response:
        """Turn a refresh token into an access token, which ends after half an hour."""
        login = _refreshed(request, self.by.address)
        secret, ends = logins.access_token(login)
        said = {"username": login.user.username, "access_token": secret, "expires_at": ends}
        return Response(AccessToken(said).data, headers=_NO_STORE)


class Logout(RestView):
    """The end of a login, for who has its refresh token."""

    @extend_schema(operation_id="log_out", request=RefreshToken, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the login of a refresh token, and all its access tokens with it."""
        login = _refreshed(request, self.by.address)
        actor = Actor(name=login.user.username, token=str(login), address=self.by.address)
        logins.revoke(login, by=actor)
        return Response(status=204)


def _refreshed(request: Request, address: str) -> Login:
    return by_refresh_token(sent(RefreshToken, request)["refresh_token"], address=address)
