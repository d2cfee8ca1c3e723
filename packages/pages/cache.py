"""The page about what a remote keeps: how much it is, and purging it, with how far that is."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.authentication import caller_of, signed_in
from accounts.roles import Role
from base import clock
from base.errors import InvalidInput
from packages.long_work import lately_in, state_of
from packages.models import CachePurge
from packages.pages.frame import frame, heading
from packages.purge import LEASE, NotTyped
from packages.purge_form import PurgeForm
from packages.statistics import totals
from repos.access import Admitted, RepositoryMissing, admitted
from repos.models import Kind, Repository, Upstream

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A purge in the list."""

    row: CachePurge
    state: str


@require_http_methods(["GET", "HEAD", "POST"])
def cache_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what a remote keeps, and begin to purge it."""
    if request.method == "POST":
        principal = signed_in(request)
        come_in = _admitted(admitted(principal, tenant, key, Role.ADMIN))
        form = PurgeForm(request.POST)
        if form.is_valid():
            try:
                form.ask(come_in.repository, by=principal)
            except InvalidInput as refused:
                form.add_error("typed" if isinstance(refused, NotTyped) else None, refused.sentence)
            else:
                messages.success(request, f"{come_in.repository} is being purged.")
                return redirect("cache", tenant=tenant, key=key)
        return _rendered(request, come_in, form, status=400)
    come_in = _admitted(admitted(caller_of(request), tenant, key, Role.ADMIN))
    return _rendered(request, come_in, PurgeForm())


@require_safe
def purge_part(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show how far the purge is: a part of the page, which asks again."""
    come_in = _admitted(admitted(caller_of(request), tenant, key, Role.ADMIN))
    context = frame(come_in) | _purges(come_in.repository) | {"is_asked": True}
    return render(request, "packages/cache_purge.html", context)


def _admitted(come_in: Admitted) -> Admitted:
    if come_in.repository.kind != Kind.REMOTE:
        raise RepositoryMissing(f"{come_in.repository} is no remote and keeps nothing of upstream.")
    return come_in


def _rendered(
    request: HttpRequest, come_in: Admitted, form: PurgeForm, *, status: int = 200
) -> HttpResponse:
    repository = come_in.repository
    form.fields["typed"].help_text = f"Type {repository} to go on."
    context = {
        "form": form,
        "totals": totals(repository),
        "upstream": Upstream.objects.filter(repository=repository).first(),
    }
    return render(
        request,
        "packages/cache.html",
        heading(come_in) | context | _purges(repository),
        status=status,
    )


def _purges(repository: Repository) -> dict[str, object]:
    """Return the purge that goes on, and those that have ended lately."""
    rows = list(lately_in(repository, CachePurge)[:_SHOWN])
    running = CachePurge.objects.filter(repository=repository, ended_at__isnull=True).first()
    # A worker takes it within seconds, and moves on with each step.
    is_late = running is not None and running.moved_at < clock.now() - LEASE
    ended = [Shown(row, state_of(row)) for row in rows if row.ended_at is not None]
    return {"purge": running, "is_late": is_late, "ended": ended}
