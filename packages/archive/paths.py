"""The paths of an archive's members: which are safe, and whether all of them can stand together.

A path that is let in means the same to every reader on every system: relative, below the folder
it is unpacked into, with `/` as its only divider. Letter case is not folded: the public index
lets `readme` and `README` stand side by side, and real sdists do so.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.filenames import shown

# Is given the path, the size and the pieces of a file while they pass by, and takes what it wants.
Each = Callable[[str, int, Iterator[bytes]], None]

# Everything that needs a closer look. C0, DEL and C1 controls, line and paragraph separators.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ODD_SEGMENT = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")
_DRIVE = re.compile(r"[A-Za-z]:")


def member_name(raw: bytes, judgement: Judgement) -> str:
    """Return a member's name as text, refusing what terminals, logs and databases stumble over."""
    if len(raw) > limits.MAX_PATH:
        raise judgement.refusal(
            f"has a member whose name has {len(raw)} bytes; {limits.MAX_PATH} are the most"
        )
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise judgement.refusal(
            f"has a member whose name is not UTF-8: {shown(raw.decode(errors='replace'))}"
        ) from None
    if holds_control(name):
        raise judgement.refusal(f"has a control character in the name of a member: {shown(name)}")
    return name


def safe_path(name: str, judgement: Judgement) -> str:
    """Return the path of a member without the `/` at the end of a folder's."""
    if "\\" in name:
        raise judgement.refusal(f"has a backslash in the name of a member: {shown(name)}")
    if name.startswith("/"):
        raise judgement.refusal(f"has a member with an absolute path: {shown(name)}")
    if _DRIVE.match(name):
        raise judgement.refusal(f"has a member with a drive letter: {shown(name)}")
    path = name.removesuffix("/")
    if _ODD_SEGMENT.search(path):
        if ".." in path.split("/"):
            raise judgement.refusal(f"has a member that leads out of it by '..': {shown(name)}")
        raise judgement.refusal(
            f"has an empty or '.' folder in the name of a member: {shown(name)}"
        )
    return path


def holds_control(text: str) -> bool:
    """Say whether a text holds what terminals obey and some readers take for the end of a line."""
    return bool(_CONTROL.search(text))


def leads_out(path: str) -> bool:
    """Say whether a path that is not a member's own leads out of where it is unpacked."""
    return path.startswith("/") or bool(_DRIVE.match(path)) or ".." in path.split("/")


class Tree:
    """The paths of an archive: its files, its folders as far as they are members, its links.

    `files` has the size of each, in bytes.
    """

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        self.files: dict[str, int] = {}
        self.folders: set[str] = set()
        self.tops: set[str] = set()
        self.top_folders: set[str] = set()
        self.links: dict[str, str] = {}
        self._hard_links: dict[str, str] = {}

    def is_link(self, path: str) -> bool:
        """Say whether a path is a link of either kind."""
        return path in self.links or path in self._hard_links

    def add_file(self, path: str, size: int) -> None:
        """Take a file."""
        self._add(path)
        self.files[path] = size

    def add_folder(self, path: str, *, again: bool = False) -> None:
        """Take a folder; with `again` it may have been there already, as tar writers do it."""
        if again and path in self.folders:
            return
        self._add(path)
        self.folders.add(path)
        if "/" not in path:
            self.top_folders.add(path)

    def add_link(self, path: str, target: str) -> None:
        """Take a symbolic link with the path, from the top of the archive, that it leads to."""
        self._add(path)
        self.links[path] = target

    def add_hard_link(self, path: str, original: str) -> None:
        """Take a further name of a file that is there already."""
        self.add_file(path, self.files[original])
        self._hard_links[path] = original

    def _add(self, path: str) -> None:
        if path in self.files or path in self.folders or path in self.links:
            raise self._judgement.refusal(f"has the member {shown(path)} more than once")
        top, divider, _ = path.partition("/")
        self.tops.add(top)
        if divider:
            self.top_folders.add(top)

    def settle(self) -> None:
        """Refuse an empty archive, members below a file or a link, and links through links."""
        if not self.files and not self.links:
            raise self._judgement.refusal("holds no files")
        ends = self.files.keys() | self.links.keys()
        if below := _first_below(ends, ends | self.folders):
            kind = "link" if below[0] in self.links else "file"
            raise self._judgement.refusal(
                f"has the member {shown(below[1])} below {shown(below[0])}, which is a {kind}"
            )
        if through := _first_below(self.links, self.links.keys() | self.links.values()):
            raise self._judgement.refusal(
                f"has a link to {shown(through[1])}, through the link {shown(through[0])}"
            )
        for kind, links in (("symbolic", self.links), ("hard", self._hard_links)):
            if links:
                path, target = next(iter(links.items()))
                count = f"{len(links)} {kind} link{'s' * (len(links) > 1)}"
                self._judgement.only_compatible(
                    f"has {count} ({shown(path)} leads to {shown(target)})"
                )


def link_target(path: str, target: str, judgement: Judgement) -> str:
    """Return the path that a symbolic link leads to, refusing one that leads out of the archive."""
    outside = target.startswith("/") or _DRIVE.match(target) or "\\" in target
    resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if outside or not target or resolved in (".", "..") or resolved.startswith("../"):
        raise judgement.refusal(
            f"has a link that leads out of the archive: {shown(path)} to {shown(target)}"
        )
    return resolved


def _first_below(tops: set[str] | dict[str, str], paths: set[str]) -> tuple[str, str] | None:
    """Return one of `tops` and one of `paths` that lies below it.

    With a NUL for "/", what lies below a path follows it at once in sorted order.
    """
    ordered = sorted(path.replace("/", "\0") for path in paths)
    for path, following in pairwise(ordered):
        if following.startswith(f"{path}\0") and (top := path.replace("\0", "/")) in tops:
            return top, following.replace("\0", "/")
    return None
