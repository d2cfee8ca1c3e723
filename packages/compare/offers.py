"""The releases and files of a project that a reader may compare, and which two are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accounts.principal import Principal
from base.errors import InvalidInput, LarderError
from packages.filenames import (
    NormalizedName,
    VersionRefused,
    parse_filename_of,
    parse_version,
    shown,
)
from packages.index.base import PageFile
from packages.index.opening import open_index
from packages.versions import newest_version
from repos.models import Repository


class NotComparable(InvalidInput):
    """What was asked to be compared is not there, or there is nothing to compare it with."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files to be compared; None: that release has none like the other's."""

    old: PageFile | None
    new: PageFile | None


@dataclass(frozen=True, slots=True)
class Offer:
    """The files of a project by version, the newest version first."""

    name: NormalizedName
    files: Mapping[str, Sequence[PageFile]]

    def pair_of_versions(self, old: str, new: str) -> tuple[str, str]:
        """Return the versions that are meant: the newest and the one before, unless said.

        Raises NotComparable.
        """
        versions = list(self.files)
        newer = self._version(new) if new else self._newest()
        if old:
            return self._version(old), newer
        before = versions[versions.index(newer) + 1 :]
        return (before[0] if before else versions[max(0, versions.index(newer) - 1)]), newer

    def pair_of_files(self, versions: tuple[str, str], old: str, new: str) -> Pair:
        """Return the files that are meant: two of one kind and for the same machines, unless said.

        Raises NotComparable.
        """
        olds, news = (self.files[version] for version in versions)
        right = _named(news, new) if new else None
        left = _named(olds, old) if old else None
        if left is None and right is None:
            right = _usual(news, olds, self.name)
        if right is not None:
            return Pair(left or _alike(right, olds, self.name), right)
        return Pair(left, _alike(left, news, self.name) if left else None)

    def _version(self, said: str) -> str:
        for version in self.files:
            if version == said or _is_same(version, said):
                return version
        raise NotComparable(f"{self.name} has no release {shown(said)} that you may see here.")

    def _newest(self) -> str:
        is_version = {version: any_offered(files) for version, files in self.files.items()}
        readable = {version: free for version, free in is_version.items() if _is_version(version)}
        return newest_version(readable) or next(iter(self.files))


def offer(repository: Repository, name: NormalizedName, *, by: Principal) -> Offer:
    """Return what a repository shows of a project. Raises what an index raises."""
    files: dict[str, list[PageFile]] = {}
    for line in reversed(open_index(repository, by).page(name).files):
        files.setdefault(line.version, []).append(line)
    return Offer(name, {version: each[::-1] for version, each in files.items()})


def any_offered(files: Sequence[PageFile]) -> bool:
    """Say whether a release has a file that is not yanked (PEP 592)."""
    return any(line.yanked_reason is None for line in files)


def _named(files: Sequence[PageFile], filename: str) -> PageFile:
    for line in files:
        if line.filename == filename:
            return line
    raise NotComparable(f"There is no file {shown(filename)} in that release.")


def _usual(news: Sequence[PageFile], olds: Sequence[PageFile], name: NormalizedName) -> PageFile:
    """Return the file that tells most: a wheel that both releases have, else one of the new."""
    wheels_first = sorted(news, key=lambda line: line.kind != "wheel")
    shapes = {_shape(line, name) for line in olds}
    both = (line for line in wheels_first if _shape(line, name) in shapes)
    return next(both, wheels_first[0])


def _alike(line: PageFile, others: Sequence[PageFile], name: NormalizedName) -> PageFile | None:
    same = (each for each in others if _shape(each, name) == _shape(line, name))
    kind = (each for each in others if each.kind == line.kind)
    return next(same, None) or next(kind, None)


def _shape(line: PageFile, name: NormalizedName) -> str:
    """Return kind and tags of a file: its identity without project and version."""
    try:
        return parse_filename_of(line.filename, name).identity.split(" ", 2)[2]
    except LarderError:
        return line.kind


def _is_version(text: str) -> bool:
    try:
        parse_version(text)
    except VersionRefused:
        return False
    return True


def _is_same(one: str, other: str) -> bool:
    return _is_version(one) and _is_version(other) and parse_version(one) == parse_version(other)
