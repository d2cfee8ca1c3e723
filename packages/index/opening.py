"""Opens the index of a repository: the one place where its kind decides."""

from __future__ import annotations

from accounts.principal import Principal
from packages.index.base import Index, SourceIndex
from packages.index.local import LocalIndex
from packages.index.remote import AskForPage, RemoteIndex
from packages.index.virtual import VirtualIndex, entered
from packages.upstream.refresh import kept_page, known_page, page_at_once
from repos.access import RepositoryMissing
from repos.models import Kind, Repository
from repos.virtuals import Source, itself


def open_index(repository: Repository, by: Principal, scope: str = "") -> Index:
    """Return the behaviour of `repository` to `by`.

    `scope` is where a remote's upstream keeps the index that is meant; empty: at its root. Raises
    RepositoryMissing for a scope that the repository does not have, and IndexNotServed for a remote
    without an upstream.
    """
    if scope and repository.kind != Kind.REMOTE:
        raise RepositoryMissing(f"There is no repository {repository}/{scope}.")
    match Kind(repository.kind):
        case Kind.LOCAL:
            return LocalIndex(repository)
        case Kind.REMOTE:
            return RemoteIndex(repository, scope)
        case Kind.VIRTUAL:
            return VirtualIndex(repository, by, open_source)


def open_source(source: Source) -> SourceIndex:
    """Return the behaviour of a local or remote beneath a virtual.

    Who may read it is the virtual's to judge: a private remote is asked for everybody's sake.
    """
    return _open_asking(source, known_page)


def open_kept(source: Source) -> SourceIndex:
    """Return a source as `open_source` does, but ask no upstream: what is kept of it answers."""
    return _open_asking(source, kept_page)


def open_for_people(repository: Repository, by: Principal, ask: AskForPage = page_at_once) -> Index:
    """Return the behaviour of `repository` for a page that people look at.

    They see what it shows to clients, and wait for no upstream of which something is kept. With
    `kept_page` no upstream is asked at all.
    """
    match Kind(repository.kind):
        case Kind.VIRTUAL:
            return VirtualIndex(repository, by, lambda each: _open_asking(each, ask), holds=False)
        case Kind.REMOTE:
            return RemoteIndex(repository, ask=ask)
        case Kind.LOCAL:
            return open_index(repository, by)


def sources_of(repository: Repository, by: Principal) -> list[Source]:
    """Return the locals and remotes that `repository` shows to `by`; a virtual's in its order."""
    if repository.kind != Kind.VIRTUAL:
        return [itself(repository)]
    where, readable = entered(repository, by)
    seen = (place for place in where.tree.places if place.repositories <= readable)
    return list({place.source.id: place.source for place in seen}.values())


def _open_asking(source: Source, ask: AskForPage) -> SourceIndex:
    """Open a source beneath a virtual; `ask` knows the pages of a remote."""
    if source.is_local:
        return LocalIndex(source.repository)
    return RemoteIndex(source.repository, source.scope, ask=ask)
