"""Writes what a publish comes to: the rows of blob, project, release, distribution, properties."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from packaging.utils import canonicalize_version

from accounts.principal import Principal
from base import clock
from base.quick_rows import insert, update
from packages.attestations import Verified
from packages.filenames import DistributionName
from packages.metadata import CoreMetadata, metadata_is_servable
from packages.models import (
    Blob,
    Distribution,
    Project,
    Property,
    Provenance,
    Reading,
    Release,
    StoredMetadata,
)
from packages.places import Place
from packages.properties import Properties, write_properties
from packages.room import Spot
from packages.storage import Spooled
from packages.versions import version_key
from repos.models import Repository


@dataclass(frozen=True, slots=True)
class Accepted:
    """An upload that has passed every check that needs no lock."""

    repository: Repository
    named: DistributionName
    spool: Spooled
    metadata: CoreMetadata | None
    properties: Properties
    requires_python: str
    findings: tuple[str, ...]
    # What attestations that came with it prove (PEP 740); None: none were sent, or expected.
    verified: Verified | None = None


def project_row(place: Place, accepted: Accepted) -> Project:
    """Return the project, spelled as this upload spells it; a name let go of is taken again."""
    now = clock.now()
    name = accepted.metadata.name if accepted.metadata else accepted.named.name
    project = place.project
    if project is None:
        return insert(
            Project(
                repository=place.repository,
                scope=place.scope,
                normalized=accepted.named.normalized,
                name=name,
                created_at=now,
                last_upload_at=now,
            )
        )
    project.name, project.let_go_at, project.last_upload_at = name, None, now
    update(project, "name", "let_go_at", "last_upload_at")
    return project


def release_row(place: Place, project: Project) -> Release:
    """Return the release that the file belongs to; a new one where it is the first of it."""
    version = place.named.version
    return place.release or insert(
        Release(
            project=project,
            canonical=canonicalize_version(version),
            version=str(version),
            version_key=version_key(version),
            created_at=clock.now(),
        )
    )


def distribution_row(
    place: Place, project: Project, accepted: Accepted, blob: Blob, by: Principal
) -> Distribution:
    """Write the file's row: a new one, or the one that it overwrites."""
    release = release_row(place, project)
    row = row_at(place)
    hold_bytes(row, accepted.spool, blob, by)
    row.path = f"{place.named.normalized}/{release.version}/{place.named.filename}"
    name_row(row, release, accepted)
    write_properties(row, accepted.properties, origin=Property.Origin.CLIENT)
    return row


def row_at(spot: Spot) -> Distribution:
    """Return an unsaved row for a new file, or the row that it overwrites.

    What was true of its bytes alone goes: people's own properties too, and a yank, for what was
    judged were other bytes. The sweeper has the bytes.
    """
    if spot.distribution is None:
        return Distribution(repository=spot.repository, filename=spot.filename)
    row = Distribution.objects.select_for_update(of=("self",)).get(pk=spot.distribution.pk)
    Blob.objects.filter(distributions=row).update(named_at=clock.now())
    for model in (StoredMetadata, Property, Reading, Provenance):
        model._default_manager.filter(distribution=row).delete()  # noqa: SLF001 - Django's public way
    row.yanked, row.yanked_reason = False, ""
    row.is_attested = row.has_provenance = False
    return row


def hold_bytes(row: Distribution, spool: Spooled, blob: Blob, by: Principal) -> None:
    """Let an unsaved row have the bytes that `by` has sent; they wait to be extracted."""
    row.blob = blob
    row.size = spool.size
    row.sha256 = spool.sha256
    row.uploaded_at = clock.now()
    row.uploaded_by = "" if by.is_anonymous and by.token is None else by.name
    row.extraction, row.extraction_reason = Distribution.Extraction.PENDING, ""
    row.extraction_attempts = 0


def name_row(row: Distribution, release: Release, accepted: Accepted) -> None:
    """Save a row as the file that its name says, in a release: from now on it is listed."""
    named, metadata = accepted.named, accepted.metadata
    row.release = release
    row.filename = named.filename
    row.identity = named.identity
    row.kind = named.kind
    row.python_tag = named.python_tag
    row.requires_python = accepted.requires_python
    row.findings = list(accepted.findings)
    verified = accepted.verified
    row.is_attested = verified is not None
    row.has_provenance = verified is not None and bool(verified.provenance)
    served = metadata is not None and metadata_is_servable(named.kind, metadata)
    row.metadata_sha256 = hashlib.sha256(metadata.raw).hexdigest() if metadata and served else ""
    if row.pk is None:
        insert(row)
    else:
        row.save()
    if metadata is not None:
        insert(StoredMetadata(distribution=row, raw=metadata.raw))
