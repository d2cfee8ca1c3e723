"""A person's own tokens: makes them, shows what they may do and when they were used, ends them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import logins, tokens
from accounts.authentication import caller_of
from accounts.models import Membership, Token, User
from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from repos import configure
from repos.access import readable_by, require_person
from repos.forms import OwnTokenForm, is_used, remember_used
from repos.models import Repository
from repos.narrowing import narrow_token

_TOKENS_PER_PAGE = 50


@require_safe
def own_tokens(request: HttpRequest) -> HttpResponse:
    """List the reader's tokens: those that work first, each with what it may do; and logins."""
    user = require_person(caller_of(request))
    is_over = (
        When(revoked_at__isnull=False, then=Value(1)),
        When(expires_at__lte=clock.now(), then=Value(1)),
    )
    mine = _tokens_of(user).alias(over=Case(*is_over, default=Value(0)))
    page = Paginator(mine.order_by("over", "-created_at"), _TOKENS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "now": clock.now(),
        "has_tenants": _memberships(user).exists(),
        "logins": logins.living().filter(user=user)[:_TOKENS_PER_PAGE],
    }
    return render(request, "repos/tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_token(request: HttpRequest) -> HttpResponse:
    """Show and take the form of a new token in one of the reader's tenants.

    The answer shows the secret, this once: no cookie, session, URL or log ever holds it.
    """
    principal = caller_of(request)
    user = require_person(principal)
    if request.method == "POST" and is_used(request):
        messages.warning(request, "This form was sent before; its token was made then.")
        return redirect("tokens")
    memberships = list(_memberships(user))
    place = _chosen(memberships, request.GET.get("tenant", ""))
    if place is None:
        return render(request, "repos/new_token.html", {"memberships": memberships})
    form = OwnTokenForm(
        request.POST if request.method == "POST" else None,
        instance=Token(membership=place),
        there=_may_be_chosen(principal, place),
    )
    if form.is_valid():
        made, secret = _make(form, place, principal)
        remember_used(request)
        answer = render(request, "repos/token_made.html", {"token": made, "secret": secret})
        add_never_cache_headers(answer)
        return answer
    context = {"form": form, "place": place, "memberships": memberships}
    return render(request, "repos/new_token.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def narrow(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one of the reader's tokens, and let them take from what it may do."""
    principal = caller_of(request)
    token = _own_token(require_person(principal), pk)
    if token.revoked_at is not None:
        return render(request, "repos/token.html", {"token": token})
    form = OwnTokenForm(
        request.POST if request.method == "POST" else None,
        instance=token,
        there=_may_be_chosen(principal, token.membership, token),
    )
    if form.is_valid():
        asked = form.cleaned_data
        try:
            narrow_token(
                form.instance,
                None if asked["all_repositories"] else asked["repositories"],
                by=principal.actor,
            )
        except ValidationError as refusal:  # somebody was quicker
            form.add_error(None, refusal)
        else:
            messages.success(request, f"{token} may do what you have left to it.")
            return redirect("tokens")
    stored = _own_token(require_person(principal), pk)  # the form has changed the other one
    return render(request, "repos/token.html", {"token": stored, "form": form})


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the reader's tokens: it is refused from the next request on."""
    principal = caller_of(request)
    token = _own_token(require_person(principal), pk)
    said = f"{token.name} is revoked. Nothing accepts it any more."
    return _ended(request, partial(tokens.revoke, token, by=principal.actor), said)


@require_POST
def end_login(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the reader's logins with the larder command."""
    principal = caller_of(request)
    login = logins.one_of(require_person(principal), pk)
    said = f"{login} is ended, and every access token of it."
    return _ended(request, partial(logins.revoke, login, by=principal.actor), said)


def _ended(request: HttpRequest, end: Callable[[], None], said: str) -> HttpResponse:
    """End something, and go back to the list with what is said of it."""
    try:
        end()
    except ValidationError as refusal:  # it has ended already
        messages.warning(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect("tokens")


def _make(form: OwnTokenForm, place: Membership, by: Principal) -> tuple[Token, str]:
    asked = form.cleaned_data
    return configure.create_token(
        membership=place,
        name=asked["name"],
        by=by.actor,
        role=Role(asked["role"]),
        repositories=None if asked["all_repositories"] else asked["repositories"],
        project_patterns=tuple(asked["project_patterns"]),
        expires_at=asked["expires_at"],
    )


def _memberships(user: User) -> QuerySet[Membership]:
    return Membership.objects.filter(user=user).select_related("tenant")


def _chosen(memberships: list[Membership], tenant: str) -> Membership | None:
    """Return the membership that a new token belongs to; None while there is a choice."""
    if len(memberships) == 1:
        return memberships[0]
    return next((each for each in memberships if each.tenant.slug == tenant), None)


def _may_be_chosen(
    principal: Principal, place: Membership, token: Token | None = None
) -> QuerySet[Repository]:
    """Return the repositories that a token in one tenant may be limited to."""
    there = readable_by(principal).filter(tenant=place.tenant_id)
    if token is not None and not token.all_repositories:
        there = there.filter(tokens__token=token)
    return there.select_related("tenant").order_by("key")


def _tokens_of(user: User) -> QuerySet[Token]:
    return (
        Token.objects.filter(membership__user=user)
        .select_related("membership__tenant")
        .prefetch_related("repositories__repository__tenant")
    )


def _own_token(user: User, pk: int) -> Token:
    token = _tokens_of(user).filter(pk=pk).first()
    if token is None:
        raise tokens.TokenMissing("You have no such token.")
    return token
