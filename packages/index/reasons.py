"""Says in words why a source or a line is hidden, naming only what the reader may know of."""

from __future__ import annotations

from packages.index.decision import Cause, Hidden
from repos.models import Repository
from repos.virtuals import Source

_CLAUSES = {
    Cause.UNREADABLE: "you may not read it",
    Cause.EXCLUDED: "its patterns leave the name out",
    Cause.CLAIMED: "the name is claimed by {by}",
    Cause.KEPT: "the name is kept by {by}",
    Cause.NOT_FIRST: "{by} comes first, and the first alone is shown",
    Cause.UNAVAILABLE: "{by} cannot be asked now",
    Cause.QUARANTINED: "it is quarantined in {by}",
    Cause.DELETED: "it was deleted from {by}, which does not free its name",
    Cause.OTHER_BYTES: "{by} comes first and has other bytes under this name",
    Cause.SAME_FILE: "{by} comes first and has this file",
}


def reason(hidden: Hidden, readable: frozenset[int]) -> str:
    """Return why a source or a line is hidden: a clause, without a full stop.

    `readable` are the ids of the repositories that the reader may know of.
    """
    return _CLAUSES[hidden.cause].format(by=_named(hidden.by, readable))


def _named(by: Source | Repository | None, readable: frozenset[int]) -> str:
    pk = by.repository.pk if isinstance(by, Source) else by.pk if by else None
    return str(by) if pk in readable else "a repository that you may not read"
