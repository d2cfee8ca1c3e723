"""Where Ctrl-K leads: the repositories that the reader may read, as a piece of every page."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from repos.access import readable_by

_TEXT_AT_MOST = 200
_SHOWN_AT_MOST = 12


@require_safe
def places(request: HttpRequest) -> HttpResponse:
    """Show the repositories whose names have each word that was typed, and the way to search."""
    text = request.GET.get("q", "").strip()[:_TEXT_AT_MOST].replace("\x00", "")
    named = Q()
    for word in text.replace("/", " ").split():
        named &= Q(key__icontains=word) | Q(tenant__slug__icontains=word)
    found = readable_by(caller_of(request)).filter(named).select_related("tenant")
    repositories = found.order_by("tenant__slug", "key")[:_SHOWN_AT_MOST]
    return render(request, "packages/places.html", {"repositories": repositories, "text": text})
