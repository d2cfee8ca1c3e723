"""Says in words what an audit event tells: the act, and what stood before and after it.

The one place for these words; the audit of administrators, the Django admin and the activity of a
repository read them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from base.models import AuditEvent

# What was done, said after who did it; in brackets, the subject or a fact of the event.
ACTS = {
    "also_upstream.add": "let {subject} take {project} from upstream too",
    "also_upstream.remove": "let {subject} take {project} from our own repositories alone",
    "claim.add": "claimed {pattern} for {subject}",
    "claim.remove": "took back the claim on {pattern} for {subject}",
    "claims.inherit": "kept the names of a removed local as claims of {subject}",
    "contents.delete": "deleted {subject}",
    "contents.let_go": "let the name {subject} go",
    "contents.promote": "promoted {subject} to {to}",
    "contents.restore": "restored {subject}",
    "contents.status": "set the status of {subject} to {status}",
    "contents.try_again": "had the metadata of {subject} read again",
    "contents.unyank": "took the yank of {subject} back",
    "contents.yank": "yanked {subject}",
    "distribution.deploy": "put {subject} there",
    "distribution.name": "named {subject}",
    "distribution.overwrite": "overwrote {subject}",
    "distribution.publish": "published {subject}",
    "extraction.now": "started extraction in {subject}",
    "grant.change": "made {whom} {role} of {subject}",
    "grant.create": "made {whom} {role} of {subject}",
    "grant.end": "took the role {role} of {subject} from {whom}",
    "issuer.change": "changed the issuer {subject}",
    "issuer.create": "made {subject} an issuer",
    "issuer.delete": "removed the issuer {subject}",
    "login.create": "signed in with the larder command: {subject}",
    "login.revoke": "ended the login {subject}",
    "members.change": "changed the members of {subject}",
    "membership.change": "made {subject} {kind} of the tenant",
    "membership.create": "took {subject} into the tenant",
    "membership.decline": "declined the invitation of {subject}",
    "membership.end": "took {subject} out of the tenant",
    "membership.invite": "invited {subject}",
    "membership.withdraw": "withdrew the invitation of {subject}",
    "properties.change": "changed properties of {subject}",
    "publisher.add": "let {source} publish {subject}",
    "publisher.anew": "trusted {source} anew with {subject}",
    "publisher.burn": "ended a token that {subject} vouched for",
    "publisher.remove": "lets {source} no longer publish {subject}",
    "publisher.token": "got a token: {subject} vouches for it",
    "repository.change": "changed the settings of {subject}",
    "repository.create": "made the repository {subject}",
    "repository.delete": "deleted the repository {subject}",
    "team.change": "changed the team {subject}",
    "team.create": "made the team {subject}",
    "team.delete": "deleted the team {subject}",
    "tenant.change": "changed the tenant {subject}",
    "tenant.create": "made the tenant {subject}",
    "token.change": "changed the token {subject}",
    "token.create": "made the token {subject}",
    "token.revoke": "revoked the token {subject}",
    "upstream.change": "changed the upstream of {subject}",
    "upstream.create": "gave {subject} its upstream",
    "upstream.drop": "dropped the kept file {subject}",
    "upstream.file": "marked {subject}: upstream says otherwise now",
    "upstream.lift": "lifted the quarantine of {subject}",
    "upstream.purge": "began to purge what {subject} keeps",
    "upstream.purged": "purged what {subject} kept",
    "upstream.wrong-bytes": "refused {subject}: upstream sent other bytes",
    "user.change": "changed the user {subject}",
    "user.create": "made the user {subject}",
    "virtual.change": "changed how {subject} shows its members",
    "virtual.create": "said how {subject} shows its members",
}
# Whom a grant is for, where it names nobody.
_CIRCLES = {
    "members": "all members",
    "signed-in": "all signed-in users",
    "anyone": "anyone",
}
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of an event: what it was, and what it became; empty where it was not told."""

    name: str
    before: str
    after: str


def in_words(event: AuditEvent) -> str:
    """Return what was done, to be read after who did it: `published acme/pypi-local/frog-1.0.whl`.

    An act without words of its own is told by its name.
    """
    form = ACTS.get(event.action)
    if form is None:
        return f"{event.action} {event.subject}"
    return form.format_map(_Facts(event))


def act_in_words(action: str) -> str:
    """Return what an act is called where it stands for all of its kind: `published ...`."""
    form = ACTS.get(action)
    return action if form is None else form.format_map(_Gaps())


def differences(event: AuditEvent) -> list[Difference]:
    """Return the facts that an event changed, one by one, before and after in words."""
    before, after = event.before, event.after
    names = [*before, *(name for name in after if name not in before)]
    return [
        Difference(
            _spaced(name),
            said(before[name]) if name in before else "",
            said(after[name]) if name in after else "",
        )
        for name in names
        if not (name in before and name in after and before[name] == after[name])
    ]


def said(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """Return a fact as people say it: yes and no, lists with commas, nothing for what is empty."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None | "" | []:
            return _NOTHING
        case list():
            return ", ".join(said(each) for each in value)
        case dict():
            return "; ".join(f"{name}: {said(each)}" for name, each in value.items()) or _NOTHING
        case _:
            return str(value)


def _spaced(name: str) -> str:
    """Return a fact's name with spaces; a property keeps its own, which has dots."""
    return name if "." in name else name.replace("_", " ")


class _Facts(dict[str, str]):
    """What the words of an act may name: facts that hold afterwards, else that held before."""

    def __init__(self, event: AuditEvent) -> None:
        facts = event.before | event.after
        super().__init__({name: said(value) for name, value in facts.items()})
        self["whom"] = _whom(facts)
        self["subject"] = event.subject  # a grant's facts have a subject of their own

    def __missing__(self, name: str) -> str:
        return _NOTHING


def _whom(facts: Mapping[str, Any]) -> str:
    name, circle = str(facts.get("name") or ""), str(facts.get("subject") or "")
    if circle == "team":
        return f"the team {name}"
    return name or _CIRCLES.get(circle, circle)


class _Gaps(dict[str, str]):
    """Leaves open what differs from event to event."""

    def __missing__(self, name: str) -> str:
        return "…"
