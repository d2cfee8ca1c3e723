"""The members of an archive as a tree: all of a small folder, of a large one its first level.

An archive may have 100,000 members, and a page shows some hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from packages.reading import Member, MemberKind

NODES_AT_MOST = 300
_DEPTH_AT_MOST = 8  # of what is shown at once: folders farther down open by themselves


@dataclass(frozen=True, slots=True)
class Node:
    """A folder, file or link in the tree."""

    path: str  # a folder's ends in "/"
    name: str
    depth: int  # below the folder that is open
    size: int  # of a folder: of all that is in it
    files: int = 0  # of a folder: how many are in it
    target: str = ""  # of a link

    @property
    def is_folder(self) -> bool:
        """Say whether it is a folder."""
        return self.path.endswith("/")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is in one folder of an archive."""

    folder: str  # empty at the top, else it ends in "/"
    nodes: tuple[Node, ...]
    size: int
    files: int
    is_whole: bool  # what lies in the folders below is here too
    after: str  # where the next page begins; empty where there is none

    @property
    def trail(self) -> list[tuple[str, str]]:
        """Return name and path of each folder on the way, the open one last."""
        parts = self.folder.split("/")[:-1]
        return [(part, "/".join(parts[: at + 1]) + "/") for at, part in enumerate(parts)]


def shelf(members: Iterable[Member], folder: str = "", after: str = "") -> Shelf | None:
    """Return what is in a folder, behind the path `after`; None where there is no such folder."""
    below = [member for member in members if member.path.startswith(folder)]
    if not below or (folder and not folder.endswith("/")):
        return None
    size = sum(member.size for member in below)
    is_whole = len(below) <= NODES_AT_MOST
    nodes = sorted(_level(below, folder), key=_order)
    following = ""
    if is_whole:
        nodes = list(_with_depths(below, nodes))
    else:
        if after:
            gone = _order(Node(after, "", 0, 0))
            nodes = [node for node in nodes if _order(node) > gone]
        following = nodes[NODES_AT_MOST - 1].path if len(nodes) > NODES_AT_MOST else ""
        nodes = nodes[:NODES_AT_MOST]
    return Shelf(folder, tuple(nodes), size, len(below), is_whole, following)


def _order(node: Node) -> tuple[bool, str]:
    return not node.is_folder, node.path


def _level(below: Iterable[Member], folder: str, depth: int = 0) -> Iterator[Node]:
    """Yield the files of a folder, and the folders in it with what they hold."""
    sizes: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for member in below:
        name, divider, _ = member.path[len(folder) :].partition("/")
        if divider:
            sizes[name] += member.size
            counts[name] += 1
        else:
            target = member.target if member.kind is MemberKind.LINK else ""
            yield Node(member.path, name, depth, member.size, target=target)
    for name, size in sizes.items():
        yield Node(f"{folder}{name}/", name, depth, size, counts[name])


def _with_depths(below: Sequence[Member], nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield nodes, each folder followed by what is in it."""
    for node in nodes:
        yield node
        if node.is_folder and node.depth < _DEPTH_AT_MOST:
            inner = [member for member in below if member.path.startswith(node.path)]
            deeper = sorted(_level(inner, node.path, node.depth + 1), key=_order)
            yield from _with_depths(inner, deeper)
