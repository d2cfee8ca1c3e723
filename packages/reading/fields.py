"""The fields of a metadata file as the facts have them, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from packages.metadata import (
    CoreMetadata,
    MetadataRefused,
    any_metadata,
    core_metadata,
    objections,
    read_header,
)
from packages.metadata.header import Header
from packages.reading.archives import Archive
from packages.reading.limits import MAX_LICENCE_TEXT
from packages.reading.texts import listed, plain

# One line each, as they stand.
_LINES = (
    *("metadata_version", "name", "version", "summary", "description_content_type"),
    *("author", "author_email", "maintainer", "maintainer_email", "license_expression"),
    *("home_page", "download_url", "requires_python"),
)
_LISTS = ("classifiers", "platforms", "provides_extra", "dynamic", "license_files")


def understood(raw: bytes, archive: Archive) -> tuple[CoreMetadata, Header] | None:
    """Return what a metadata file says, noting what is wrong; None if there is no reading it."""
    try:
        header = read_header(raw)
    except MetadataRefused as refused:
        archive.problems.append(refused.sentence)
        return None
    for objection in objections(header):
        archive.problem(objection.says)
    try:
        return core_metadata(raw, header), header
    except MetadataRefused as refused:
        archive.problems.append(refused.sentence)
        return any_metadata(raw, header), header


def metadata_facts(path: str, metadata: CoreMetadata, header: Header) -> dict[str, Any]:
    """Return the fields that are known, and the names of those that are not."""
    # Of old they were divided by spaces.
    words = metadata.keywords.split("," if "," in metadata.keywords else None)
    return {
        "path": plain(path),
        **{name: plain(getattr(metadata, name)) for name in _LINES},
        "license": plain(metadata.license, MAX_LICENCE_TEXT),
        "keywords": listed(word.strip() for word in words if word.strip()),
        **{name: listed(getattr(metadata, name)) for name in _LISTS},
        "project_urls": listed(
            {"label": plain(label), "url": plain(url)} for label, url in metadata.project_urls
        ),
        "unknown_fields": listed(sorted(header.aside)),
    }
