"""Which files of an archive are new, gone or changed in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packages.compare.sides import Side
from packages.reading import Member

CHANGES_AT_MOST = 300  # on one page


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path of either side that is not the same in both."""

    path: str
    old: Member | None
    new: Member | None

    @property
    def state(self) -> str:
        """Return what became of it, in a word."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


@dataclass(frozen=True, slots=True)
class TreeChanges:
    """All changes of files, and how many there are of each sort."""

    changes: tuple[FileChange, ...]  # by path
    same: int
    # Of the same size, and no digest says whether they are the same.
    unsure: int

    @property
    def counts(self) -> dict[str, int]:
        """Return how many files were added, removed and changed."""
        states = [change.state for change in self.changes]
        return {state: states.count(state) for state in ("added", "removed", "changed")}

    def page(self, after: str) -> tuple[tuple[FileChange, ...], str]:
        """Return the changes behind a path, as many as a page takes, and where the next begins."""
        rest = [change for change in self.changes if change.path > after]
        following = rest[CHANGES_AT_MOST - 1].path if len(rest) > CHANGES_AT_MOST else ""
        return tuple(rest[:CHANGES_AT_MOST]), following


def tree_changes(old: Side, new: Side) -> TreeChanges:
    """Return what became of every file from `old` to `new`."""
    changes = tuple(_changes(old, new))
    both = old.members.keys() & new.members.keys()
    changed = {change.path for change in changes}
    same = both - changed
    known = old.digests.keys() & new.digests.keys()
    return TreeChanges(changes, len(same), len(same - known))


def _changes(old: Side, new: Side) -> Iterator[FileChange]:
    for path in sorted(old.members.keys() | new.members.keys()):
        before, after = old.members.get(path), new.members.get(path)
        if before is None or after is None or _differ(path, old, new):
            yield FileChange(path, before, after)


def _differ(path: str, old: Side, new: Side) -> bool:
    before, after = old.members[path], new.members[path]
    if (before.size, before.kind, before.target) != (after.size, after.kind, after.target):
        return True
    first, second = old.digests.get(path), new.digests.get(path)
    return first is not None and second is not None and first != second
