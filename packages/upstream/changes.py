"""Notices what upstream did to files that we hold: yanked, removed, quarantined, other bytes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from packaging.utils import canonicalize_version

from base import audit, clock
from base.audit import SYSTEM
from base.quick_rows import find
from packages.changes import locked_project
from packages.filenames import DistributionName, NormalizedName, parse_filename_of
from packages.models import Distribution, Project
from packages.upstream.links import Document, Line
from packages.upstream.source import Source

Change = Distribution.UpstreamChange


@dataclass(frozen=True, slots=True)
class Matched:
    """Which line is of which file that we hold, whichever way both spell its name."""

    lines: dict[int, Line]  # by the row's id; a row that is missing is not listed
    rows: dict[str, Distribution]  # by the line's file name; a line that is missing is not held


def matched(
    source: Source,
    project: NormalizedName,
    lines: Collection[Line],
    held: Collection[Distribution],
) -> Matched:
    """Find the line of each held file: the one of its name, else of another spelling of it.

    A document has one line for each file, however its index spells it.
    """
    by_name = {line.filename: line for line in lines}
    found = {row.pk: by_name[row.filename] for row in held if row.filename in by_name}
    rows = {row.filename: row for row in held if row.pk in found}
    missing = {row.identity: row for row in held if row.pk not in found}
    # Reading a name costs much more than this: of a long page few are read.
    versions = {row.release.canonical for row in missing.values() if row.release is not None}
    for line in lines if missing else ():
        if line.filename not in rows and canonicalize_version(line.version) in versions:
            named = parse_filename_of(line.filename, project)
            if row := missing.get(identity_of(named, source.scope)):
                found[row.pk], rows[line.filename] = line, row
    return Matched(found, rows)


def identity_of(named: DistributionName, scope: str) -> str:
    """Return what tells a remote's file from all others of the repository: scopes are apart."""
    return f"{scope} {named.identity}" if scope else named.identity


def notice_changes(
    source: Source, project: NormalizedName, before: Document | None, now: Document | None
) -> Project | None:
    """Mark the files held of `project` as the new document has them; within its transaction.

    Returns the project, locked, if any file of it is held. A quarantine stays until an
    administrator lifts it, whatever upstream says later.
    """
    row = find(Project, **source.place_of(project))
    if row is None:
        return None
    row = locked_project(row.pk)
    is_news = _is_quarantined(now) and not _is_quarantined(before)
    files = Distribution.objects.filter(release__project=row, deleted_at__isnull=True)
    rows = list(files.select_related("blob", "release"))
    lines = matched(source, project, now.lines if now is not None else (), rows).lines
    for held in rows:
        change = _change(held, lines.get(held.pk), is_quarantined=_is_quarantined(now))
        if is_news:
            change = Change.QUARANTINED
        elif held.upstream_change == Change.QUARANTINED:
            continue
        if change != held.upstream_change:
            _mark(source, held, change)
    return row


def judge_new(
    source: Source, project: NormalizedName, held: Distribution, now: Document | None
) -> None:
    """Mark a file that came while upstream took its line back; within its transaction.

    A yank is no change here: it was listed with it.
    """
    lines = matched(source, project, now.lines if now is not None else (), [held]).lines
    change = _change(held, lines.get(held.pk), is_quarantined=_is_quarantined(now))
    if _is_quarantined(now):
        change = Change.QUARANTINED
    if change not in {"", Change.YANKED}:
        _mark(source, held, change)


def is_same_file(line: Line, held: Distribution) -> bool:
    """Say whether a line is of the file that we hold, as far as both have the same digests."""
    ours = {"sha256": held.sha256}
    if held.blob is not None:
        ours |= {"md5": held.blob.md5, "sha1": held.blob.sha1}
    # What lists call blake2b has 512 bits, and ours 256: these cannot be compared.
    return all(line.hashes.get(name, digest) == digest for name, digest in ours.items() if digest)


def _change(held: Distribution, line: Line | None, *, is_quarantined: bool) -> str:
    if line is None:
        # A quarantined page lists nothing: that is no removal.
        return held.upstream_change if is_quarantined else Change.REMOVED
    if not is_same_file(line, held):
        return Change.OTHER_BYTES
    return Change.YANKED if line.yanked_reason is not None else ""


def _is_quarantined(document: Document | None) -> bool:
    return document is not None and document.status == Project.Status.QUARANTINED


def _mark(source: Source, held: Distribution, change: str) -> None:
    before = held.upstream_change
    held.upstream_change = change
    held.upstream_changed_at = clock.now()
    held.save(update_fields=["upstream_change", "upstream_changed_at"])
    audit.record(
        by=SYSTEM,
        action="upstream.file",
        tenant=source.repository.tenant.slug,
        repository=str(source.repository),
        subject=f"{source.repository}/{held.filename}",
        before={"upstream_change": before},
        after={"upstream_change": change},
    )
