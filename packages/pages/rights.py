"""Who may do what in a repository, in words: all of it for its admins, their own for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.models import Membership, User
from accounts.roles import Role
from packages.pages.frame import heading
from repos.access import Admitted, administrators, admitted
from repos.models import Grant, Repository

_MAY = {
    Role.READER: "read",
    Role.WRITER: "read and publish",
    Role.ADMIN: "do everything: publish, delete, claim names, give rights",
}
_SHOWN_AT_MOST = 200
_TEAM_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Right:
    """Whom a right is for, what it lets them do, and why they have it."""

    who: str
    kind: str  # person, service account, team, circle
    may: str
    because: str = ""
    people: tuple[str, ...] = ()  # of a team, as many as fit
    has_more: bool = False


@require_safe
def access_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what the reader may do here, and to admins what everybody may."""
    principal = caller_of(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    context = {
        "own": _MAY[come_in.role],
        "ask": administrators(come_in.repository) if _belongs(come_in, principal.user) else "",
        "is_token": principal.token is not None,
        "rights": list(_rights(come_in)) if come_in.is_admin else [],
    }
    return render(request, "packages/access.html", heading(come_in) | context)


def _belongs(come_in: Admitted, user: User | None) -> bool:
    """Say whether the reader may hear who administers: not of another tenant, nor unknown."""
    if come_in.is_admin or user is None:
        return False
    return Membership.objects.filter(user=user, tenant=come_in.repository.tenant_id).exists()


def _rights(come_in: Admitted) -> Iterator[Right]:
    """Yield who may do what: tenant admins, then grants, the greatest first."""
    repository = come_in.repository
    admins = Membership.objects.filter(
        tenant=repository.tenant_id,
        kind=Membership.Kind.ADMIN,
        user__is_active=True,
        user__service_of=None,
    ).select_related("user")
    for place in admins.order_by("user__username")[:_SHOWN_AT_MOST]:
        yield Right(
            place.user.username, "person", _MAY[Role.ADMIN], f"tenant admin of {repository.tenant}"
        )
    for grant in _grants(repository)[:_SHOWN_AT_MOST]:
        yield _right(grant, repository)


def _grants(repository: Repository) -> QuerySet[Grant]:
    return (
        Grant.objects.filter(repository=repository)
        .select_related("membership__user", "team")
        .prefetch_related("team__members__user")
        .order_by("-role", "subject", "membership__user__username", "team__name")
    )


def _right(grant: Grant, repository: Repository) -> Right:
    may = _MAY[Role(grant.role)]
    if grant.membership is not None:
        user = grant.membership.user
        kind = "service account" if user.service_of_id else "person"
        off = "" if user.is_active else "disabled, so not now"
        return Right(user.username, kind, may, off)
    if grant.team is not None:
        people = sorted(each.user.username for each in grant.team.members.all())
        return Right(
            grant.team.name,
            "team",
            may,
            people=tuple(people[:_TEAM_SHOWN]),
            has_more=len(people) > _TEAM_SHOWN,
        )
    circles = {
        Grant.Subject.MEMBERS: f"all members of {repository.tenant}",
        Grant.Subject.SIGNED_IN: "everybody who has signed in",
        Grant.Subject.ANYONE: "anyone, signed in or not",
    }
    return Right(circles[Grant.Subject(grant.subject)], "circle", may)
