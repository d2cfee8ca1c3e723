"""Opens the index of a repository: the one place where its kind decides."""

from __future__ import annotations

from accounts.principal import Principal
from packages.index.base import Index, IndexNotServed
from packages.index.local import LocalIndex
from packages.index.virtual import VirtualIndex
from repos.models import Kind, Repository
from repos.virtuals import Source


def open_index(repository: Repository, by: Principal, scope: str = "") -> Index:  # noqa: ARG001
    """Return the behaviour of `repository` to `by`, or raise IndexNotServed when it has none yet.

    `scope` is where a remote's upstream keeps the index that is meant; empty: at its root.
    """
    match repository.kind:
        case Kind.LOCAL:
            return LocalIndex(repository)
        case Kind.VIRTUAL:
            return VirtualIndex(repository, by, open_source)
        case _:
            raise IndexNotServed(
                f"{repository} is a {repository.kind} repository; it can be configured, "
                "but this version of Larder does not serve it yet."
            )


def open_source(source: Source) -> Index:
    """Return the behaviour of a local or remote beneath a virtual.

    Who may read it is the virtual's to judge: a private remote is asked for everybody's sake.
    """
    return open_index(source.repository, Principal(), source.scope)
