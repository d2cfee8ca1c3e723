"""The fields of a core metadata file as people read them: all of them, those nobody knows too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packages.metadata import MetadataRefused, read_header
from packages.metadata.header import Header, read_fields

VALUES_AT_MOST = 200  # of one field; the rest stands in the raw text
VALUE_AT_MOST = 2_000  # characters

# In the order of the core metadata specification, as it spells them; by `packaging`'s names.
_FIELDS = {
    "metadata_version": "Metadata-Version",
    "name": "Name",
    "version": "Version",
    "dynamic": "Dynamic",
    "platforms": "Platform",
    "supported_platforms": "Supported-Platform",
    "summary": "Summary",
    "description": "Description",
    "description_content_type": "Description-Content-Type",
    "keywords": "Keywords",
    "author": "Author",
    "author_email": "Author-email",
    "maintainer": "Maintainer",
    "maintainer_email": "Maintainer-email",
    "license": "License",
    "license_expression": "License-Expression",
    "license_files": "License-File",
    "classifiers": "Classifier",
    "requires_dist": "Requires-Dist",
    "requires_python": "Requires-Python",
    "requires_external": "Requires-External",
    "project_urls": "Project-URL",
    "provides_extra": "Provides-Extra",
    "import_names": "Import-Name",
    "import_namespaces": "Import-Namespace",
    "home_page": "Home-page",
    "download_url": "Download-URL",
    "requires": "Requires",
    "provides": "Provides",
    "provides_dist": "Provides-Dist",
    "obsoletes": "Obsoletes",
    "obsoletes_dist": "Obsoletes-Dist",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field with its values, cut to what a page takes."""

    key: str  # as `packaging` names it
    name: str  # as the specification spells it, or as the file does
    values: tuple[str, ...]
    left_off: int
    is_known: bool

    @property
    def links(self) -> list[tuple[str, str]]:
        """Return label and address of each value that is one."""
        match self.key:
            case "project_urls":
                pairs = (value.partition(",") for value in self.values)
                return [(label.strip(), target.strip()) for label, _, target in pairs]
            case "home_page" | "download_url":
                return [(value, value) for value in self.values]
        return []


def fields_in(raw: bytes) -> list[Field]:
    """Return the fields of a metadata file in the specification's order, then those it lacks.

    The description is told by its length. Raises MetadataRefused for what cannot be read.
    """
    header = read_header(raw)
    return list(_fields(header))


def readable_fields(raw: bytes | None) -> list[Field]:
    """Return the fields of a metadata file; none where there is none, or it cannot be read."""
    try:
        return fields_in(raw) if raw is not None else []
    except MetadataRefused:
        return []


def _fields(header: Header) -> Iterator[Field]:
    said = read_fields(header)
    if body := header.body.decode(errors="replace").strip():
        said["description"] = [body]
    if "description" in said:
        said["description"] = [f"{len(''.join(said['description']))} characters"]
    known = [key for key in _FIELDS if key in said]
    for key in [*known, *sorted(said.keys() - _FIELDS.keys())]:
        values = said[key]
        yield Field(
            key=key,
            name=_FIELDS.get(key) or key.replace("_", "-"),
            values=tuple(_cut(value) for value in values[:VALUES_AT_MOST]),
            left_off=max(0, len(values) - VALUES_AT_MOST),
            is_known=key in _FIELDS,
        )


def _cut(value: str) -> str:
    return value if len(value) <= VALUE_AT_MOST else f"{value[:VALUE_AT_MOST]}…"
