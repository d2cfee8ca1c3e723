"""Keeps a file that upstream sent whole: its bytes in storage, then its rows in one transaction."""

from __future__ import annotations

from dataclasses import replace

import structlog

from accounts.principal import Principal
from base import clock
from base.errors import LarderError
from packages.archive import inspect
from packages.blobs import RACES_AT_MOST, RaceLost, blob_row, write_with_bytes, writing_rows
from packages.changes import contents_changed, locked_project
from packages.filenames import DistributionName, NormalizedName, parse_filename_of, parse_version
from packages.metadata import CoreMetadata
from packages.models import Distribution, Fetch, Project, UpstreamPage
from packages.places import Place, place_of
from packages.room import take_room
from packages.rows import Accepted, distribution_row, project_row
from packages.storage import Spooled
from packages.upstream import documents
from packages.upstream.changes import identity_of, judge_new
from packages.upstream.links import Document, Line
from packages.upstream.source import Source
from repos.rules import Rules

log = structlog.get_logger(__name__)

_REQUIRES_PYTHON_AT_MOST = 500


def keep(source: Source, project: NormalizedName, line: Line, spool: Spooled, fetch: Fetch) -> bool:
    """Keep the file that `fetch` brought, as long as its fence is ours; say whether it is kept.

    It is not when the tenant's quota is full or storage fails: then it was served, and no more.
    """
    accepted = _read(source, parse_filename_of(line.filename, project), line, spool)
    try:
        return any(_kept(accepted, source, fetch) for _ in range(RACES_AT_MOST))
    except LarderError as refused:
        log.warning("a file was not kept", filename=line.filename, reason=refused.sentence)
        return False


def is_kept(source: Source, project: NormalizedName, line: Line) -> bool:
    """Say whether the file of this line is here."""
    rows = Distribution.objects.filter(
        repository=source.repository,
        identity=identity_of(parse_filename_of(line.filename, project), source.scope),
        deleted_at__isnull=True,
    )
    return (rows.filter(sha256=line.sha256) if line.sha256 else rows).exists()


def _read(source: Source, named: DistributionName, line: Line, spool: Spooled) -> Accepted:
    """Read the archive as far as that goes: what upstream serves is served, odd or not."""
    metadata: CoreMetadata | None = None
    findings: tuple[str, ...] = ()
    try:
        inspected = inspect(
            spool.path, named, rules=Rules.COMPATIBLE, file_limit=source.repository.max_file_bytes
        )
        metadata, findings = inspected.metadata, inspected.findings
        if metadata is not None and parse_version(metadata.version) != named.version:
            findings, metadata = (*findings, "Its metadata names another version."), None
    except LarderError as refused:
        findings = (refused.sentence,)
    requires_python = metadata.requires_python if metadata is not None else line.requires_python
    return Accepted(
        repository=source.repository,
        named=replace(named, identity=identity_of(named, source.scope)),
        spool=spool,
        metadata=metadata,
        properties={},
        requires_python=requires_python[:_REQUIRES_PYTHON_AT_MOST],
        findings=findings,
    )


def _kept(accepted: Accepted, source: Source, fetch: Fetch) -> bool:
    def write(key: str | None) -> None:
        with writing_rows():
            _write(accepted, source, key, fetch)

    try:
        write_with_bytes(accepted.repository.tenant_id, accepted.spool, write)
    except RaceLost:
        return False
    return True


def _write(accepted: Accepted, source: Source, key: str | None, fetch: Fetch) -> None:
    repository, scope = accepted.repository, source.scope
    # Locked first: what upstream says now decides, not what it said when this was asked for.
    page = (
        UpstreamPage.objects.select_for_update()
        .filter(repository=repository, scope=scope, normalized=accepted.named.normalized)
        .first()
    )
    blob = blob_row(repository.tenant_id, accepted.spool, key)
    project = Project.objects.filter(
        repository=repository, scope=scope, normalized=accepted.named.normalized
    ).first()
    if project is not None:
        locked_project(project.pk)
    place: Place = place_of(repository, accepted.named, scope)
    if place.distribution is None:
        project = project_row(place, accepted)
        row = distribution_row(place, project, accepted, blob, Principal())
        Distribution.objects.filter(pk=row.pk).update(used_at=clock.now())
        if page is not None and page.asked_as == source.asked_as(page.normalized):
            judge_new(source, accepted.named.normalized, row, _said(page))
        take_room(place, row.size)
        contents_changed(project, repository_waits_for=repository.quiet_period)
    if not Fetch.objects.filter(pk=fetch.pk, fence=fetch.fence).delete()[0]:
        raise RaceLost  # another process took the fetch over


def _said(page: UpstreamPage) -> Document | None:
    if not page.is_served or page.document is None:
        return None
    return documents.unpacked(bytes(page.document))
