"""Why this file? Every line that a repository could show for a name, with what hides it.

docs/virtuals.md, "Why this file?": every candidate line that the reader may see with its cause,
the first in a fixed order; a member that they may not read is one line without names or files. A
local or a remote is explained as a virtual that shows nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from accounts.principal import Principal
from packages.filenames import NormalizedName
from packages.index.base import PageFile
from packages.index.decision import AskSource, Cause, Decision, Hidden, Line, Silence, decide
from packages.index.opening import open_source
from packages.index.reasons import reason
from packages.index.virtual import entered
from packages.provenance import Place, attesters
from repos.models import Kind, Repository
from repos.virtuals import Source, SourceId, Tree, alone, readable_beneath


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
    # Whose settings or contents decide it; None: nobody's, or not for the reader to know.
    decides: Repository | None = None
    # Whose CI attests the file, as verified here; empty: nobody's, or that is upstream's to say.
    attested_by: str = ""


@dataclass(frozen=True, slots=True)
class MemberState:
    """What a source beneath the repository contributes to a name."""

    # None: one that the reader may not read.
    source: Source | None
    shown: int
    hidden: int
    # Why it contributes nothing, if something keeps it from doing so.
    silence: Explained | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The lines of a name, and the sources in member order."""

    lines: list[Explained]
    members: list[MemberState]


def explain(
    repository: Repository, name: NormalizedName, by: Principal, ask: AskSource = open_source
) -> list[Explained]:
    """Return what the repository shows and hides of `name` to `by`, in the order that counts.

    Asks the upstreams that the page would ask, and no others.
    """
    return explanation(repository, name, by, ask).lines


def explanation(
    repository: Repository, name: NormalizedName, by: Principal, ask: AskSource = open_source
) -> Explanation:
    """Return the same, and what each source contributes.

    Raises SignInRequired where a virtual's pages do: nobody hears more of it here.
    """
    if repository.kind == Kind.VIRTUAL:
        standing, readable = entered(repository, by)
        tree = standing.tree
    else:
        tree = alone(repository)
        readable = readable_beneath(by, tree)
    decision = decide(tree, name, readable, ask)
    silences = {each.source.id: _silence(tree, decision, each) for each in decision.silences}
    attested = {_place(each): "" for each in decision.lines if each.file.is_attested}
    attested |= attesters(name, attested)
    lines = [
        replace(_line(tree, decision, each), attested_by=attested.get(_place(each), ""))
        for each in decision.lines
    ]
    return Explanation(
        lines=[*lines, *silences.values()], members=list(_members(tree, decision, silences))
    )


def _place(line: Line) -> Place:
    return line.source.repository.pk, line.file.filename


def _line(tree: Tree, decision: Decision, line: Line) -> Explained:
    """Return one line in words."""
    readable = decision.readable | {tree.virtual.pk}
    return Explained(
        source=str(line.source),
        file=line.file,
        cause=line.hidden.cause if line.hidden else None,
        why=reason(line.hidden, readable) if line.hidden else "",
        decides=_decides(tree, line.source, line.hidden, readable),
    )


def _silence(tree: Tree, decision: Decision, silence: Silence) -> Explained:
    """Return in words why a source has no lines."""
    readable = decision.readable | {tree.virtual.pk}
    is_named = silence.hidden.cause != Cause.UNREADABLE
    why = reason(silence.hidden, readable)
    if silence.failure is not None:
        why = f"{why}: {silence.failure.sentence.removesuffix('.')}"
    return Explained(
        source=str(silence.source) if is_named else "",
        file=None,
        cause=silence.hidden.cause,
        why=why,
        decides=_decides(tree, silence.source, silence.hidden, readable),
    )


def _decides(
    tree: Tree, source: Source, hidden: Hidden | None, readable: frozenset[int]
) -> Repository | None:
    """Return the repository in which a cause can be taken away, if the reader may know of it."""
    if hidden is None:
        return None
    by = hidden.by.repository if isinstance(hidden.by, Source) else hidden.by
    match hidden.cause:
        case Cause.UNREADABLE:
            found = None
        case Cause.EXCLUDED:
            found = source.repository
        case Cause.CLAIMED | Cause.UNAVAILABLE | Cause.QUARANTINED | Cause.DELETED:
            found = by or source.repository
        case Cause.NOT_FIRST:
            found = _first_of(tree, source)
        case Cause.KEPT | Cause.OTHER_BYTES | Cause.SAME_FILE:
            found = tree.virtual
    return found if found is not None and found.pk in readable else None


def _first_of(tree: Tree, source: Source) -> Repository:
    """Return the highest virtual above a source that shows the first member alone."""
    steps = (
        step.virtual
        for place in tree.places
        if place.source.id == source.id
        for step in place.steps
        if step.virtual in tree.firsts
    )
    return tree.virtuals[next(steps, tree.virtual.pk)]


def _members(
    tree: Tree, decision: Decision, silences: Mapping[SourceId, Explained]
) -> Iterator[MemberState]:
    """Yield each source once, in member order; of those that may not be read, that there is one."""
    sources = {place.source.id: place.source for place in tree.places}
    for source in sources.values():
        silence = silences.get(source.id)
        is_secret = silence is not None and silence.cause == Cause.UNREADABLE
        lines = [line for line in decision.lines if line.source.id == source.id]
        shown = sum(line.hidden is None for line in lines)
        yield MemberState(
            source=None if is_secret else source,
            shown=shown,
            hidden=len(lines) - shown,
            silence=silence,
        )
