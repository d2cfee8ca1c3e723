"""Who somebody is here: their tenants and teams, what they may do, and their password."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.authentication import caller_of
from accounts.models import Membership, Team
from accounts.views import OwnPasswordForm, set_own_password, with_status_of
from repos.access import readable_by, require_person, roles_of

_REPOSITORIES_PER_PAGE = 100


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the reader where they belong and what they may do in each repository."""
    principal = caller_of(request)
    user = require_person(principal)
    memberships = Membership.objects.filter(user=user).select_related("tenant")
    teams = Prefetch("teams", Team.objects.order_by("name"))
    there = readable_by(principal).select_related("tenant").order_by("tenant__slug", "key")
    page = Paginator(there, _REPOSITORIES_PER_PAGE).get_page(request.GET.get("page"))
    roles = roles_of(user, page.object_list)
    return render(
        request,
        "repos/account.html",
        {
            "memberships": memberships.prefetch_related(teams),
            "page": page,
            "rows": [(repository, roles[repository.pk]) for repository in page.object_list],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Let somebody who knows their password set another one."""
    user = require_person(caller_of(request))
    form = OwnPasswordForm(user, request, data=request.POST if request.method == "POST" else None)
    if form.is_valid():
        set_own_password(request, form)
        messages.success(request, "Your password is changed. Your other sessions have ended.")
        return redirect("account")
    return with_status_of(form.refusal, render(request, "repos/password.html", {"form": form}))
