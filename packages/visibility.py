"""Tells whoever publishes where their file is not to be seen: visible means visible."""

from __future__ import annotations

from dataclasses import replace

from accounts.principal import Principal
from packages.filenames import NormalizedName
from packages.index.base import ProjectNotFound, ProjectPage
from packages.index.decision import Pages, decide
from packages.index.opening import open_source
from packages.index.reasons import reason
from packages.models import Distribution
from repos.access import readable_by
from repos.nesting import virtuals_above
from repos.virtuals import Source, readable_beneath, tree_of

# An upload waits for the answer; who has more virtuals over one local asks `explain`.
_VIRTUALS_AT_MOST = 20


def hidden_above(distribution: Distribution, *, by: Principal) -> list[str]:
    """Return a sentence for each virtual that `by` may read and that hides the file.

    No upstream is asked: what a remote has does not hide what was published here.
    """
    release = distribution.release
    if release is None:
        return []
    name = NormalizedName(release.project.normalized)
    above = virtuals_above(distribution.repository)
    if not above:
        return []
    owner = replace(by, token=None)
    virtuals = readable_by(owner).filter(pk__in=above).select_related("tenant")
    told = []
    for virtual in virtuals[:_VIRTUALS_AT_MOST]:
        tree = tree_of(virtual)
        for line in decide(tree, name, tree.beneath, _open_local).lines:
            is_it = line.source.repository.pk == distribution.repository_id
            if is_it and line.file.filename == distribution.filename and line.hidden is not None:
                readable = readable_beneath(by, tree) | {virtual.pk}
                why = reason(line.hidden, readable)
                told.append(f"{virtual} does not show {distribution.filename}: {why}.")
    return told


class _Unasked:
    """A remote as if it had nothing."""

    def page(self, project: NormalizedName) -> ProjectPage:
        raise ProjectNotFound(f"Nobody has been asked for {project}.")


def _open_local(source: Source) -> Pages:
    return open_source(source) if source.is_local else _Unasked()
