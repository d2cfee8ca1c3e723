"""Opens the index of a repository: the one place where its kind decides."""

from __future__ import annotations

from accounts.principal import Principal
from packages.index.base import Index
from packages.index.local import LocalIndex
from packages.index.remote import RemoteIndex
from packages.index.virtual import VirtualIndex
from packages.upstream.refresh import kept_page
from repos.access import RepositoryMissing
from repos.models import Kind, Repository
from repos.virtuals import Source


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


def open_source(source: Source) -> Index:
    """Return the behaviour of a local or remote beneath a virtual.

    Who may read it is the virtual's to judge: a private remote is asked for everybody's sake.
    """
    return open_index(source.repository, Principal(), source.scope)


def open_kept(source: Source) -> Index:
    """Return a source as `open_source` does, but ask no upstream: what is kept of it answers."""
    if source.is_local:
        return open_source(source)
    return RemoteIndex(source.repository, source.scope, ask=kept_page)
