"""The files of a project by release, the newest first, as an index shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from packages.filenames import VersionRefused, parse_version
from packages.index.base import PageFile, ProjectPage
from packages.versions import newest_version, version_key


@dataclass(frozen=True)
class ReleaseFiles:
    """One version of a project, with the files that it has here."""

    version: str
    files: tuple[PageFile, ...]

    @cached_property
    def is_prerelease(self) -> bool:
        """Say whether installers take it only when asked to."""
        return Version(self.version).is_prerelease

    @cached_property
    def yanked(self) -> bool:
        """Say whether nothing of it is left that is not yanked (PEP 592)."""
        return all(file.yanked_reason is not None for file in self.files)

    @cached_property
    def yanked_reason(self) -> str:
        """Return why, where somebody has said so."""
        return next((file.yanked_reason for file in self.files if file.yanked_reason), "")

    @cached_property
    def uploaded_at(self) -> datetime | None:
        """Return when its first file came."""
        return min((file.uploaded_at for file in self.files if file.uploaded_at), default=None)

    @cached_property
    def size(self) -> int:
        """Return the bytes of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)

    @cached_property
    def attested(self) -> str:
        """Return how far it is attested, as checked here: "attested", "partly attested", or not."""
        found = sum(file.is_attested for file in self.files)
        if not found:
            return ""
        return "attested" if found == len(self.files) else "partly attested"

    @property
    def state(self) -> str:
        """Return the one word for it: what its mark in the picture means."""
        if self.yanked:
            return "yanked"
        return "pre-release" if self.is_prerelease else "final"


def releases_of(page: ProjectPage) -> list[ReleaseFiles]:
    """Return the releases of a project, the newest first; equal versions are one (PEP 440)."""
    held: dict[str, list[PageFile]] = defaultdict(list)
    for file in page.files:
        if is_version(file.version):
            held[canonicalize_version(file.version)].append(file)
    found = [ReleaseFiles(files[0].version, tuple(files)) for files in held.values()]
    found.sort(key=lambda each: version_key(Version(each.version)), reverse=True)
    return found


def is_version(text: str) -> bool:
    """Say whether it is one: upstreams call versions what they like."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def newest_of(releases: Sequence[ReleaseFiles]) -> ReleaseFiles | None:
    """Return the release that installers take; None where there is none."""
    by_version = {each.version: each for each in releases}
    chosen = newest_version({each.version: not each.yanked for each in releases})
    return by_version.get(chosen)


def behind(releases: Sequence[ReleaseFiles], version: str) -> Sequence[ReleaseFiles]:
    """Return those that are older than a version, be it one of them or not; all if it is none."""
    try:
        place = version_key(parse_version(version))
    except VersionRefused:
        return releases
    return [each for each in releases if version_key(Version(each.version)) < place]


def named(releases: Sequence[ReleaseFiles], version: str) -> ReleaseFiles | None:
    """Return the release that `version` names, in whatever equal spelling; None where none is."""
    try:
        wanted = canonicalize_version(parse_version(version))
    except VersionRefused:
        return None
    found = (each for each in releases if canonicalize_version(each.version) == wanted)
    return next(found, None)
