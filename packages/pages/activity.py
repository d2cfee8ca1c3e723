"""What was done in a repository and to it, in words, for those who administer it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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
from packages.pages.frame import frame
from repos.access import admitted
from repos.models import Grant

_EVENTS_PER_PAGE = 50
_COLUMNS = ("id", "at", "actor", "token", "address", "action", "subject", "before", "after")
_LONGEST = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")

# What was done, as it stands between who and what. Of what is not here, its name is told.
_DEEDS: Mapping[str, str] = {
    "repository.create": "made",
    "repository.change": "changed the settings of",
    "repository.delete": "deleted",
    "upstream.create": "set the upstream of",
    "upstream.change": "changed the upstream of",
    "upstream.drop": "removed from what is kept:",
    "upstream.lift": "lifted the quarantine of",
    "upstream.file": "saw its upstream change",
    "upstream.wrong-bytes": "was sent wrong bytes for",
    "members.change": "changed the members of",
    "virtual.create": "set up what is shown by",
    "virtual.change": "changed what is shown by",
    "claims.inherit": "kept the names of a removed member for",
    "grant.change": "changed a right in",
    "distribution.publish": "published",
    "distribution.deploy": "uploaded",
    "distribution.overwrite": "overwrote",
    "distribution.name": "read the name of",
    "contents.yank": "yanked",
    "contents.unyank": "put back what was yanked:",
    "contents.delete": "deleted",
    "contents.restore": "restored",
    "contents.status": "set the status of",
    "contents.try_again": "had read again:",
    "contents.let_go": "let go of the name",
    "properties.change": "changed properties of",
    "extraction.now": "started extraction in",
}

# Of these, the whole of it.
_SENTENCES: Mapping[str, str] = {
    "claim.add": "claimed {pattern} for the repository",
    "claim.remove": "gave up the claim on {pattern}",
    "also_upstream.add": "let {project} come also from upstream",
    "also_upstream.remove": "takes {project} no longer from upstream",
    "grant.create": "gave {whom} the {role} role here",
    "grant.change": "gave {whom} the {role} role here in place of another",
    "grant.end": "took the {role} role here from {whom}",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an event: what it was and what it became; empty for what was not there."""

    name: str
    was: str
    became: str


@dataclass(frozen=True, slots=True)
class Deed:
    """An event in words."""

    at: datetime
    who: str
    token: str
    address: str
    deed: str
    what: str  # within the repository; empty: the repository itself
    changes: tuple[Change, ...]
    is_sentence: bool = False  # `deed` says it all, and names what it is about


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
        columns=_COLUMNS,
        limit=_EVENTS_PER_PAGE + 1,
    )
    shown = rows[:_EVENTS_PER_PAGE]
    last = shown[-1] if len(rows) > len(shown) else None
    context = {
        "deeds": [_deed(row, name) for row in shown],
        "next": urlencode({"after": f"{last['at'].isoformat()}/{last['id']}"}) if last else "",
        "is_later": "after" in request.GET,
    }
    return render(request, "packages/activity.html", frame(come_in) | context)


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


def _deed(row: Mapping[str, Any], repository: str) -> Deed:
    subject = str(row["subject"])
    if sentence := _sentence(str(row["action"]), row["before"], row["after"]):
        return Deed(row["at"], row["actor"], row["token"], row["address"], sentence, "", (), True)
    return Deed(
        at=row["at"],
        who=str(row["actor"]),
        token=str(row["token"]),
        address=str(row["address"]),
        deed=_DEEDS.get(str(row["action"]), str(row["action"])),
        what=subject.removeprefix(repository).removeprefix("/"),
        changes=tuple(_changes(row["before"], row["after"])),
    )


def _sentence(action: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return the whole of what was done where few words say it; empty where its fields have to."""
    if action == "grant.change" and _whom(before) != _whom(after):
        return ""
    facts = before | after
    words = {"whom": _whom(facts)} | {name: str(value) for name, value in facts.items()}
    return _SENTENCES.get(action, "").format_map(defaultdict(str, words))


def _whom(grant: dict[str, Any]) -> str:
    subject = str(grant.get("subject", ""))
    name = str(grant.get("name", ""))
    if subject == Grant.Subject.TEAM:
        return f"team {name}"
    return name or dict(Grant.Subject.choices).get(subject, subject)


def _changes(before: dict[str, object], after: dict[str, object]) -> list[Change]:
    """Return what differs; of what is only known before, or only after, all."""
    names = [*before, *(name for name in after if name not in before)]
    return [
        Change(_words(name), _said(before.get(name)), _said(after.get(name)))
        for name in names
        if _said(before.get(name)) != _said(after.get(name))
    ]


def _words(name: str) -> str:
    return name.replace("_", " ").removesuffix(" at")


def _said(value: object) -> str:
    """Return a value as people would write it."""
    match value:
        case None | "" | [] | {}:
            return ""
        case True:
            return "yes"
        case False:
            return "no"
        case list():
            text = ", ".join(map(_said, value))
        case dict():
            text = "; ".join(f"{name}: {_said(each)}" for name, each in value.items())
        case str() if _DIGEST.fullmatch(value):
            text = f"{value[:12]}…"
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
