"""Writes what a publish comes to: the rows of blob, project, release, distribution, properties."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import canonicalize_version

from accounts.principal import Principal
from base import clock
from packages.filenames import DistributionName
from packages.metadata import CoreMetadata, metadata_is_servable
from packages.models import (
    Blob,
    Distribution,
    LooseObject,
    Project,
    Property,
    Release,
    StoredMetadata,
)
from packages.places import Place
from packages.properties import write_properties
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
    properties: Mapping[str, str]
    requires_python: str
    findings: tuple[str, ...]


class RaceLost(Exception):
    """Another process got between our look and our write: look again."""


def blob_row(accepted: Accepted, key: str | None) -> Blob:
    """Return the tenant's row for these bytes; `key` is where they were put, if they were.

    Raises RaceLost when they are no longer where they were.
    """
    spool, tenant_id = accepted.spool, accepted.repository.tenant_id
    now = clock.now()
    # The update locks the row against the sweeper; no row means that it was faster.
    held = Blob.objects.filter(tenant_id=tenant_id, sha256=spool.sha256)
    if held.update(named_at=now):
        return held.get()
    if key is None or not LooseObject.objects.filter(storage_key=key).delete()[0]:
        raise RaceLost
    return Blob.objects.create(
        tenant_id=tenant_id,
        sha256=spool.sha256,
        sha1=spool.sha1,
        md5=spool.md5,
        blake2b_256=spool.blake2b_256,
        size=spool.size,
        storage_key=key,
        named_at=now,
    )


def project_row(place: Place, accepted: Accepted) -> Project:
    """Return the project, spelled as this upload spells it; a name let go of is taken again."""
    name = accepted.metadata.name if accepted.metadata else accepted.named.name
    project = place.project
    if project is None:
        return Project.objects.create(
            repository=place.repository,
            scope=place.scope,
            normalized=accepted.named.normalized,
            name=name,
            created_at=clock.now(),
        )
    project.name, project.let_go_at = name, None
    project.save(update_fields=["name", "let_go_at"])
    return project


def distribution_row(
    place: Place, project: Project, accepted: Accepted, blob: Blob, by: Principal
) -> Distribution:
    """Write the file's row: a new one, or the one that it overwrites."""
    named, metadata, now = accepted.named, accepted.metadata, clock.now()
    release = place.release or Release.objects.create(
        project=project,
        canonical=canonicalize_version(named.version),
        version=str(named.version),
        version_key=version_key(named.version),
        created_at=now,
    )
    served = metadata is not None and metadata_is_servable(named.kind, metadata)
    distribution = _replaced(place, now) or Distribution(
        repository=place.repository, release=release, identity=named.identity, kind=named.kind
    )
    distribution.blob = blob
    distribution.path = f"{named.normalized}/{release.version}/{named.filename}"
    distribution.filename = named.filename
    distribution.python_tag = named.python_tag
    distribution.size = accepted.spool.size
    distribution.sha256 = accepted.spool.sha256
    distribution.requires_python = accepted.requires_python
    distribution.findings = list(accepted.findings)
    distribution.metadata_sha256 = (
        hashlib.sha256(metadata.raw).hexdigest() if metadata and served else ""
    )
    distribution.extraction = Distribution.Extraction.PENDING
    distribution.uploaded_at = now
    distribution.uploaded_by = by.user.username if by.user else ""
    distribution.save()
    if metadata is not None:
        StoredMetadata.objects.create(distribution=distribution, raw=metadata.raw)
    write_properties(
        distribution,
        {name: [value] for name, value in accepted.properties.items()},
        origin=Property.Origin.CLIENT,
    )
    return distribution


def _replaced(place: Place, now: datetime) -> Distribution | None:
    """Return the row that is overwritten, if any, without what was true of its bytes alone.

    People's own properties go too, and a yank: what was judged were other bytes. The sweeper has
    the bytes.
    """
    if place.distribution is None:
        return None
    row = Distribution.objects.select_for_update(of=("self",)).get(pk=place.distribution.pk)
    Blob.objects.filter(distributions=row).update(named_at=now)
    StoredMetadata.objects.filter(distribution=row).delete()
    Property.objects.filter(distribution=row).delete()
    row.yanked, row.yanked_reason = False, ""
    return row
