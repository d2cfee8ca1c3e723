"""The page of a repository: its projects, how to connect to it, and how it fares."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.roles import Role
from base import clock
from packages import shelves
from packages.extraction.waiting import not_extracted, waiting_of
from packages.index.held import Standing
from packages.index.virtual import entered
from packages.models import Fetch
from packages.pages.connection import connection
from packages.pages.frame import frame
from packages.pages.pictures import Sparkline, columns, sparkline
from packages.shelves import Item, Order, Page, Wanted
from packages.statistics import Day, Overview, downloads_by_project, overview
from repos.access import Admitted, admitted
from repos.models import Kind, Repository

# A virtual's tree, and what of it the reader may read.
Beneath = tuple[Standing, frozenset[int]]

_DAYS = 30
_COUNTED_AT_MOST = 100
_LONGEST_FILTER = 200


def repository_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what a repository holds and how to connect to it; to htmx only the list of projects."""
    principal = caller_of(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    repository, wanted = come_in.repository, wanted_of(request)
    beneath = entered(repository, principal) if repository.kind == Kind.VIRTUAL else None
    page = _page(repository, beneath, wanted)
    context = frame(come_in) | _projects(page, wanted)
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx puts it there
        return _varying(render(request, "packages/projects.html", context))
    # A virtual has no files of its own, and none that wait.
    state = None if beneath else repository.state
    numbers = overview(repository, state.serial if state else 0, days=_DAYS)
    answer = render(
        request,
        "packages/repository.html",
        context
        | connection(
            repository,
            takes_uploads=(
                beneath[0].tree.deployment is not None if beneath else repository.kind == Kind.LOCAL
            ),
        )
        | {
            "is_first": not wanted.contains and not wanted.after,
            "totals": numbers.totals,
            "pictures": _pictures(numbers),
            "fetched_share": _percent(numbers.fetched_share),
            "waiting": waiting_of(repository, state),
            "not_extracted": _not_extracted(come_in),
        }
        | _kind_facts(repository, beneath),
    )
    return _varying(answer)


@dataclass(frozen=True, slots=True)
class Shown:
    """A member of a virtual in the rail."""

    repository: Repository
    scope: str
    is_readable: bool


@require_safe
def waiting_part(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show how far the quiet period is: a part of the repository's page, which asks again."""
    come_in = admitted(caller_of(request), tenant, key, Role.READER)
    repository = come_in.repository
    waiting = waiting_of(repository, repository.state)
    context = frame(come_in) | {"waiting": waiting, "is_asked": True}
    return render(request, "packages/waiting.html", context)


def wanted_of(request: HttpRequest) -> Wanted:
    """Return which projects the URL asks for."""
    order = Order.UPLOAD if request.GET.get("sort") == Order.UPLOAD.value else Order.NAME
    return Wanted(
        contains=request.GET.get("filter", "").strip()[:_LONGEST_FILTER],
        order=order,
        after=request.GET.get("after", ""),
    )


def _varying(answer: HttpResponse) -> HttpResponse:
    """Let no browser show a part of the page, kept under its URL, for the whole."""
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _page(repository: Repository, beneath: Beneath | None, wanted: Wanted) -> Page:
    if beneath is None:
        return shelves.in_repository(repository, wanted)
    where, readable = beneath
    return shelves.in_virtual(where.tree, readable, wanted)


def _projects(page: Page, wanted: Wanted) -> dict[str, object]:
    """Return the list of projects, each with its downloads."""
    counted = downloads_by_project([item.pk for item in page.items], days=_DAYS)
    asked = {"filter": wanted.contains, "sort": wanted.order.value}
    query = {name: value for name, value in asked.items() if value and value != Order.NAME.value}
    return {
        "rows": [(item, _downloads(item, counted)) for item in page.items],
        "contains": wanted.contains,
        "sort": wanted.order.value,
        "query": urlencode(query),
        "next": urlencode(query | {"after": page.after}) if page.after else "",
        "is_later": bool(wanted.after),
    }


def _downloads(item: Item, counted: dict[int, list[Day]]) -> Sparkline | None:
    return sparkline(counted[item.pk]) if item.pk in counted else None


def _pictures(numbers: Overview) -> list[object]:
    """Return downloads and storage over time, as far as there is anything to see."""
    downloads = sum(day.count for day in numbers.downloads)
    found: list[object] = []
    if downloads:
        said = f"{downloads} in {_DAYS} days"
        found.append(columns("Downloads", said, numbers.downloads))
    if any(day.count for day in numbers.stored):
        said = f"{filesizeformat(numbers.stored[-1].count)} now"
        found.append(columns("Storage", said, numbers.stored, said=filesizeformat))
    return found


def _percent(share: float | None) -> int | None:
    return None if share is None else round(share * 100)


def _not_extracted(come_in: Admitted) -> int:
    """Return how many files could not be extracted: to those who may do something about it."""
    if not come_in.may_write or come_in.repository.kind == Kind.VIRTUAL:
        return 0
    return not_extracted(come_in.repository)[:_COUNTED_AT_MOST].count()


def _kind_facts(repository: Repository, beneath: Beneath | None) -> dict[str, object]:
    """Return what is particular to the kind: a remote's upstream, a virtual's members in order."""
    match Kind(repository.kind):
        case Kind.LOCAL:
            return {}
        case Kind.REMOTE:
            return _upstream_facts(repository)
        case Kind.VIRTUAL:
            return {"members": _members(*beneath) if beneath else []}


def _upstream_facts(repository: Repository) -> dict[str, object]:
    """Return how the index behind a remote fares, and the last file that did not come of it."""
    # Until the file comes, or the sweeper forgets it.
    failed = Fetch.objects.filter(repository=OuterRef("pk"), heartbeat_at=None)
    failed = failed.exclude(reason="").order_by("-pk")
    row = (
        Repository.objects.select_related("upstream_health")
        .annotate(
            not_come=Subquery(failed.values("filename")[:1]),
            not_come_why=Subquery(failed.values("reason")[:1]),
        )
        .get(pk=repository.pk)
    )
    return {
        "upstream": getattr(repository, "upstream", None),
        "health": getattr(row, "upstream_health", None),
        "not_come": row.not_come,
        "not_come_why": row.not_come_why,
        "now": clock.now(),
    }


def _members(where: Standing, readable: frozenset[int]) -> list[Shown]:
    """Return the direct members in order, as far as something stands beneath them."""
    tree = where.tree
    found: dict[int, Shown] = {}
    for place in tree.places:
        first, *further = place.steps
        if further:
            member, scope = tree.virtuals[further[0].virtual], ""
        else:
            member, scope = place.source.repository, place.source.scope
        found.setdefault(first.member, Shown(member, scope, member.pk in readable))
    return list(found.values())
