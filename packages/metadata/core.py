"""What a METADATA or PKG-INFO file says, read leniently but for its name and version."""

from __future__ import annotations

import re
from dataclasses import dataclass

from base.errors import LarderError
from packages.filenames import Kind, NameRefused, VersionRefused, parse_name, parse_version
from packages.metadata.header import (
    ABSENT,
    Fields,
    Header,
    MetadataRefused,
    read_fields,
    read_header,
    version_pair,
)

_WHITE_SPACE = re.compile(r"\s+")
# Core metadata specification, "Description": a line break in the field is followed by seven
# spaces and "|"; distutils and old setuptools wrote eight spaces.
_FOLD = re.compile(r"\n(?: {7}\|| {8})")
# PostgreSQL's text holds no NUL, and UTF-8 no lone surrogate.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The fields of one METADATA or PKG-INFO file; empty where the file says nothing.

    `raw` is the file itself, byte by byte: PEP 658 serves nothing else.
    """

    raw: bytes
    metadata_version: str
    name: str
    version: str
    summary: str
    description: str
    description_content_type: str
    keywords: str
    author: str
    author_email: str
    maintainer: str
    maintainer_email: str
    license: str
    license_expression: str
    home_page: str
    download_url: str
    requires_python: str
    classifiers: tuple[str, ...]
    platforms: tuple[str, ...]
    project_urls: tuple[tuple[str, str], ...]
    requires_dist: tuple[str, ...]
    provides_extra: tuple[str, ...]
    dynamic: tuple[str, ...]
    license_files: tuple[str, ...]
    import_names: tuple[str, ...]
    import_namespaces: tuple[str, ...]


def parse_core_metadata(raw: bytes) -> CoreMetadata:
    """Return what a METADATA or PKG-INFO file says."""
    return core_metadata(raw, read_header(raw))


def readable_metadata(raw: bytes) -> CoreMetadata | None:
    """Return the same; None where it cannot be read: what upstream serves is its own affair."""
    try:
        return parse_core_metadata(raw)
    except LarderError:
        return None


def core_metadata(raw: bytes, header: Header) -> CoreMetadata:
    """Return what a file says whose header was read, and which says whose it is."""
    _require_identity(read_fields(header))
    return any_metadata(raw, header)


def any_metadata(raw: bytes, header: Header) -> CoreMetadata:
    """Return what a file says whose header was read, even if its name and version are odd."""
    fields = read_fields(header)
    return CoreMetadata(
        raw=raw,
        metadata_version=_line(fields, "metadata_version"),
        name=_line(fields, "name"),
        version=_line(fields, "version"),
        summary=_line(fields, "summary"),
        description=_description(fields, header.body),
        description_content_type=_line(fields, "description_content_type"),
        keywords=_line(fields, "keywords"),
        author=_line(fields, "author"),
        author_email=_line(fields, "author_email"),
        maintainer=_line(fields, "maintainer"),
        maintainer_email=_line(fields, "maintainer_email"),
        license=_text(fields, "license"),
        license_expression=_line(fields, "license_expression"),
        home_page=_line(fields, "home_page"),
        download_url=_line(fields, "download_url"),
        # One line: it becomes an attribute of a link, and pip reads no line break in it.
        requires_python=_line(fields, "requires_python"),
        classifiers=_lines(fields, "classifiers"),
        platforms=_lines(fields, "platforms"),
        project_urls=_pairs(fields, "project_urls"),
        requires_dist=_lines(fields, "requires_dist"),
        provides_extra=_lines(fields, "provides_extra"),
        dynamic=_lines(fields, "dynamic"),
        license_files=_lines(fields, "license_files"),
        import_names=_lines(fields, "import_names"),
        import_namespaces=_lines(fields, "import_namespaces"),
    )


def metadata_is_servable(kind: Kind, metadata: CoreMetadata) -> bool:
    """Say whether installers may have this metadata instead of the file (PEP 658).

    A wheel's is what will be installed. An sdist's is only sure from Metadata-Version 2.2 on and
    when nothing in it is Dynamic (PEP 643); pip and uv take what is served as the truth.
    """
    match kind:
        case Kind.WHEEL:
            return True
        case Kind.SDIST:
            return version_pair(metadata.metadata_version) >= (2, 2) and not metadata.dynamic
        case _:
            return False


def _require_identity(fields: Fields) -> None:
    name, version = _only(fields, "name"), _only(fields, "version")
    try:
        parse_name(name)
        parse_version(version)
    except (NameRefused, VersionRefused) as refused:
        raise MetadataRefused(f"In the metadata: {refused.sentence}") from refused


def _only(fields: Fields, field: str) -> str:
    values = fields.get(field, [])
    if len(values) > 1:
        # Readers differ in which of them they take.
        raise MetadataRefused(f"The metadata has more than one {field.title()} field.")
    value = _line(fields, field)
    if not value:
        raise MetadataRefused(f"The metadata has no {field.title()} field.")
    return value


def _description(fields: Fields, body: bytes) -> str:
    """Return the description: the body of the file (PEP 566), else the field of that name."""
    text = body.decode(errors="replace")
    return _text(fields, "description") if text.strip() in ABSENT else _clean(text)


def _present(fields: Fields, field: str) -> list[str]:
    return [value for value in fields.get(field, []) if value.strip() not in ABSENT]


def _line(fields: Fields, field: str) -> str:
    return next(iter(_lines(fields, field)), "")


def _lines(fields: Fields, field: str) -> tuple[str, ...]:
    """Return the values of a field, each as one line."""
    return tuple(_clean(_WHITE_SPACE.sub(" ", value).strip()) for value in _present(fields, field))


def _text(fields: Fields, field: str) -> str:
    """Return a field that may hold line breaks, unfolded."""
    first = next(iter(_present(fields, field)), "")
    return _clean(_FOLD.sub("\n", first))


def _pairs(fields: Fields, field: str) -> tuple[tuple[str, str], ...]:
    pairs = (value.partition(",") for value in _lines(fields, field))
    return tuple((label.strip(), url.strip()) for label, _, url in pairs if url.strip())


def _clean(text: str) -> str:
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)
