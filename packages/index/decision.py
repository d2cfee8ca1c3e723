"""Which lines a name has in a virtual, whose they are, and why others are hidden.

The one answer that page, file, metadata, JSON and `explain` share (the rules in words:
docs/virtuals.md). Nothing here is served and nothing is refused: whoever asks reads the decision.

A remote that is private keeps what it *has*, not only what it ever had. So those are asked before
any other remote is, and one of them that cannot say keeps the others from being asked.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from packages.filenames import (
    FilenameRefused,
    NameRefused,
    NormalizedName,
    VersionRefused,
    parse_filename,
)
from packages.index.base import (
    IndexNotServed,
    IndexUnavailable,
    PageFile,
    ProjectNotFound,
    ProjectPage,
)
from packages.index.keepers import Facts, facts_of
from packages.index.local import LocalIndex
from repos.access import RepositoryMissing
from repos.models import Repository
from repos.virtuals import Place, Source, SourceId, Tree


class Pages(Protocol):
    """As much of an index as a decision needs."""

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the files of `project`. Raises ProjectNotFound, IndexUnavailable."""


AskSource = Callable[[Source], Pages]


class Cause(enum.IntEnum):
    """Why a source or a line of it is not shown. The first that applies is named."""

    UNREADABLE = 1  # the caller may not read the member
    EXCLUDED = 2  # the remote's patterns leave the name out
    CLAIMED = 3  # another source claims the name
    KEPT = 4  # the name is ours, and not taken from this remote
    NOT_FIRST = 5  # an earlier member has it, and the virtual shows the first alone
    UNAVAILABLE = 6  # it cannot say now
    QUARANTINED = 7  # the file is quarantined, here or in another source
    DELETED = 8  # a local has deleted the file: its name is not filled up from elsewhere
    OTHER_BYTES = 9  # an earlier source has a file of this name with other bytes
    SAME_FILE = 10  # an earlier source has this file


@dataclass(frozen=True, slots=True)
class Hidden:
    """A cause, and who it lies with: a source, or a virtual with its own claim; None: itself."""

    cause: Cause
    by: Source | Repository | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One file of one source, shown unless something hides it."""

    source: Source
    file: PageFile
    hidden: Hidden | None


@dataclass(frozen=True, slots=True)
class Silence:
    """A source whose lines are not known, and why."""

    source: Source
    hidden: Hidden
    # What an unavailable one said, if the caller may know of it.
    failure: IndexUnavailable | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a virtual answers for one name, to whoever may read the same sources."""

    name: NormalizedName
    # The ids of all beneath the virtual that those who get this answer may read.
    readable: frozenset[int]
    # Of the sources that may be read and were asked, in the order in which they count.
    lines: tuple[Line, ...]
    silences: tuple[Silence, ...]
    # The pages of the sources that contribute, in the same order.
    pages: tuple[ProjectPage, ...]
    # Some source has the name, or keeps it: it is not free for a stranger's index.
    is_ours: bool
    # Something that may contribute was not looked at, because the caller may not read it.
    is_withheld: bool

    @property
    def shown(self) -> list[Line]:
        """Return the lines that the page has."""
        return [line for line in self.lines if line.hidden is None]

    @property
    def unavailable(self) -> Silence | None:
        """Return a source without which the page would be shorter than it should be.

        Of several, one that has to be set up first: to ask again is no use before that.
        """
        silent = [each for each in self.silences if each.hidden.cause == Cause.UNAVAILABLE]
        unset = (each for each in silent if isinstance(each.failure, IndexNotServed))
        return next(unset, silent[0] if silent else None)


def decide(tree: Tree, name: NormalizedName, readable: frozenset[int], ask: AskSource) -> Decision:
    """Return what the virtual has of `name` for whoever may read the repositories `readable`."""
    return decide_by(facts_of(tree, name), readable, ask)


def decide_by(facts: Facts, readable: frozenset[int], ask: AskSource) -> Decision:
    """Return the same for whoever knows what the rows say of the name."""
    asked = _Asked(facts, ask)
    gathering = _gathered(facts, readable, asked)
    contributors = gathering.in_order()
    return Decision(
        name=facts.name,
        readable=readable,
        lines=(*_judged(contributors, facts, asked), *gathering.overruled_lines()),
        silences=gathering.silences(),
        pages=tuple(page for source in contributors if (page := asked.page(source)) is not None),
        is_ours=bool(contributors) or facts.is_kept,
        is_withheld=gathering.is_withheld,
    )


def contributors_of(facts: Facts, readable: frozenset[int], ask: AskSource) -> list[Source]:
    """Return the sources whose pages make up the virtual's, whatever single files are hidden."""
    return _gathered(facts, readable, _Asked(facts, ask)).in_order()


def _gathered(facts: Facts, readable: frozenset[int], asked: _Asked) -> _Gathering:
    _ask_private_remotes(facts, asked)
    gathering = _Gathering(facts, readable, asked)
    gathering.beneath(facts.tree.virtual.pk, facts.tree.places, depth=0, cut=None)
    return gathering


def may_hear(tree: Tree, name: NormalizedName, ask: AskSource) -> frozenset[SourceId]:
    """Return the sources that may be told that somebody looks for `name`.

    A name that is ours is nothing that a stranger should hear of, in a search either.
    """
    facts = facts_of(tree, name)
    _ask_private_remotes(facts, _Asked(facts, ask))
    return frozenset(place.source.id for place in tree.places if _cut_off(place, facts) is None)


def _ask_private_remotes(facts: Facts, asked: _Asked) -> None:
    """Find out who keeps the name by having it at this moment, before anybody else is asked.

    Also on behalf of a caller who may not read the remote: it keeps all the same.
    """
    for place in facts.tree.places:
        source = place.source
        if facts.keeps_what_it_has(source) and _cut_off(place, facts) is None:
            if asked.page(source) is not None:
                facts.keepers.add(source.id)
            elif source.id in asked.failures:
                facts.unknown.add(source.id)


def _cut_off(place: Place, facts: Facts) -> Hidden | None:
    """Return why `place` may not contribute, whatever it has. A remote is then not asked."""
    if not place.source.may_be_asked_for(facts.name):
        return Hidden(Cause.EXCLUDED)
    if (claimer := facts.claimed_against(place)) is not None:
        return Hidden(Cause.CLAIMED, claimer)
    if (keeper := facts.kept_against(place)) is not None:
        return Hidden(Cause.KEPT, keeper)
    if (unknown := facts.perhaps_kept_against(place)) is not None:
        return Hidden(Cause.UNAVAILABLE, unknown)
    return None


class _Asked:
    """The sources' answers for one name; each source is asked at most once."""

    def __init__(self, facts: Facts, ask: AskSource) -> None:
        self._facts = facts
        self._ask_source = ask
        self._pages: dict[SourceId, ProjectPage | None] = {}
        # What those said that could not answer.
        self.failures: dict[SourceId, IndexUnavailable] = {}

    def page(self, source: Source) -> ProjectPage | None:
        """Return the page of `source`; None when it has none, or cannot say."""
        if source.id not in self._pages:
            self._pages[source.id] = self._ask(source)
        return self._pages[source.id]

    def _ask(self, source: Source) -> ProjectPage | None:
        if self._facts.is_without(source):
            return None
        try:
            index = self._ask_source(source)
            row = self._facts.projects.get(source.id)
            # What is known of a local needs not be asked for once more.
            if row is not None and isinstance(index, LocalIndex):
                return index.page_of(row)
            return index.page(self._facts.name)
        except ProjectNotFound:
            return None
        except IndexUnavailable as failure:
            self.failures[source.id] = failure
            return None
        except RepositoryMissing as missing:
            # Its settings do not allow an answer. That is not "has no such project".
            self.failures[source.id] = IndexNotServed(missing.sentence)
            return None


@dataclass
class _Gathering:
    """Goes down a tree and notes of each source whether it contributes, or why it does not."""

    facts: Facts
    readable: frozenset[int]
    asked: _Asked
    contributors: list[Source] = field(default_factory=list)
    overruled: dict[SourceId, tuple[Source, Hidden]] = field(default_factory=dict)
    is_withheld: bool = False

    def beneath(
        self, virtual: int, places: Iterable[Place], *, depth: int, cut: Hidden | None
    ) -> Source | None:
        """Go through the direct members of one virtual; return the first source that has the name.

        `cut` says why nothing beneath it may contribute, if so.
        """
        holder: Source | None = None
        for _, each in groupby(places, key=lambda place: place.steps[depth].member):
            member = list(each)
            is_late = holder is not None and virtual in self.facts.tree.firsts
            late = Hidden(Cause.NOT_FIRST, holder) if is_late else None
            found = self._member(member, depth=depth, cut=cut or late)
            holder = holder or found
        return holder

    def _member(self, places: list[Place], *, depth: int, cut: Hidden | None) -> Source | None:
        steps = places[0].steps
        if len(steps) > depth + 1:
            return self.beneath(steps[depth + 1].virtual, places, depth=depth + 1, cut=cut)
        source = places[0].source
        hidden = _cut_off(places[0], self.facts)
        if cut is not None and (hidden is None or hidden.cause > cut.cause):
            hidden = cut
        if not places[0].repositories <= self.readable:
            self.is_withheld |= hidden is None or hidden.cause == Cause.UNAVAILABLE
            hidden = Hidden(Cause.UNREADABLE)
        elif hidden is None:
            page = self.asked.page(source)
            if source.id not in self.asked.failures:
                return self._contributes(source, page)
            hidden = Hidden(Cause.UNAVAILABLE, source)
        is_unavailable = hidden.cause == Cause.UNAVAILABLE
        # A source may stand in several places. What keeps it out of one does not make it
        # dispensable in another, where it may have the name and cannot say.
        if is_unavailable or source.id not in self.overruled:
            self.overruled[source.id] = (source, hidden)
        return source if is_unavailable else None

    def _contributes(self, source: Source, page: ProjectPage | None) -> Source | None:
        """Note a source that may contribute; return it if it has the name."""
        if page is None:
            return None
        if source not in self.contributors:
            self.contributors.append(source)
        return source if page.files or source.id in self.facts.keepers else None

    def in_order(self) -> list[Source]:
        """Return the contributors, locals before remotes, each in member order."""
        return sorted(self.contributors, key=self.facts.rank)

    def silences(self) -> tuple[Silence, ...]:
        """Return the sources that say nothing here: those that have no lines, or unknown ones."""
        return tuple(
            Silence(source, hidden, self._said_by(hidden.by))
            for source, hidden in self._overruled()
            if not (source.is_local and hidden.cause in _LINE_BY_LINE)
        )

    def _said_by(self, unavailable: Source | Repository | None) -> IndexUnavailable | None:
        """Return why a source cannot answer, unless the caller may not know of it."""
        if not isinstance(unavailable, Source) or unavailable.repository.pk not in self.readable:
            return None
        return self.asked.failures.get(unavailable.id)

    def overruled_lines(self) -> Iterator[Line]:
        """Yield the lines of locals that something overrules as a whole: we know them anyway."""
        for source, hidden in self._overruled():
            if source.is_local and hidden.cause in _LINE_BY_LINE:
                page = self.asked.page(source)
                for file in _files(source, page, self.facts) if page else ():
                    yield Line(source, file, hidden)

    def _overruled(self) -> list[tuple[Source, Hidden]]:
        """Return what contributes nowhere: a source may stand in several places."""
        return [each for each in self.overruled.values() if each[0] not in self.contributors]


_LINE_BY_LINE = {Cause.CLAIMED, Cause.NOT_FIRST}


def _judged(contributors: Iterable[Source], facts: Facts, asked: _Asked) -> Iterator[Line]:
    """Yield the contributors' lines, each shown unless a rule about single files hides it."""
    same = _SameFile(facts.name)
    quarantined: dict[str, list[Source]] = defaultdict(list)
    deleted: dict[str, list[Source]] = defaultdict(list)
    for withdrawn, found in ((facts.quarantined, quarantined), (facts.deleted, deleted)):
        for each in withdrawn:
            found[same.key(each.file)].append(each.source)
    shown: dict[str, Line] = {}
    for source in contributors:
        page = asked.page(source)
        lines = []
        for file in _files(source, page, facts) if page else ():
            key = same.key(file)
            hidden = None
            by = [each for each in quarantined[key] if facts.may_withdraw(each, source)]
            if by:
                hidden = Hidden(Cause.QUARANTINED, by[0])
            elif deleted[key] and not source.is_local:
                hidden = Hidden(Cause.DELETED, deleted[key][0])
            elif key in shown:
                hidden = _second(shown[key], file)
            lines.append((key, Line(source, file, hidden)))
        # A source's own files do not hide each other.
        shown |= {key: line for key, line in lines if line.hidden is None}
        yield from (line for _, line in lines)


def _second(first: Line, file: PageFile) -> Hidden:
    """Return why a file is hidden whose name an earlier source has."""
    differs = file.sha256 and first.file.sha256 and file.sha256 != first.file.sha256
    return Hidden(Cause.OTHER_BYTES if differs else Cause.SAME_FILE, first.source)


def _files(source: Source, page: ProjectPage, facts: Facts) -> Iterator[PageFile]:
    """Yield the files of a source, those that it withholds as quarantined included."""
    listed = {file.filename for file in page.files}
    yield from page.files
    for each in facts.quarantined:
        if each.source.id == source.id and each.file.filename not in listed:
            yield each.file


class _SameFile:
    """Tells whether two file names mean the same file, however they are spelled."""

    def __init__(self, name: NormalizedName) -> None:
        self._name = name
        self._keys: dict[str, str] = {}

    def key(self, file: PageFile) -> str:
        """Return a text that is equal for two names of one file."""
        if file.filename not in self._keys:
            self._keys[file.filename] = self._identity(file)
        return self._keys[file.filename]

    def _identity(self, file: PageFile) -> str:
        try:
            return parse_filename(file.filename, name=self._name, version=file.version).identity
        except (FilenameRefused, NameRefused, VersionRefused):  # upstreams list what they like
            return f"as spelled: {file.filename}"
