"""What is wrong with a core metadata file, and who lets it in all the same.

`packaging` knows the specification; on top stand the rules that the public index adds. They are
asked for at upload alone: whatever was taken once is read leniently for ever.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import cast
from urllib.parse import urlsplit

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import Requirement
from trove_classifiers import classifiers as known_classifiers
from trove_classifiers import deprecated_classifiers

from packages.filenames import shown
from packages.metadata.header import ABSENT, Fields, Header, read_fields, shown_field, version_pair

# What the strict reader is asked about, in characters of one value and of one field. It takes
# more than a minute over a megabyte of made-up content type parameters.
MAX_VALUE = 10_000
MAX_FIELD = 1024 * 1024
# All that `packaging` is asked to read as requirements. It takes 3 microseconds for a bracket, and
# the largest real ones, with every version of hundreds of dependencies pinned, have 200 KiB.
MAX_REQUIREMENTS = 512 * 1024
# Of one requirement, one address, one licence. Readers go one or more calls deeper with each and
# stop with a RecursionError; real ones have fewer than ten.
MAX_BRACKETS = 50
MAX_SUMMARY = 512
MAX_LABEL = 32
# An explanation repeats what the file says: enough to act on, in a line.
MAX_EXPLANATION = 160

# Long by nature, and nothing to check in them.
_FREE_TEXT = ("description", "license")
# Written by wheel 0.2x until 2017; the version was never agreed on.
_WITHDRAWN = (2, 0)
_NEWEST_KNOWN = (2, 6)
# Before this one nobody checked values at upload, so that real archives break the rules.
_FIRST_CHECKED = (2, 1)
# setuptools wrote it for years before 2.4 introduced it: too common to be worth a word.
_WRITTEN_EARLY = "license-file"
_EARLY = re.compile(r"introduced in metadata version")
# The characters of RFC 3986, and no space or control character among them.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\w!#$%&'()*+,/:;=?@\[\].~-]+")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[\w.-]{1,255}")
_FIELDS_OF_ADDRESSES = ("author_email", "maintainer_email")
_FIELDS_OF_URLS = ("home_page", "download_url")
_FIELDS_OF_REQUIREMENTS = ("requires_dist", "provides_dist", "obsoletes_dist")


class LetIn(enum.Enum):
    """Who lets an objection pass."""

    NEVER = "nobody"
    COMPATIBLE = "a repository with compatible rules, which notes it"
    ALWAYS = "everybody, and notes it"


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that is wrong, as the end of a sentence that begins with the file's name."""

    says: str
    let_in: LetIn = LetIn.NEVER


def objections(header: Header) -> Iterator[Objection]:
    """Yield what is wrong with a metadata file, in the same order every time."""
    fields = read_fields(header)
    version = next(iter(fields.get("metadata_version", ())), "")
    yield from _of_version(version)
    is_old = version_pair(version) < _FIRST_CHECKED
    for objection in _of_values(header, fields):
        if is_old and objection.let_in is LetIn.NEVER:
            yield Objection(objection.says, LetIn.COMPATIBLE)
        else:
            yield objection


def _of_version(text: str) -> Iterator[Objection]:
    """Core metadata: read a version with a larger second number, refuse what is no version."""
    pair = version_pair(text)
    if not pair:
        yield Objection(f"has no Metadata-Version, or one that is none: {shown(text)}")
    elif pair == _WITHDRAWN or pair > _NEWEST_KNOWN:
        says = f"has the Metadata-Version {shown(text)}, which is not known"
        yield Objection(says, LetIn.COMPATIBLE)
    elif not _is_known(text):
        yield Objection(f"has the Metadata-Version {shown(text)}, which never was one")


def _is_known(version: str) -> bool:
    asked = Metadata.from_raw({"metadata_version": version}, validate=False)
    try:
        return bool(asked.metadata_version)
    except InvalidMetadata:
        return False


def _of_values(header: Header, fields: Fields) -> Iterator[Objection]:
    yield from _of_what_stands_aside(header)
    yield from _of_the_specification(header)
    yield from _of_text(fields)
    yield from _of_classifiers(fields)
    yield from _of_urls(fields)
    yield from _of_requirements(fields)
    try:
        header.body.decode()
    except UnicodeDecodeError:
        yield Objection("has a description that is not UTF-8")
    if "description" in fields and header.body.strip().decode(errors="replace") not in ABSENT:
        yield Objection(
            "has a description in a field and one in the body; the body is shown", LetIn.ALWAYS
        )


def _of_what_stands_aside(header: Header) -> Iterator[Objection]:
    """Tell fields given twice, or in another encoding, from those that are merely unknown."""
    known = {name.lower() for name in Metadata.__dict__ if not name.startswith("_")}
    for field, values in sorted(header.aside.items()):
        name = field.replace("-", "_")
        if name not in known and f"{name}s" not in known:
            continue  # an invention of a tool, or of a later version
        if len(values) > 1:
            # Installers differ in which of them they take: of Requires-Python that matters.
            yield Objection(f"has the metadata field {shown_field(field)} {len(values)} times")
        else:
            yield Objection(f"has a metadata field {shown_field(field)} that cannot be read")


def _of_the_specification(header: Header) -> Iterator[Objection]:
    """Ask `packaging`, about everything that is short enough to be asked about."""
    asked: dict[str, object] = {}
    for field, value in header.known.items():
        if _is_long(field, value):
            yield Objection(f"has a metadata field {shown_field(field)} that is too long")
        elif field in _FIELDS_OF_REQUIREMENTS:
            asked[field] = []  # of which only the version that introduced it is asked here
        elif field == "license_expression" and not _is_flat(str(value)):
            yield Objection(f"has {shown(str(value))} as {shown_field(field)}, which is too nested")
        elif value not in ABSENT:
            asked[field] = value
    try:
        Metadata.from_raw(cast("RawMetadata", asked), validate=True)
    except ExceptionGroup as group:
        # Its order is that of a set, another one in each process.
        for error in sorted(group.exceptions, key=str):
            yield from _explained(error)
    except Exception as error:  # noqa: BLE001 - a parser of others' text; whatever it says, the text is odd
        yield Objection(f"has metadata that makes the reader stop ({type(error).__name__})")


def _explained(error: Exception) -> Iterator[Objection]:
    field = error.field.lower() if isinstance(error, InvalidMetadata) else ""
    is_early = bool(_EARLY.search(str(error)))
    if field == "metadata-version" or (is_early and field == _WRITTEN_EARLY):
        return
    # hatchling wrote License-Expression before its time, and the public index took it.
    let_in = LetIn.ALWAYS if is_early else LetIn.NEVER
    cause = str(error).encode("ascii", "backslashreplace").decode()[:MAX_EXPLANATION]
    yield Objection(f"has metadata that is not valid: {cause}", let_in)


def _is_long(field: str, value: object) -> bool:
    if field in _FREE_TEXT:
        return False
    match value:
        case list():
            lengths = [len(str(part)) for part in value]
        case dict():
            lengths = [len(label) + len(url) for label, url in value.items()]
        case _:
            lengths = [len(str(value))]
    return max(lengths, default=0) > MAX_VALUE or sum(lengths) > MAX_FIELD


def _of_text(fields: Fields) -> Iterator[Objection]:
    if len(summary := _first(fields, "summary")) > MAX_SUMMARY:
        yield Objection(f"has a Summary of {len(summary)} characters; {MAX_SUMMARY} are the most")
    for field in _FIELDS_OF_ADDRESSES:
        text = _first(fields, field)[:MAX_VALUE]
        address = _address_in(text)
        if address is None or (address and not _ADDRESS.fullmatch(address)):
            yield Objection(
                f"has {shown(address or text)} as {shown_field(field)}, which is no e-mail address"
            )
    if _first(fields, "license") and _first(fields, "license_expression"):
        # PEP 639: License is deprecated by License-Expression, and they must not disagree.
        yield Objection("has both License and License-Expression; use License-Expression alone")


def _address_in(text: str) -> str | None:
    """Return the first address in a text, as the public index does; None for what is unreadable."""
    if not _is_flat(text):
        return None
    try:
        return parseaddr(text)[1]
    except Exception:  # noqa: BLE001 - a parser of others' text
        return None


def _is_flat(text: str) -> bool:
    """Say whether a text is one that readers who go deeper with each bracket come back from."""
    return text.count("(") <= MAX_BRACKETS


def _of_classifiers(fields: Fields) -> Iterator[Objection]:
    given = {value.strip() for value in fields.get("classifiers", ())} - set(ABSENT)
    if unknown := sorted(given - known_classifiers - deprecated_classifiers.keys()):
        yield Objection(f"has the unknown classifier {_first_of(unknown)}", LetIn.COMPATIBLE)
    if deprecated := sorted(given & deprecated_classifiers.keys()):
        yield Objection(f"has the deprecated classifier {_first_of(deprecated)}", LetIn.COMPATIBLE)


def _of_urls(fields: Fields) -> Iterator[Objection]:
    for field in _FIELDS_OF_URLS:
        if (url := _first(fields, field)) and not _is_url(url):
            yield Objection(f"has {shown(url)} as {shown_field(field)}, which is no http URL")
    for pair in fields.get("project_urls", ()):
        label, _, url = (part.strip() for part in pair.partition(","))
        if not label:
            yield Objection(f"has the Project-URL {shown(url)} without a label")
        elif len(label) > MAX_LABEL:
            yield Objection(
                f"has a Project-URL label of {len(label)} characters: {shown(label)}; "
                f"{MAX_LABEL} are the most"
            )
        elif not _is_url(url):
            yield Objection(f"has {shown(url)} as its {shown(label)}, which is no http URL")


def _is_url(text: str) -> bool:
    if len(text) > MAX_VALUE or not _URI.fullmatch(text):
        return False
    try:
        return urlsplit(text).scheme.lower() in {"http", "https"}
    except ValueError:
        return False


def _of_requirements(fields: Fields) -> Iterator[Objection]:
    """Read what says other projects' names, and look for direct URLs in it."""
    given = [
        (field, text)
        for field in _FIELDS_OF_REQUIREMENTS
        for text in fields.get(field, ())
        if text.strip() not in ABSENT and len(text) <= MAX_VALUE
    ]
    if sum(len(text) for _, text in given) > MAX_REQUIREMENTS:
        yield Objection(f"has requirements of more than {MAX_REQUIREMENTS} characters")
        return
    for field, text in given:
        requirement = requirement_in(text)
        if requirement is None:
            yield Objection(f"has {shown(text)} as {shown_field(field)}, which is no requirement")
        elif requirement.url is not None:
            yield Objection(
                f"requires {shown(text)} by a URL of its own, past every index", LetIn.COMPATIBLE
            )


def requirement_in(text: str) -> Requirement | None:
    """Return what a text requires, None if it is no requirement."""
    if not _is_flat(text):
        return None
    try:
        return Requirement(text)
    except Exception:  # noqa: BLE001 - a parser of others' text; not all it raises is its own
        return None


def _first(fields: Fields, field: str) -> str:
    value = next(iter(fields.get(field, ())), "").strip()
    return "" if value in ABSENT else value


def _first_of(values: list[str]) -> str:
    more = f" (and {len(values) - 1} more)" if len(values) > 1 else ""
    return f"{shown(values[0])}{more}"
