"""Why this file? Every line that a virtual could show for a name, with what hides it.

DESIGN, "A virtual": every candidate line that the reader may see with its cause, the first in a
fixed order; a member that they may not read is one line without names or files.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.principal import Principal
from packages.filenames import NormalizedName
from packages.index.base import PageFile
from packages.index.decision import AskSource, Cause, Decision, decide
from packages.index.opening import open_source
from packages.index.reasons import reason
from repos.models import Repository
from repos.virtuals import readable_beneath, tree_of


@dataclass(frozen=True, slots=True)
class Explained:
    """One line: a file of a source, or a source whose files are not known."""

    # Empty for a member that the reader may not read.
    source: str
    # None where the source as a whole says nothing.
    file: PageFile | None
    # None: the line is shown.
    cause: Cause | None
    # The cause as a clause, without a full stop; empty for what is shown.
    why: str


def explain(
    virtual: Repository, name: NormalizedName, by: Principal, ask: AskSource = open_source
) -> list[Explained]:
    """Return what the virtual shows and hides of `name` to `by`, in the order in which it counts.

    Asks the upstreams that the page would ask, and no others.
    """
    tree = tree_of(virtual)
    return explained(virtual, decide(tree, name, readable_beneath(by, tree), ask))


def explained(virtual: Repository, decision: Decision) -> list[Explained]:
    """Return a decision in words."""
    readable = decision.readable | {virtual.pk}
    found = [
        Explained(
            source=str(line.source),
            file=line.file,
            cause=line.hidden.cause if line.hidden else None,
            why=reason(line.hidden, readable) if line.hidden else "",
        )
        for line in decision.lines
    ]
    for silence in decision.silences:
        is_named = silence.hidden.cause != Cause.UNREADABLE
        found.append(
            Explained(
                source=str(silence.source) if is_named else "",
                file=None,
                cause=silence.hidden.cause,
                why=reason(silence.hidden, readable),
            )
        )
    return found
