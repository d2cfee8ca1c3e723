"""Says what a change of a grant means: "bob may now publish to acme/pypi-local; before, read"."""

from __future__ import annotations

from accounts.roles import Role
from repos.models import Grant

_MAY = {
    Role.READER: "read",
    Role.WRITER: "publish to",
    Role.ADMIN: "administer",
}
_BEFORE = {Role.READER: "read", Role.WRITER: "publish", Role.ADMIN: "administer"}
_CIRCLES = {
    Grant.Subject.MEMBERS: "All members",
    Grant.Subject.SIGNED_IN: "All signed-in users",
    Grant.Subject.ANYONE: "Anyone, signed in or not,",
}


def change_in_words(grant: Grant, before: Grant | None) -> str:
    """Return what a grant that was just saved lets its subject do, and what it did before."""
    told = f"{_whom(grant)} may now {_MAY[Role(grant.role)]} {grant.repository}"
    is_same_subject = before is not None and _whom(before) == _whom(grant)
    if before is None:
        return f"{told}; before, this grant was not there."
    if not is_same_subject:
        return f"{told}; before, the grant was for {_whom(before)}."
    return f"{told}; before, {_BEFORE[Role(before.role)]}."


def end_in_words(grant: Grant) -> str:
    """Return what the end of a grant takes away; other grants may still give it."""
    may = _MAY[Role(grant.role)]
    return f"{_whom(grant)} may no longer {may} {grant.repository} by this grant."


def _whom(grant: Grant) -> str:
    if grant.membership is not None:
        return grant.membership.user.username
    if grant.team is not None:
        return f"The team {grant.team.name}"
    return _CIRCLES[Grant.Subject(grant.subject)]
