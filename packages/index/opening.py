"""Opens the index of a repository: the one place where its kind decides."""

from __future__ import annotations

from accounts.principal import Principal
from packages.index.base import Index, IndexNotServed
from packages.index.local import LocalIndex
from packages.index.remote import RemoteIndex
from repos.access import RepositoryMissing
from repos.models import Kind, Repository


def open_index(repository: Repository, by: Principal, scope: str = "") -> Index:  # noqa: ARG001
    """Return the behaviour of `repository` to `by`, or raise IndexNotServed when it has none yet.

    `scope` is where a remote's upstream keeps the index that is meant; empty: at its root. Raises
    RepositoryMissing for a scope that the repository does not have.
    """
    if scope and repository.kind != Kind.REMOTE:
        raise RepositoryMissing(f"There is no repository {repository}/{scope}.")
    match repository.kind:
        case Kind.REMOTE:
            return RemoteIndex(repository, scope)
        case Kind.LOCAL:
            return LocalIndex(repository)
        case _:
            raise IndexNotServed(
                f"{repository} is a {repository.kind} repository; it can be configured, "
                "but this version of Larder does not serve it yet."
            )
