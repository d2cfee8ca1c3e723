"""Home, and the page of a tenant: what the reader may read, what is new there, and what waits."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from accounts import tokens
from accounts.administration import office_of
from accounts.authentication import caller_of
from accounts.members import invitations_of
from accounts.models import Invitation, Membership, Team, Tenant
from accounts.principal import Principal
from packages.holdings import holdings, newest
from portal.pages import upload_astray
from pypi.answer import SAFE_METHODS
from repos.access import NotYours, SignInRequired, tenants_of

_NEW_SHOWN = 8
_PEOPLE_SHOWN = 20


@csrf_exempt  # a POST here is an upload gone astray; it is refused whatever it carries
def home(request: HttpRequest) -> HttpResponse:
    """Show the repositories that the reader may read, what is new in them, and what waits."""
    principal = caller_of(request)
    if request.method not in SAFE_METHODS:
        return upload_astray(request)
    held, after = holdings(principal, after=_after(request))
    tenants = tenants_of(principal)
    is_all = not (after or _after(request))
    shelves = {each.repository.tenant.slug for each in held}
    return render(
        request,
        "portal/home.html",
        {
            "holdings": held,
            "waiting": [each for each in held if each.asks_for_somebody],
            "news": newest((each.repository for each in held), limit=_NEW_SHOWN),
            "tenants": tenants,
            "bare_tenants": [slug for slug in tenants if is_all and slug not in shelves],
            "invitations": _invitations(request, principal),
            "next": urlencode({"after": after}) if after else "",
            "is_known": not principal.is_anonymous,
        },
    )


@csrf_exempt  # as for home
def tenant(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the reader may read in one tenant, and to its admins who belongs to it.

    To who may read nothing there and does not belong, it is like one that does not exist.
    """
    principal = caller_of(request)
    if request.method not in SAFE_METHODS:
        return upload_astray(request)
    held, after = holdings(principal, tenant=slug, after=_after(request))
    belongs = slug in tenants_of(principal)
    if not held and not belongs and not (after or _after(request)):
        if principal.is_anonymous:
            raise SignInRequired("Sign in to see what you may read.")
        raise NotYours(f"There is no tenant {slug} that you may see.")
    row = Tenant.objects.filter(slug=slug).first()
    context: dict[str, object] = {
        "slug": slug,
        "tenant": row,
        "holdings": held,
        "waiting": [each for each in held if each.asks_for_somebody],
        "next": urlencode({"after": after}) if after else "",
    }
    if row is not None and _administers(request, principal, row):
        context |= _people(row)
    return render(request, "portal/tenant.html", context)


def _after(request: HttpRequest) -> str:
    after = request.GET.get("after", "")
    return after if after.isprintable() else ""


def _invitations(request: HttpRequest, principal: Principal) -> Iterable[Invitation]:
    """Return what the reader may answer: in the browser that they have signed in with."""
    is_here = principal.user is not None and principal.user == request.user
    return invitations_of(principal.user) if principal.user and is_here else ()


def _administers(request: HttpRequest, principal: Principal, row: Tenant) -> bool:
    """Say whether the reader has signed in with this browser as an admin of the tenant."""
    if principal.token is not None or principal.user != request.user:
        return False
    office = office_of(request)
    return office.everything or row.pk in office.tenants


def _people(row: Tenant) -> dict[str, object]:
    """Return who belongs to a tenant, its teams and its tokens that work, the first of each."""
    places = Membership.objects.filter(tenant=row).select_related("user").order_by("user__username")
    people = list(places.filter(user__service_of=None)[: _PEOPLE_SHOWN + 1])
    services = list(places.exclude(user__service_of=None)[: _PEOPLE_SHOWN + 1])
    teams = list(Team.objects.filter(tenant=row).order_by("name")[: _PEOPLE_SHOWN + 1])
    working = tokens.living().filter(membership__tenant=row).order_by("-created_at", "-pk")
    return {
        "shown_at_most": _PEOPLE_SHOWN,
        "people": people,
        "services": services,
        "teams": teams,
        "working_tokens": list(working[: _PEOPLE_SHOWN + 1]),
        "is_admin": True,
    }
