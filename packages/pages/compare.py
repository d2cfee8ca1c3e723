"""What changed between two releases of a project, and what to look at first."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.roles import Role
from packages.compare.metadata import entry_point_changes, field_changes, requirement_changes
from packages.compare.offers import NotComparable, Offer, Pair, offer
from packages.compare.sides import Missing, Side, sides
from packages.compare.surprises import surprises
from packages.compare.texts import Diff, TooDifferent, diff
from packages.compare.trees import tree_changes
from packages.inside.members import MemberText, member_text
from packages.shown_file import parsed_name
from repos.access import require

_VERSIONS_AT_MOST = 500  # in the lists to choose from


@require_safe
def compare_page(request: HttpRequest, tenant: str, key: str, project: str) -> HttpResponse:
    """Show what is new in one release, seen from another."""
    principal = caller_of(request)
    repository = require(principal, tenant, key, Role.READER)
    name = parsed_name(repository, project)
    offered = offer(repository, name, by=principal)
    context: dict[str, object] = {
        "repository": repository,
        "name": name,
        "trail": [(name, reverse("project", args=[tenant, key, name]))],
        "versions": list(offered.files)[:_VERSIONS_AT_MOST],
    }
    try:
        if offered.files:
            versions, pair = _meant(offered, request)
            context |= _chosen(offered, versions, pair)
            if pair.old is not None and pair.new is not None and pair.old != pair.new:
                found = sides(repository, name, (pair.old, pair.new), by=principal)
                context |= _compared(request, found)
    except NotComparable as refused:
        context["refused"] = refused.sentence
    status = 400 if "refused" in context else 200
    return render(request, "packages/compare.html", context, status=status)


def _meant(offered: Offer, request: HttpRequest) -> tuple[tuple[str, str], Pair]:
    """Return the versions and the files that the URL means."""
    asked = {each: request.GET.get(each, "").strip() for each in ("from", "to", "old", "new")}
    versions = offered.pair_of_versions(asked["from"], asked["to"])
    # Which files were chosen says nothing of other releases: whoever changes those starts anew.
    old = asked["old"] if _has(offered, versions[0], asked["old"]) else ""
    new = asked["new"] if _has(offered, versions[1], asked["new"]) else ""
    return versions, offered.pair_of_files(versions, old, new)


def _has(offered: Offer, version: str, filename: str) -> bool:
    return any(line.filename == filename for line in offered.files[version])


def _chosen(offered: Offer, versions: tuple[str, str], pair: Pair) -> dict[str, object]:
    old, new = versions
    names = [line.filename if line is not None else "" for line in (pair.old, pair.new)]
    return {
        "old": old,
        "new": new,
        "pair": pair,
        "is_only_one": len(offered.files) == 1,
        "old_files": [line.filename for line in offered.files[old]],
        "new_files": [line.filename for line in offered.files[new]],
        "address": "?" + urlencode({"from": old, "to": new, "old": names[0], "new": names[1]}),
    }


def _compared(request: HttpRequest, found: list[Side | Missing]) -> dict[str, object]:
    """Return what differs between two files, or why that cannot be said."""
    old, new = found
    if not isinstance(old, Side) or not isinstance(new, Side):
        return {"missing": [each.sentence for each in found if isinstance(each, Missing)]}
    if old.line.sha256 == new.line.sha256:
        return {"is_same": True}
    if path := request.GET.get("member", ""):
        return {"member": path} | _texts(old, new, path)
    files = tree_changes(old, new)
    page, after = files.page(request.GET.get("after", ""))
    return {
        "is_compared": True,
        "surprises": surprises(old, new, files),
        "fields": field_changes(old, new),
        "requirements": requirement_changes(old, new),
        "entry_points": entry_point_changes(old, new),
        "files": files,
        "file_changes": page,
        "after": after,
    }


def _texts(old: Side, new: Side, path: str) -> dict[str, object]:
    """Return the differences of one member's text, or why there are none to show."""
    texts = [_text(side, path) for side in (old, new)]
    if all(text is None for text in texts):
        return {"why_not": "There is no such member in either file."}
    for text in texts:
        if text is not None and text.why_not:
            return {"why_not": text.why_not}
    lines = [text.lines if text is not None else () for text in texts]
    try:
        found: Diff = diff(*lines)
    except TooDifferent:
        return {"why_not": "The two texts are too long and too different to be compared here."}
    is_cut = found.is_cut or any(text.is_cut for text in texts if text is not None)
    return {"diff": found.lines, "is_cut": is_cut}


def _text(side: Side, path: str) -> MemberText | None:
    member = side.members.get(path)
    return member_text(side.held, member) if member is not None else None
