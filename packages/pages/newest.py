"""The release of a project that an installer would take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from packages.models import Distribution, Project, Release
from packages.versions import newest_version


def newest_releases(projects: Iterable[Project]) -> dict[int, Release]:
    """Return the release that an installer would take, by project id."""
    releases: dict[int, dict[str, Release]] = defaultdict(dict)
    offered: dict[int, dict[str, bool]] = defaultdict(lambda: defaultdict(bool))
    files = Distribution.objects.filter(
        release__project__in=projects, deleted_at__isnull=True
    ).select_related("release")
    for file in files:
        release = file.release
        if release is not None:
            releases[release.project_id][release.version] = release
            offered[release.project_id][release.version] |= not (file.yanked or release.yanked)
    return {project: held[newest_version(offered[project])] for project, held in releases.items()}
