"""The index of a virtual repository: its members under one URL, in order."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from packaging.utils import canonicalize_name

from accounts.principal import Principal
from packages.filenames import NormalizedName, VersionRefused, parse_version
from packages.index.base import (
    Arriving,
    FileNotFound,
    FileWithheld,
    Ground,
    Index,
    IndexNotServed,
    IndexUnavailable,
    PageFile,
    ProjectList,
    ProjectNotFound,
    ProjectPage,
    Stored,
)
from packages.index.decision import Decision, Line, Silence
from packages.index.held import OpenSource, Stamps, Standing, decided, standing
from packages.index.reasons import reason
from packages.models import Project
from packages.versions import version_key
from repos.access import RoleMissing, SignInRequired
from repos.models import Repository


def entered(virtual: Repository, by: Principal) -> tuple[Standing, frozenset[int]]:
    """Return what is beneath a virtual, and which of it `by` may read.

    An anonymous caller comes in only where anyone may read everything.
    """
    where, readable = standing(virtual, by)
    if by.is_anonymous and readable != where.tree.beneath:
        raise SignInRequired("Sign in with a user name and a token.")
    return where, readable


class VirtualIndex:
    """Answers from the sources beneath the virtual, as far as the caller may read them."""

    def __init__(
        self, repository: Repository, by: Principal, open_source: OpenSource, *, holds: bool = True
    ) -> None:
        """Take what opens its sources; unless it `holds`, what is decided is for this caller."""
        self.repository = repository
        self._by = by
        self._open_source = open_source
        self._holds = holds
        self._ground: Ground | None = None

    @property
    def ground(self) -> Ground | None:
        """Return what the last answer stands on; None: it is good for this once."""
        return self._ground

    def projects(self) -> ProjectList:
        """Return the names of all sources that the caller may read and that list theirs."""
        where, readable = entered(self.repository, self._by)
        sources = {
            place.source.id: place.source
            for place in where.tree.places
            if place.repositories <= readable and place.source.lists_projects
        }
        lists = [self._open_source(source).projects() for source in sources.values()]
        stale = [each.stale_since for each in lists if each.stale_since is not None]
        names = _Names(lists)
        self._stand_on(where.stamps, readable)
        return ProjectList(
            names=names,
            serial=sum(each.serial for each in lists),
            digest=names.digest,
            stale_since=min(stale, default=None),
        )

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the files of `project` that the virtual shows.

        Raises also SignInRequired and RoleMissing: what is left of a page may be nothing that
        the caller may read, and is said in the same words whatever the members have.
        """
        decision = self._decided(project)
        pages, shown = decision.pages, decision.shown
        if len(pages) > 1:
            shown.sort(key=lambda line: page_order(line.file))
        files = [line.file for line in shown]
        stale = [page.stale_since for page in pages if page.stale_since is not None]
        # PEP 792: a marker is its project's. Of several, the first one's that has files: what is
        # quarantined offers none.
        marked = next((page for page in pages if page.files), pages[0] if pages else None)
        return ProjectPage(
            name=project,
            versions=tuple(dict.fromkeys(file.version for file in files)),
            files=tuple(files),
            status=marked.status if marked else Project.Status.ACTIVE,
            status_reason=marked.status_reason if marked else "",
            serial=sum(page.serial for page in pages),
            stale_since=min(stale, default=None),
            sources=tuple(line.source for line in shown),
        )

    def open(self, project: NormalizedName, filename: str, sha256: str = "") -> Stored | Arriving:
        """Return where the bytes of a file are that the page shows."""
        index, line = self._shown(project, filename, sha256)
        return index.open(project, filename, line.file.sha256 or sha256)

    def metadata(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return the core metadata of a file that the page shows."""
        index, line = self._shown(project, filename, sha256)
        return index.metadata(project, filename, line.file.sha256 or sha256)

    def provenance(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return the attestations of a file that the page shows."""
        index, line = self._shown(project, filename, sha256)
        return index.provenance(project, filename, line.file.sha256 or sha256)

    def _decided(self, project: NormalizedName) -> Decision:
        """Return the decision, where it is one that something can be served from."""
        where, readable = entered(self.repository, self._by)
        made = decided(
            where,
            project,
            readable,
            self._open_source,
            holds=self._holds,
        )
        self._stand_on(made.stamps, readable, made.until)
        decision = made.decision
        if (silent := decision.unavailable) is not None:
            raise self._unanswered(project, silent)
        if decision.is_withheld and not decision.shown:
            raise RoleMissing(
                f"What {self.repository} has of {project}, if anything, is in repositories that "
                "you may not read."
            )
        if not decision.is_ours:
            raise ProjectNotFound(f"There is no project {project} in {self.repository}.")
        return decision

    def _unanswered(self, project: NormalizedName, silent: Silence) -> IndexUnavailable:
        """Return the refusal: "cannot say" of one that may have the name is no shorter page.

        Of the kind that the silent source itself refuses with, which says whether to ask again.
        """
        answers = f"{self.repository} cannot answer for {project}"
        match silent.failure:
            case None:
                return IndexUnavailable(f"{answers} now.")
            case IndexNotServed(sentence=sentence):
                return IndexNotServed(f"{answers}: {sentence}")
            case failure:
                return IndexUnavailable(f"{answers} now: {failure.sentence}")

    def _stand_on(
        self, stamps: Stamps | None, readable: frozenset[int], until: datetime | None = None
    ) -> None:
        self._ground = (
            Ground(self.repository.pk, "", stamps, readable, until) if stamps is not None else None
        )

    def _shown(self, project: NormalizedName, filename: str, sha256: str) -> tuple[Index, Line]:
        """Return a shown line and the index that has it, or refuse with what hides it."""
        decision = self._decided(project)
        named = [line for line in decision.lines if line.file.filename == filename]
        meant = [line for line in named if sha256 in {"", line.file.sha256} or not line.file.sha256]
        for line in meant:
            if line.hidden is None:
                return self._open_source(line.source), line
        if meant and meant[0].hidden is not None:
            why = reason(meant[0].hidden, decision.readable | {self.repository.pk})
            raise FileWithheld(f"{filename} is not given out by {self.repository}: {why}.")
        for page in decision.pages:
            # A source that withholds its files does not list them either.
            if page.status == Project.Status.QUARANTINED:
                reason_given = f": {page.status_reason}" if page.status_reason else ""
                raise FileWithheld(f"{project} in {self.repository} is quarantined{reason_given}.")
        if named:
            raise FileNotFound(f"{filename} in {self.repository} has another sha256.")
        raise FileNotFound(f"There is no file {filename} in {self.repository}.")


class _Names:
    """The names of several lists in one, in order as far as each of them is, each name once.

    Of two lists that are not in order, a name may stand twice: to know it, all would have to be
    held at once, and an upstream's list is never.
    """

    def __init__(self, lists: list[ProjectList]) -> None:
        self._long = [each for each in lists if each.digest]
        short = chain.from_iterable(each.names for each in lists if not each.digest)
        self._short = sorted(set(short), key=canonicalize_name)

    @property
    def digest(self) -> str:
        """Return what is equal for equal lists; empty when all of them are short."""
        parts = [each.digest for each in self._long]
        known = "\n".join([*parts, *self._short])
        return hashlib.sha256(known.encode()).hexdigest() if parts else ""

    def __iter__(self) -> Iterator[str]:
        """Yield every name."""
        last = ""
        long = (each.names for each in self._long)
        for name in heapq.merge(self._short, *long, key=canonicalize_name):
            normalized = canonicalize_name(name)
            if normalized != last:
                yield name
            last = normalized


def page_order(file: PageFile) -> tuple[str, str]:
    """Put files in the order of their versions, then of their names."""
    return version_order(file.version)[0], file.filename


def version_order(version: str) -> tuple[str, str]:
    """Put versions in PEP 440's order; what upstream calls a version and is none comes first.

    No two of them are in the same place, however they are spelled.
    """
    try:
        return version_key(parse_version(version)), version
    except VersionRefused:
        return "", version
