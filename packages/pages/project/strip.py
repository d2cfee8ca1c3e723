"""What a reader has to know before anything else of a release: one word, why, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from packages.models import Project, UpstreamPage
from packages.pages.project.releases import ReleaseFiles
from packages.pages.project.subject import Subject

_STATUSES = {
    Project.Status.QUARANTINED: "Its files are not given out, and it takes no uploads.",
    Project.Status.ARCHIVED: "It takes no more uploads; its files stay.",
    Project.Status.DEPRECATED: "It is obsolete; its files stay.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the strip."""

    # The word for the state, which is the same everywhere.
    word: str
    tone: str  # fresh, ripe, spoiled, frost
    sentence: str
    reason: str = ""
    since: datetime | None = None
    # A better release, where there is one.
    way_out: ReleaseFiles | None = None


def strip_of(subject: Subject) -> list[Notice]:
    """Return the notices, what weighs most first."""
    return [*_of_index(subject), *_of_project(subject), *_of_release(subject)]


def _of_index(subject: Subject) -> Iterator[Notice]:
    if subject.unavailable is not None:
        sentence = "What follows is what Larder holds; there may be more."
        yield Notice("offline", "frost", sentence, reason=subject.unavailable.sentence)
    elif subject.page.stale_since is not None:
        yield Notice(
            "stale",
            "frost",
            "This is what the index behind it said then; it cannot be asked now.",
            reason=_failure(subject),
            since=subject.page.stale_since,
        )


def _failure(subject: Subject) -> str:
    """Return what an upstream said last that has failed; nothing of one that is set offline."""
    repositories = {pk for pk, _ in subject.holders.values()} or {subject.repository.pk}
    failed = UpstreamPage.objects.filter(
        repository__in=repositories, normalized=subject.name, failed_at__isnull=False
    )
    return failed.order_by("-failed_at").values_list("failure", flat=True).first() or ""


def _of_project(subject: Subject) -> Iterator[Notice]:
    page = subject.page
    if page.status != Project.Status.ACTIVE:
        status = Project.Status(page.status)
        tone = "spoiled" if status is Project.Status.QUARANTINED else "ripe"
        yield Notice(status.value, tone, _STATUSES[status], reason=page.status_reason)


def _of_release(subject: Subject) -> Iterator[Notice]:
    release = subject.release
    if release is None:
        return
    newest = subject.newest
    is_better = newest is not None and newest is not release and not newest.yanked
    way_out = newest if is_better else None
    if release.yanked:
        yield Notice(
            "yanked",
            "ripe",
            f"Installers take {release.version} only when asked for exactly this version.",
            reason=release.yanked_reason,
            way_out=way_out,
        )
    if release.is_prerelease:
        sentence = (
            "Installers take it only when asked for pre-releases, or for exactly this version."
            if way_out is not None and not way_out.is_prerelease
            else "There is no final release that installers could take instead."
        )
        yield Notice("pre-release", "frost", sentence, way_out=way_out)
