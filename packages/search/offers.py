"""pip search: which projects' names and summaries have some words, and in which versions.

What we hold is looked through as text search does. A remote's upstream may have a search of its
own, which is asked too; when it fails, what we hold is found all the same. A virtual shows of both
what its pages would: a name that is ours is not asked of strangers, and none of theirs that is
called so is shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import structlog

from accounts.principal import Principal
from base.errors import InvalidInput
from packages.filenames import Kind as FileKind
from packages.filenames import (
    NameRefused,
    NormalizedName,
    VersionRefused,
    parse_name,
    parse_version,
)
from packages.index.base import IndexUnavailable, PageFile, ProjectNotFound, ProjectPage
from packages.index.decision import Pages, decide, may_hear
from packages.index.opening import open_kept
from packages.models import Project, UpstreamPage
from packages.search.engines import within_seconds
from packages.search.ground import Ground, through
from packages.search.language import Query, Reach, Word, all_of, any_of
from packages.search.projects import ranked_documents
from packages.upstream.errors import UpstreamFailed
from packages.upstream.search import SearchTerms, UpstreamHit, search_upstream
from packages.upstream.source import Source as Upstream
from packages.versions import version_key
from packages.words import words_of
from repos.access import RepositoryMissing
from repos.models import Kind, Repository
from repos.virtuals import Source, SourceId

log = structlog.get_logger(__name__)

_TERMS_AT_MOST = 10
_TERM_AT_MOST = 100
_NAME_AT_MOST = 200
# Of documents, also those that are of another scope.
_LOOKED_AT = 2000
# Whatever could be a project's name within a word that is looked for.
_NAME_LIKE = re.compile(r"[A-Za-z0-9._-]+")
_NAMES_AT_MOST = 100
_VERSIONS_AT_MOST = 50  # of one project, the newest; pip shows the newest one
_SECONDS = 5.0
# pip gives up after 15 seconds of silence.
_SECONDS_UPSTREAM = 8.0


class NothingToSearchFor(InvalidInput):
    """No word of the search has a letter or a digit."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A version of a project that a client of the repository may install."""

    name: str
    version: str
    summary: str


def find_offers(
    *, repository: Repository, terms: SearchTerms, by: Principal, scope: str = ""
) -> list[Offer]:
    """Return the versions of what the words find, best first, the newest of each project first.

    Raises NothingToSearchFor, SearchTooSlow, RepositoryMissing for a scope that is not there, and
    SignInRequired as a virtual's pages do.
    """
    query = _query(terms)
    with within_seconds(_SECONDS):
        shelf = _shelf(repository, scope, by)
        names = shelf.hold(query, called=_called(terms))
    _ask_upstreams(shelf, terms)
    with within_seconds(_SECONDS):
        names += [name for name in shelf.heard() if name not in names]
        return [offer for name in names[:_NAMES_AT_MOST] for offer in shelf.offers(name)]


def _query(terms: SearchTerms) -> Query:
    """Return what the terms mean: any word of a field, in either field or in both."""
    fields = [
        any_of([Word(word, reach) for word in wanted])
        for reach, texts in ((Reach.NAME, terms.names), (Reach.ABOUT, terms.summaries))
        if (wanted := [text for text in texts[:_TERMS_AT_MOST] if _is_searchable(text)])
    ]
    if not fields:
        raise NothingToSearchFor("Give a word to search for, with a letter or a digit in it.")
    return all_of(fields) if terms.is_and else any_of(fields)


def _called(terms: SearchTerms) -> str:
    """Return what a project would be called that has all the words; empty where none could be."""
    called = "-".join(filter(_is_searchable, terms.names[:_TERMS_AT_MOST]))
    return called if len(called) <= _NAME_AT_MOST else ""


def _is_searchable(text: str) -> bool:
    return len(text) <= _TERM_AT_MOST and text.isprintable() and bool(words_of(text))


@dataclass
class _Shelf:
    """The sources that are searched, what was found in them, and how it is decided what shows."""

    ground: Ground
    sources: Sequence[Source]
    summaries: dict[tuple[SourceId, str], str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # as they are spelled
    upstream: dict[SourceId, list[UpstreamHit]] = field(default_factory=dict)

    def hold(self, query: Query, called: str) -> list[NormalizedName]:
        """Return the names that we hold and that the query finds, best first."""
        ids = {source.id for source in self.sources}
        found: dict[NormalizedName, None] = {}
        for row in islice(ranked_documents(query, self.ground, called), _LOOKED_AT):
            source = (row.repository_id, row.project.scope)
            if source in ids:
                name = NormalizedName(row.normalized)
                self._note(source, name, row.name, row.summary)
                found[name] = None
            if len(found) >= _NAMES_AT_MOST:
                break
        return list(found)

    def hear(self, source: Source, hits: list[UpstreamHit]) -> None:
        """Note what an upstream's search has found."""
        self.upstream[source.id] = hits
        for hit in hits:
            self._note(source.id, hit.project, hit.name, hit.summary)

    def heard(self) -> list[NormalizedName]:
        """Return the names that upstreams have told."""
        told = (hit.project for hits in self.upstream.values() for hit in hits)
        return list(dict.fromkeys(told))

    def offers(self, name: NormalizedName) -> Iterator[Offer]:
        """Yield the versions of a name that are shown, the newest first."""
        summaries: dict[str, str] = {}
        for source, file in self._lines(name):
            version = _parsed(file.version)
            if version is not None:
                summaries.setdefault(version, self.summaries.get((source, name), ""))
        newest = sorted(summaries, key=lambda text: version_key(parse_version(text)), reverse=True)
        for version in newest[:_VERSIONS_AT_MOST]:
            summary = summaries[version] or next(filter(None, summaries.values()), "")
            yield Offer(self.names.get(name, name), version, summary)

    def _note(self, source: SourceId, name: NormalizedName, spelled: str, summary: str) -> None:
        self.names.setdefault(name, spelled)
        self.summaries.setdefault((source, name), summary)

    def _lines(self, name: NormalizedName) -> Iterable[tuple[SourceId, PageFile]]:
        if self.ground.virtual is not None:
            seen = self.ground.virtual
            decision = decide(seen.tree, name, seen.readable, self._pages)
            return [(line.source.id, line.file) for line in decision.shown]
        (source,) = self.sources
        try:
            page = self._pages(source).page(name)
        except ProjectNotFound:
            return []
        return [(source.id, file) for file in page.files]

    def _pages(self, source: Source) -> Pages:
        hits = self.upstream.get(source.id, [])
        return _KeptAndHeard(open_kept(source), hits)


@dataclass(frozen=True, slots=True)
class _KeptAndHeard:
    """A source as it is kept, with the versions that its upstream's search has named."""

    kept: Pages
    hits: Sequence[UpstreamHit]

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return what is kept, and a line for each version that was heard of. Raises as `kept`."""
        heard = [_line(hit) for hit in self.hits if hit.project == project]
        try:
            page = self.kept.page(project)
        except ProjectNotFound:
            if not heard:
                raise
            page = ProjectPage(project, (), (), Project.Status.ACTIVE, "", 0)
        if page.status == Project.Status.QUARANTINED:
            return page
        known = {_parsed(file.version) for file in page.files}
        more = tuple(line for line in heard if line.version not in known)
        return replace(page, files=page.files + more)


def _line(hit: UpstreamHit) -> PageFile:
    """Return a line for a version of which no file is known yet: as its sdist would be called."""
    return PageFile(
        filename=f"{hit.project.replace('-', '_')}-{hit.version}.tar.gz",
        version=hit.version,
        sha256="",
        size=None,
        uploaded_at=None,
        requires_python="",
        metadata_sha256="",
        yanked_reason=None,
        kind=FileKind.SDIST,
        python_tag="source",
    )


def _parsed(version: str) -> str | None:
    """Return a version's normal form; None for what is none: pip would stop at it."""
    try:
        return str(parse_version(version))
    except VersionRefused:
        return None


def _shelf(repository: Repository, scope: str, by: Principal) -> _Shelf:
    if scope and repository.kind != Kind.REMOTE:
        raise RepositoryMissing(f"There is no repository {repository}/{scope}.")
    if repository.kind == Kind.VIRTUAL:
        ground = through(repository, by)
        assert ground.virtual is not None  # noqa: S101 - it is the ground of a virtual
        readable = ground.virtual.readable
        places = [each for each in ground.virtual.tree.places if each.repositories <= readable]
        return _Shelf(ground, list({each.source.id: each.source for each in places}.values()))
    upstream = getattr(repository, "upstream", None)
    if scope and (upstream is None or not upstream.may_use_scope(scope)):
        raise RepositoryMissing(f"There is no repository {repository}/{scope}.")
    return _Shelf(Ground([repository]), [Source(repository, scope, upstream)])


def _ask_upstreams(shelf: _Shelf, terms: SearchTerms) -> None:
    """Ask the upstreams of the remotes among the sources, as long as there is time."""
    until = time.monotonic() + _SECONDS_UPSTREAM
    told = SearchTerms(_to_tell(terms.names), _to_tell(terms.summaries), terms.is_and)
    if not (told.names or told.summaries):
        return
    for source in _to_ask(shelf, told):
        left = until - time.monotonic()
        if source.upstream is None or left <= 0:
            continue
        upstream = Upstream(source.repository, source.upstream, source.scope)
        try:
            hits = search_upstream(upstream, told, seconds=left)
        except UpstreamFailed as failure:
            log.info("an upstream was not searched", of=upstream.host, reason=failure.sentence)
            continue
        shelf.hear(source, [hit for hit in hits if source.may_be_asked_for(hit.project)])


def _to_ask(shelf: _Shelf, terms: SearchTerms) -> list[Source]:
    """Return the remotes that may hear the words: none of these is a name kept from them."""
    remotes = [source for source in shelf.sources if not source.is_local]
    for name in _names_in(terms) if remotes else ():
        if shelf.ground.virtual is not None:
            may = may_hear(shelf.ground.virtual.tree, name, _open_answered)
            remotes = [each for each in remotes if each.id in may]
        remotes = [each for each in remotes if each.may_be_asked_for(name)]
    return remotes


def _open_answered(source: Source) -> Pages:
    """Return a source as it is kept; a private remote that nobody has asked yet cannot say."""
    kept = open_kept(source)
    return _IfAnswered(source, kept) if source.keeps_names and not source.is_local else kept


@dataclass(frozen=True, slots=True)
class _IfAnswered:
    """A remote that may have a name of ours, as far as it was asked for it."""

    source: Source
    kept: Pages

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return what is kept. Raises IndexUnavailable where that is nothing, and as `kept`."""
        answered = UpstreamPage.objects.filter(
            repository=self.source.repository,
            scope=self.source.scope,
            normalized=project,
            answered_at__isnull=False,
        )
        if not answered.exists():
            raise IndexUnavailable(f"{self.source} was not asked for {project} yet.")
        return self.kept.page(project)


def _to_tell(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the words that an upstream may be told: those of which we know what they name."""
    return tuple(
        text for text in texts[:_TERMS_AT_MOST] if _is_searchable(text) and _names_within(text)
    )


def _names_within(text: str) -> set[NormalizedName]:
    """Return what could be a name in a text: each run, and all of them as one."""
    runs = _NAME_LIKE.findall(text)
    found = set()
    for name in (*runs, "-".join(runs)):
        try:
            found.add(parse_name(name.strip("._-")))
        except NameRefused:
            continue
    return found


def _names_in(terms: SearchTerms) -> set[NormalizedName]:
    """Return the words that could be names, one by one and all together."""
    found = set()
    for texts in (terms.names, terms.summaries):
        for text in (*texts, " ".join(texts)):
            found |= _names_within(text)
    return found
