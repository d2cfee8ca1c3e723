"""Core metadata: the METADATA or PKG-INFO text of a distribution and what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from packaging.metadata import Metadata, RawMetadata, parse_email

from base.errors import InvalidInput
from packages.filenames import (
    Kind,
    NameRefused,
    VersionRefused,
    parse_name,
    parse_version,
    shown,
)

__all__ = ["CoreMetadata", "MetadataRefused", "metadata_is_servable", "parse_core_metadata"]

# Real files have fewer than 40 different fields and at most a few thousand lines of them. The
# e-mail parser looks through all lines once per different field, so that without bounds a file
# of made-up fields would take hours.
MAX_FIELDS = 200
MAX_FIELD_LINES = 20_000
# With continuation lines: an old description of some megabytes stands in the header.
MAX_HEADER_LINES = 250_000
# What the strict reader is asked about, in characters of one value and of one field. It takes
# more than a minute over a megabyte of made-up content type parameters.
MAX_STRICT_VALUE = 10_000
MAX_STRICT_FIELD = 1024 * 1024
# What is found wrong is shown to people: enough to act on, never a second copy of the file.
MAX_PROBLEMS = 50
MAX_PROBLEM = 300

# distutils wrote UNKNOWN for whatever its setup.py did not say.
ABSENT = ("", "UNKNOWN")

# A line that the e-mail parser would take as one of the header: "name:" or a continuation.
_HEADER_LINE = re.compile(rb"(?:[!-9;-~]*:|[ \t])[^\n]*\n?")
_FIELD = re.compile(rb"^([!-9;-~]*):", re.MULTILINE)
_WHITE_SPACE = re.compile(r"\s+")
# Core metadata specification, "Description": a line break in the field is followed by seven
# spaces and "|"; distutils and old setuptools wrote eight spaces.
_FOLD = re.compile(r"\n(?: {7}\|| {8})")
# PostgreSQL's text holds no NUL, and UTF-8 no lone surrogate.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_VERSION_PAIR = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")

# Where `packaging` names a field in the plural and the file does not.
_PLURALS = {
    "classifier": "classifiers",
    "license_file": "license_files",
    "platform": "platforms",
    "project_url": "project_urls",
}

# Long by nature, and nothing to check in them.
_FREE_TEXT = ("description", "license")

# Values by the name that `packaging` gives their field.
_Fields = dict[str, list[str]]


class MetadataRefused(InvalidInput):
    """A text is not core metadata that says whose it is."""


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """The fields of one METADATA or PKG-INFO file; empty where the file says nothing.

    `raw` is the file itself, byte by byte: PEP 658 serves nothing else. `problems` are what a
    strict reader objects to; they are for people, and never a reason to drop the file.
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
    problems: tuple[str, ...]


def parse_core_metadata(raw: bytes) -> CoreMetadata:
    """Return what a METADATA or PKG-INFO file says, leniently but for name and version."""
    header, body = _split(raw)
    _require_bounded(header)
    fields, field_problems = _read_fields(header)
    name, version = _identity(fields)
    description, description_problems = _description(fields, body)
    return CoreMetadata(
        raw=raw,
        metadata_version=_line(fields, "metadata_version"),
        name=name,
        version=version,
        summary=_line(fields, "summary"),
        description=description,
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
        problems=_bounded([*field_problems, *description_problems]),
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
            return _version_pair(metadata.metadata_version) >= (2, 2) and not metadata.dynamic
        case _:
            return False


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """Return the header lines and what follows them, with single line feeds as line ends.

    The body never reaches the e-mail parser: core metadata is no MIME, and a Content-Type made
    for the purpose would have it descend into thousands of nested parts.
    """
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = 0
    for _ in range(MAX_HEADER_LINES):
        line = _HEADER_LINE.match(text, end)
        if line is None:
            return text[:end], text[end:].removeprefix(b"\n")
        end = line.end()
    raise MetadataRefused(
        f"The metadata has more than {MAX_HEADER_LINES} lines of fields before its description."
    )


def _require_bounded(header: bytes) -> None:
    names = _FIELD.findall(header)
    if len(names) > MAX_FIELD_LINES:
        raise MetadataRefused(
            f"The metadata has {len(names)} fields; at most {MAX_FIELD_LINES} are read."
        )
    if (different := len(set(names))) > MAX_FIELDS:
        raise MetadataRefused(
            f"The metadata has {different} different fields; at most {MAX_FIELDS} are read."
        )


def _read_fields(header: bytes) -> tuple[_Fields, list[str]]:
    """Return every value under the name that `packaging` gives its field, and the problems.

    What `packaging` sets aside (repeated, or not UTF-8 and then read as Latin-1) is taken as
    well: a wrong accent in an author's name must not cost the name.
    """
    try:
        known, aside = parse_email(header)
    except Exception as error:  # a parser of others' text; whatever it says, the text is odd
        raise MetadataRefused(
            f"The metadata cannot be read as core metadata ({type(error).__name__})."
        ) from error
    fields: _Fields = {}
    for field, value in known.items():
        match value:
            case str():
                fields[field] = [value]
            case dict():
                fields[field] = [f"{label}, {url}" for label, url in value.items()]
            case list() if field == "keywords":
                fields[field] = [", ".join(value)]
            case list():
                fields[field] = value
    problems = _strict_problems(known)
    for field, values in aside.items():
        # A MIME header makes `packaging` set aside a description that is None.
        texts = [value for value in values if isinstance(value, str)]
        if texts:
            name = field.replace("-", "_")
            fields.setdefault(_PLURALS.get(name, name), texts)
            problems.append(
                f"The field {shown(field)} is unknown, stands more than once or is not UTF-8."
            )
    return fields, problems


def _strict_problems(known: RawMetadata) -> list[str]:
    problems = []
    asked: dict[str, object] = {}
    for field, value in known.items():
        if _is_long(field, value):
            problems.append(f"The field {shown(field)} is too long to be checked.")
        elif value not in ABSENT:
            asked[field] = value
    try:
        Metadata.from_raw(cast("RawMetadata", asked), validate=True)
    except ExceptionGroup as group:
        # Its order is that of a set, another one in each process.
        problems += sorted(str(error) for error in group.exceptions)
    except Exception as error:  # noqa: BLE001 - advice about others' text, never worth a failure
        problems.append(f"The strict reader stopped: {type(error).__name__}.")
    return problems


def _is_long(field: str, value: object) -> bool:
    if field in _FREE_TEXT:
        return False
    values = [str(part) for part in value] if isinstance(value, list) else [str(value)]
    lengths = [len(part) for part in values]
    return max(lengths, default=0) > MAX_STRICT_VALUE or sum(lengths) > MAX_STRICT_FIELD


def _identity(fields: _Fields) -> tuple[str, str]:
    name, version = _only(fields, "name"), _only(fields, "version")
    try:
        parse_name(name)
        parse_version(version)
    except (NameRefused, VersionRefused) as refused:
        raise MetadataRefused(f"In the metadata: {refused.sentence}") from refused
    return name, version


def _only(fields: _Fields, field: str) -> str:
    values = fields.get(field, [])
    if len(values) > 1:
        # Readers differ in which of them they take.
        raise MetadataRefused(f"The metadata has more than one {field.title()} field.")
    value = _line(fields, field)
    if not value:
        raise MetadataRefused(f"The metadata has no {field.title()} field.")
    return value


def _description(fields: _Fields, body: bytes) -> tuple[str, list[str]]:
    """Return the description: the body of the file (PEP 566), else the field of that name."""
    problems = []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode(errors="replace")
        problems.append("The description is not UTF-8.")
    if text.strip() in ABSENT:
        return _text(fields, "description"), problems
    if "description" in fields:
        problems.append("The description stands in a field and in the body; the body is shown.")
    return _clean(text), problems


def _present(fields: _Fields, field: str) -> list[str]:
    return [value for value in fields.get(field, []) if value.strip() not in ABSENT]


def _line(fields: _Fields, field: str) -> str:
    return next(iter(_lines(fields, field)), "")


def _lines(fields: _Fields, field: str) -> tuple[str, ...]:
    """Return the values of a field, each as one line."""
    return tuple(_clean(_WHITE_SPACE.sub(" ", value).strip()) for value in _present(fields, field))


def _text(fields: _Fields, field: str) -> str:
    """Return a field that may hold line breaks, unfolded."""
    first = next(iter(_present(fields, field)), "")
    return _clean(_FOLD.sub("\n", first))


def _pairs(fields: _Fields, field: str) -> tuple[tuple[str, str], ...]:
    pairs = (value.partition(",") for value in _lines(fields, field))
    return tuple((label.strip(), url.strip()) for label, _, url in pairs if url.strip())


def _clean(text: str) -> str:
    return _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def _bounded(problems: Sequence[str]) -> tuple[str, ...]:
    return tuple(_clean(problem)[:MAX_PROBLEM] for problem in problems[:MAX_PROBLEMS])


def _version_pair(text: str) -> tuple[int, ...]:
    """Return a Metadata-Version as numbers, empty if it is none (2.10 is above 2.2)."""
    found = _VERSION_PAIR.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else ()
