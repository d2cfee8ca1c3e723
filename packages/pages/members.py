"""The members of a virtual in order: what each of them claims, and where uploads go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.roles import Role
from packages.index.virtual import entered
from packages.pages.frame import heading
from repos.access import RepositoryMissing, admitted
from repos.models import AlsoUpstream, Claim, Kind, Member, Repository, VirtualSettings

_CLAIMS_SHOWN = 20
_MARKS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A member as the reader may see it."""

    member: Member
    is_readable: bool
    claims: tuple[str, ...]
    has_more_claims: bool
    takes_uploads: bool


@require_safe
def members_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what a virtual is made of."""
    principal = caller_of(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    virtual = come_in.repository
    if virtual.kind != Kind.VIRTUAL:
        raise RepositoryMissing(f"{virtual} is no virtual repository and has no members.")
    _, readable = entered(virtual, principal)
    members = list(virtual.members.select_related("repository__tenant"))
    settings = (
        VirtualSettings.objects.filter(repository=virtual)
        .select_related("deployment__tenant")
        .first()
    )
    known = [each.repository for each in members if each.repository_id in readable]
    claims = _claims([*known, virtual])
    marks = AlsoUpstream.objects.filter(virtual=virtual).order_by("normalized")
    target = settings.deployment if settings else None
    context = {
        "places": [_place(each, readable, claims, target) for each in members],
        "own_claims": claims[virtual.pk][:_CLAIMS_SHOWN],
        "marks": list(marks.values_list("normalized", flat=True)[:_MARKS_SHOWN]),
        "merge": settings.get_merge_display() if settings else VirtualSettings.Merge.ALL.label,
        "target": target if target and target.pk in readable else None,
        "has_target": target is not None,
    }
    return render(request, "packages/members.html", heading(come_in) | context)


def _claims(repositories: Iterable[Repository]) -> dict[int, list[str]]:
    """Return what each of the repositories claims, one more of it than is shown."""
    found: dict[int, list[str]] = defaultdict(list)
    ids = [each.pk for each in repositories]
    limit = len(ids) * (_CLAIMS_SHOWN + 1)
    rows = Claim.objects.filter(repository__in=ids).order_by("repository", "pattern")
    for repository, pattern in rows.values_list("repository_id", "pattern")[:limit]:
        found[repository].append(pattern)
    return found


def _place(
    member: Member, readable: frozenset[int], claims: dict[int, list[str]], target: object
) -> Place:
    own = claims[member.repository_id]
    return Place(
        member=member,
        is_readable=member.repository_id in readable,
        claims=tuple(own[:_CLAIMS_SHOWN]),
        has_more_claims=len(own) > _CLAIMS_SHOWN,
        takes_uploads=target is not None and member.repository == target,
    )
