"""Reads the fields of a core metadata file, bounded, whatever its bytes are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.metadata import RawMetadata, parse_email

from base.errors import InvalidInput
from packages.filenames import shown

# Real files have fewer than 40 different fields and at most a few thousand lines of them. The
# e-mail parser looks through all lines once per different field, so that without bounds a file
# of made-up fields would take hours.
MAX_FIELDS = 200
MAX_FIELD_LINES = 20_000
# With continuation lines: an old description of some megabytes stands in the header.
MAX_HEADER_LINES = 250_000

# distutils wrote UNKNOWN for whatever its setup.py did not say.
ABSENT = ("", "UNKNOWN")

# A line that the e-mail parser would take as one of the header: "name:" or a continuation.
_HEADER_LINE = re.compile(rb"(?:[!-9;-~]*:|[ \t])[^\n]*\n?")
_FIELD = re.compile(rb"^([!-9;-~]*):", re.MULTILINE)
_VERSION_PAIR = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")

# Where `packaging` names a field in the plural and the file does not.
_PLURALS = {
    "classifier": "classifiers",
    "import_name": "import_names",
    "import_namespace": "import_namespaces",
    "license_file": "license_files",
    "platform": "platforms",
    "project_url": "project_urls",
}

# Values by the name that `packaging` gives their field.
Fields = dict[str, list[str]]


class MetadataRefused(InvalidInput):
    """A text is not core metadata that says whose it is."""


@dataclass(frozen=True, slots=True)
class Header:
    """The two halves of a file: what `packaging` understood of its fields, and the body.

    `aside` is what `packaging` sets aside: unknown fields, and those that stand more than once
    or are not UTF-8 (and are then read as Latin-1).
    """

    known: RawMetadata
    aside: dict[str, list[str]]
    body: bytes


def read_header(raw: bytes) -> Header:
    """Return the fields and the body of a metadata file, or refuse a flood of fields."""
    header, body = _split(raw)
    _require_bounded(header)
    try:
        known, aside = parse_email(header)
    except Exception as error:  # a parser of others' text; whatever it says, the text is odd
        raise MetadataRefused(
            f"The metadata cannot be read as core metadata ({type(error).__name__})."
        ) from error
    # A MIME header makes `packaging` set aside a description that is None.
    texts = {
        field: [value for value in values if isinstance(value, str)]
        for field, values in aside.items()
    }
    return Header(known, {field: values for field, values in texts.items() if values}, body)


def read_fields(header: Header) -> Fields:
    """Return every value under the name that `packaging` gives its field.

    What it sets aside is taken as well: a wrong accent in an author's name must not cost the name.
    """
    fields: Fields = {}
    for field, value in header.known.items():
        match value:
            case str():
                fields[field] = [value]
            case dict():
                fields[field] = [f"{label}, {url}" for label, url in value.items()]
            case list() if field == "keywords":
                fields[field] = [", ".join(value)]
            case list():
                fields[field] = value
    for field, values in header.aside.items():
        name = field.replace("-", "_")
        fields.setdefault(_PLURALS.get(name, name), values)
    return fields


def version_pair(text: str) -> tuple[int, ...]:
    """Return a Metadata-Version as numbers, empty if it is none (2.10 is above 2.2)."""
    found = _VERSION_PAIR.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else ()


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


def shown_field(field: str) -> str:
    """Return a field as the file spells it, for a sentence: `requires-python`, quoted."""
    return shown(field.replace("_", "-"))
