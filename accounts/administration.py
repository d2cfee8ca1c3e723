"""Who administers what in the admin: every tenant (a superuser), some (a tenant admin), or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.models import Membership, Token, User

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Office:
    """The part of the installation that a user administers."""

    everything: bool
    tenants: Mapping[int, str]  # slugs by id; of no meaning with `everything`

    def rows(self, queryset: QuerySet[M], path: str | None) -> QuerySet[M]:
        """Return the rows of `queryset` that belong to the office.

        `path` leads from a row to its tenant ("repository__tenant"); None: there is none, the
        rows belong to the installation.
        """
        if self.everything:
            return queryset
        return (
            queryset.none()
            if path is None
            else queryset.filter(**{f"{path}__in": list(self.tenants)})
        )

    def token_owners(self, user: User, memberships: QuerySet[Membership]) -> QuerySet[Membership]:
        """Return those of `memberships` for whom `user` may make tokens.

        A token acts in its owner's name, so a tenant admin makes none for other people
        (docs/decisions/0008).
        """
        if self.everything:
            return memberships
        return memberships.filter(Q(user=user) | Q(user__service_of__isnull=False))

    def may_widen(self, user: User, token: Token) -> bool:
        """Say whether `user` may add to what `token` may do: an administrator who may make it.

        Everybody else takes from it, as its owner does too who administers nothing.
        """
        owner = Membership.objects.filter(pk=token.membership_id)
        is_here = self.everything or token.membership.tenant_id in self.tenants
        return is_here and self.token_owners(user, owner).exists()


def office_of(request: HttpRequest) -> Office:
    """Return what the user administers who has signed in with the browser that sent `request`."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return Office(everything=False, tenants={})
    return office_of_user(user)


def office_of_user(user: User) -> Office:
    """Return what `user` administers."""
    if user.is_superuser:
        return Office(everything=True, tenants={})
    return Office(everything=False, tenants=user.administers)
