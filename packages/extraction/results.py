"""Writes what extraction came to: everything of one file in one transaction, or nothing of it.

A result is of the bytes that were read. Where the row has other bytes by now, was deleted, or is
settled already, there is nothing to write; where the turn is another worker's, TurnLost ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from base import clock
from packages.changes import contents_changed, locked_project
from packages.documents import note_project
from packages.extraction.differences import differences
from packages.extraction.turns import Turn
from packages.filenames import parse_name, parse_version
from packages.metadata import CoreMetadata
from packages.models import Distribution, Project, Property, Reading, Release, StoredMetadata
from packages.properties import Properties, replace_by_archive, said_by, write_properties
from packages.pypi_properties import (
    identity_properties,
    properties_of,
)
from packages.reading import ArchiveFacts, packed_members
from packages.upload_form import MAX_REQUIRES_PYTHON

_REASON_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Read:
    """What was read in an archive, and what its metadata says if it carries any."""

    facts: ArchiveFacts
    metadata: CoreMetadata | None


def write_read(turn: Turn, file: Distribution, release: Release, read: Read) -> None:
    """Write what was read of a file that has its name. Its page changes only if it has to."""
    is_first = not StoredMetadata.objects.filter(distribution=file).exists()
    said = requires_python_in(read.metadata) if is_first else ""
    requires_python = said if said != file.requires_python else ""
    # A README beside metadata without one is read by extraction alone.
    is_news = is_first or bool(read.facts.readme_html and not _describes(read.metadata))
    with transaction.atomic():
        project = locked_project(release.project_id) if is_news else release.project
        row = still_waiting(file)
        if row is None:
            return
        write_details(row, project, release, read)
        row.requires_python = requires_python or row.requires_python
        row.extraction, row.extraction_reason = Distribution.Extraction.EXTRACTED, ""
        row.save(update_fields=["requires_python", "extraction", "extraction_reason"])
        if requires_python:
            contents_changed(project)
        elif is_news:  # the page stays, but there is more to find it by
            note_project(project)
        turn.keep()


def write_state(
    turn: Turn, file: Distribution, state: Distribution.Extraction, reason: str
) -> None:
    """Write that a file could not be read or named, with a sentence for people."""
    with transaction.atomic():
        row = still_waiting(file)
        if row is not None:
            row.extraction, row.extraction_reason = state, reason[:_REASON_AT_MOST]
            row.save(update_fields=["extraction", "extraction_reason"])
            turn.keep()


def still_waiting(file: Distribution) -> Distribution | None:
    """Return the row, locked, if it still waits with the bytes that were read."""
    return (
        Distribution.objects.select_for_update(of=("self",))
        .filter(
            pk=file.pk,
            sha256=file.sha256,
            extraction=Distribution.Extraction.PENDING,
            deleted_at__isnull=True,
        )
        .first()
    )


def write_details(row: Distribution, project: Project, release: Release, read: Read) -> None:
    """Write properties, what was read beyond them, and the metadata where none was kept before."""
    said = said_by(row, Property.Origin.CLIENT)
    found = _properties(project, release, read.metadata)
    told = _told_apart(said, found, project, release, read.metadata)
    before = Reading.objects.filter(distribution=row, sha256=row.sha256).first()
    Reading.objects.update_or_create(
        distribution=row,
        defaults={
            "sha256": row.sha256,
            "readme_html": read.facts.readme_html,
            "facts": read.facts.facts,
            "contents": packed_members(read.facts.members),
            # Once the archive's properties have replaced the client's there is nothing to compare.
            "differences": before.differences if before is not None and not said else told,
            "read_at": clock.now(),
        },
    )
    if read.metadata is not None:
        replace_by_archive(row, found)
        StoredMetadata.objects.get_or_create(distribution=row, defaults={"raw": read.metadata.raw})
    else:
        missing = {name: values for name, values in found.items() if name not in said}
        write_properties(row, missing, origin=Property.Origin.ARCHIVE)


def _properties(project: Project, release: Release, metadata: CoreMetadata | None) -> Properties:
    """Return the archive's properties; name and version are those under which it is listed."""
    listed = identity_properties(project.name, project.normalized, release.version)
    if metadata is None:
        return listed
    found = properties_of(metadata, project.normalized)
    return found if _is_of(release, project, metadata) else found | listed


def _told_apart(
    said: Properties,
    found: Properties,
    project: Project,
    release: Release,
    metadata: CoreMetadata | None,
) -> list[str]:
    if metadata is None:
        return []
    told = differences(said, found)
    if not _is_of(release, project, metadata):
        told.insert(
            0,
            f"The archive says inside that it is {metadata.name} {metadata.version}; it is listed "
            f"as {project.name} {release.version}.",
        )
    return told


def _is_of(release: Release, project: Project, metadata: CoreMetadata) -> bool:
    is_its_name = parse_name(metadata.name) == project.normalized
    return is_its_name and parse_version(metadata.version) == parse_version(release.version)


def requires_python_in(metadata: CoreMetadata | None) -> str:
    """Return the Requires-Python that an archive says, if it is one that a page may have."""
    said = metadata.requires_python if metadata is not None else ""
    return said if len(said) <= MAX_REQUIRES_PYTHON else ""


def _describes(metadata: CoreMetadata | None) -> bool:
    return metadata is not None and bool(metadata.description.strip())
