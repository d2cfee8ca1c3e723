"""Which of a project's versions a newcomer would get."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version


def newest_version(offered: Mapping[str, bool]) -> str:
    """Return the newest version, final and not yanked where there is one; empty for none.

    `offered` says of each version whether it has a file that is not yanked (PEP 592).
    """

    def rank(version: str) -> tuple[bool, bool, Version]:
        parsed = Version(version)
        return offered[version], not parsed.is_prerelease, parsed

    return max(offered, key=rank, default="")
