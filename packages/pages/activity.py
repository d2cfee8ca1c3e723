"""What was done in a repository and to it, in words, for those who administer it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.roles import Role
from base.errors import InvalidInput
from base.keyset import first_of
from base.models import AuditEvent
from packages.pages.deeds import COLUMNS, deed_of
from packages.pages.frame import heading
from repos.access import admitted

_EVENTS_PER_PAGE = 50


class NoSuchPage(InvalidInput):
    """The place after which the list is to go on is none that a page of ours named."""


@require_safe
def activity_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show who did what to the repository and in it, the latest first."""
    come_in = admitted(caller_of(request), tenant, key, Role.ADMIN)
    name = str(come_in.repository)
    rows = first_of(
        [arm.filter(repository=name) for arm in _after(request.GET.get("after", ""))],
        order=("-at", "-id"),
        columns=COLUMNS,
        limit=_EVENTS_PER_PAGE + 1,
    )
    shown = rows[:_EVENTS_PER_PAGE]
    last = shown[-1] if len(rows) > len(shown) else None
    context = {
        "deeds": [deed_of(row, name) for row in shown],
        "next": urlencode({"after": f"{last['at'].isoformat()}/{last['id']}"}) if last else "",
        "is_later": "after" in request.GET,
    }
    return render(request, "packages/activity.html", heading(come_in) | context)


def _after(place: str) -> list[QuerySet[AuditEvent]]:
    """Return the events after a place in the order of their time. Raises NoSuchPage."""
    events = AuditEvent.objects.all()
    if not place:
        return [events]
    moment, _, pk = place.rpartition("/")
    try:
        at, number = datetime.fromisoformat(moment), int(pk) if len(pk) < 19 else 0  # noqa: PLR2004 - digits of the largest row id
    except ValueError:
        at, number = None, 0
    if at is None or at.tzinfo is None:
        raise NoSuchPage("There is no such page of this list. Begin with its first one.")
    return [events.filter(at=at, pk__lt=number), events.filter(at__lt=at)]
