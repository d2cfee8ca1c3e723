"""The pages about which CI may publish to a repository without a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import publishing
from accounts.authentication import caller_of, signed_in
from accounts.models import Issuer
from accounts.principal import Principal
from accounts.roles import Role
from base.errors import InvalidInput
from base.keyset import cursor, place_of
from packages.pages.frame import heading
from packages.pages.publisher_forms import FORMS, AnewForm, PublisherForm
from packages.publishers import publishers_of
from repos import publishers
from repos.access import Admitted, RepositoryMissing, admitted
from repos.models import TrustedPublisher
from repos.targets import NotLocal, require_local

_SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
def publishers_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show whom a repository trusts, with the last use of each; and take another."""
    if request.method == "POST":
        principal = signed_in(request)
        come_in = _admitted(principal, tenant, key)
        form = _form(request.POST.get("kind", ""), data=request)
        if form is None:
            messages.error(request, "No issuer of this kind vouches for CI here any more.")
            return redirect("publishers", tenant=tenant, key=key)
        if form.is_valid() and (made := form.add(come_in.repository, by=principal.actor)):
            messages.success(request, f"{made.name} may publish {made.normalized}.")
            return redirect("publishers", tenant=tenant, key=key)
        return _page(request, come_in, form, status=HTTPStatus.BAD_REQUEST)
    come_in = _admitted(caller_of(request), tenant, key)
    form = _form(request.GET.get("kind", ""), initial=request.GET.get("project", ""))
    return _page(request, come_in, form)


@require_http_methods(["GET", "HEAD", "POST"])
def publisher_page(request: HttpRequest, tenant: str, key: str, pk: int) -> HttpResponse:
    """Show one publisher; trust it no longer, or whoever has its name now."""
    if request.method == "POST":
        principal = signed_in(request)
        come_in = _admitted(principal, tenant, key)
        row = _publisher(come_in, pk)
        match request.POST.get("do"):
            case "remove":
                publishers.remove_publisher(row, by=principal.actor)
                messages.success(request, f"{row.name} may not publish {row.normalized} any more.")
            case "anew":
                form = AnewForm(request.POST, kind=row.issuer.kind)
                if not (form.is_valid() and form.trust(row, by=principal.actor)):
                    return _one(request, come_in, row, form, status=HTTPStatus.BAD_REQUEST)
                messages.success(request, _whom(row.source, form.cleaned_data))
            case _:
                raise InvalidInput("This page has no such button.")
        return redirect("publishers", tenant=tenant, key=key)
    come_in = _admitted(caller_of(request), tenant, key)
    row = _publisher(come_in, pk)
    return _one(request, come_in, row, AnewForm(kind=row.issuer.kind))


def _one(
    request: HttpRequest,
    come_in: Admitted,
    row: TrustedPublisher,
    form: AnewForm,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    url = reverse("publishers", args=[come_in.repository.tenant.slug, come_in.repository.key])
    context = {"publisher": row, "form": form, "trail": [("publishers", url)]} | _job()
    return render(request, "packages/publisher.html", heading(come_in) | context, status=status)


def _whom(source: str, numbers: Mapping[str, str]) -> str:
    """Say whom somebody trusts anew by these numbers, or the lack of them."""
    names = {"source_id": "its number is", "owner_id": "the number of its owner is"}
    said = [f"{name} {numbers[field]}" for field, name in names.items() if numbers.get(field)]
    whose = " and ".join(said) or "whoever publishes first is the one"
    return f"{source} is trusted anew: {whose}."


def _admitted(principal: Principal, tenant: str, key: str) -> Admitted:
    come_in = admitted(principal, tenant, key, Role.ADMIN)
    try:
        require_local(principal, come_in.repository)
    except NotLocal as refused:
        raise RepositoryMissing(refused.sentence) from None
    return come_in


def _page(
    request: HttpRequest,
    come_in: Admitted,
    form: PublisherForm | None,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    after = request.GET.get("after", "")
    project = request.GET.get("project", "")
    rows = publishers_of(come_in.repository)
    if project:
        rows = rows.filter(normalized=project)
    found = list(_after(rows, after)[: _SHOWN + 1])
    shown = found[:_SHOWN]
    last = shown[-1] if len(found) > len(shown) else None
    context = {
        "publishers": shown,
        "next": cursor(last.normalized, last.pk) if last else "",
        "is_later": bool(after),
        "project": project,
        "form": form,
        "kinds": _kinds(),
        "what_http_costs": publishing.what_http_costs(),
    } | _job()
    return render(request, "packages/publishers.html", heading(come_in) | context, status=status)


def _job() -> dict[str, str]:
    """Return what jobs of CI are told, beside the URL of the repository (publisher_job.html)."""
    audience = publishing.audience()
    return {
        "audience": audience,
        "variable": _variable(audience),
        "mint_url": f"{settings.BASE_URL}{reverse('mint-token')}",
    }


def _after(rows: QuerySet[TrustedPublisher], page: str) -> QuerySet[TrustedPublisher]:
    place = place_of(page, str, int)
    if place is None:
        return rows
    project, pk = place
    return rows.filter(Q(normalized=project, pk__gt=pk) | Q(normalized__gt=project))


def _kinds() -> list[tuple[str, str]]:
    """Return the kinds of which there is an issuer, with their names."""
    there = set(Issuer.objects.filter(is_active=True).values_list("kind", flat=True))
    return [(kind.value, kind.label) for kind in Issuer.Kind if kind in there]


def _variable(audience: str) -> str:
    """Return where clients look for a token of GitLab's for this audience."""
    return re.sub(r"[^A-Z0-9_]|^[^A-Z_]", "_", audience.upper()) + "_ID_TOKEN"


def _form(kind: str, *, data: HttpRequest | None = None, initial: str = "") -> PublisherForm | None:
    """Return the form of a kind, of the first where none is named; None without an issuer."""
    active = Issuer.objects.filter(is_active=True)
    kinds = [each for each, _ in _kinds()]
    chosen = kind if kind in kinds else next(iter(kinds), "") if data is None else ""
    if not chosen:
        return None
    sent = None if data is None else data.POST
    issuers = list(active.filter(kind=chosen))
    return FORMS[chosen](sent, issuers=issuers, initial={"project": initial})


def _publisher(come_in: Admitted, pk: int) -> TrustedPublisher:
    row = publishers_of(come_in.repository).filter(pk=pk).first()
    if row is None:
        raise publishers.PublisherMissing(f"{come_in.repository} trusts no such publisher.")
    return row
