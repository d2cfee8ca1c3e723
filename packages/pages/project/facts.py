"""What a release says of itself, by who says so: the archive, upstream, or only the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any

from packages.extraction.differences import differences
from packages.metadata import CoreMetadata
from packages.models import Property
from packages.pages.project.subject import Contents, Subject
from packages.properties import said_by
from packages.pypi_properties import properties_of

# The order in which people look for them.
_FIELDS = (
    ("Name", "name"),
    ("Version", "version"),
    ("Summary", "summary"),
    ("Requires-Python", "requires_python"),
    ("License-Expression", "license_expression"),
    ("License", "license"),
    ("License-File", "license_files"),
    ("Author", "author"),
    ("Author-email", "author_email"),
    ("Maintainer", "maintainer"),
    ("Maintainer-email", "maintainer_email"),
    ("Home-page", "home_page"),
    ("Download-URL", "download_url"),
    ("Project-URL", "project_urls"),
    ("Keywords", "keywords"),
    ("Platform", "platforms"),
    ("Classifier", "classifiers"),
    ("Provides-Extra", "provides_extra"),
    ("Dynamic", "dynamic"),
    ("Import-Name", "import_names"),
    ("Import-Namespace", "import_namespaces"),
    ("Description-Content-Type", "description_content_type"),
    ("Metadata-Version", "metadata_version"),
)
_SHOWN_AT_MOST = 200  # of a field's values
_TEXT_AT_MOST = 2000


@dataclass(frozen=True, slots=True)
class Fact:
    """One field and its values."""

    label: str
    values: tuple[str, ...]
    left_off: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """An author or maintainer, as far as they are named."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a release, by who says so."""

    # "archive", "upstream" or "client".
    by: str
    facts: tuple[Fact, ...]
    # What the client sent and the archive says otherwise, a sentence each.
    differences: tuple[str, ...]


def told_of(subject: Subject, contents: Contents) -> Told:
    """Return the fields that the archive says; where it says nothing, what the client claimed."""
    claimed = said_by(contents.file, Property.Origin.CLIENT) if contents.file else {}
    metadata = contents.metadata
    if metadata is None:
        facts = tuple(_fact(name, values) for name, values in claimed.items())
        return Told("client", facts, ())
    found = tuple(
        _fact(label, values)
        for label, attribute in _FIELDS
        if (values := _texts(getattr(metadata, attribute)))
    )
    if contents.is_upstreams:
        return Told("upstream", found, ())
    # Once the archive was read, its properties took the place of the client's: the sentences stay.
    told = (
        contents.reading.differences
        if contents.reading is not None
        else differences(claimed, properties_of(metadata, subject.name))
    )
    return Told("archive", found, tuple(told))


def people_of(name: str, addresses: str) -> list[Person]:
    """Return who is named in an Author or Maintainer field and in its field of addresses."""
    people = [Person(said, email) for said, email in getaddresses([addresses]) if said or email]
    if name and not any(person.name == name for person in people):
        alone = len(people) == 1 and not people[0].name
        people = [Person(name, people[0].email)] if alone else [Person(name, ""), *people]
    return people


def archive_facts(contents: Contents) -> Mapping[str, Any]:
    """Return what was read in the archive beyond its metadata; empty where it was not read."""
    return contents.reading.facts if contents.reading is not None else {}


def classifiers_by_topic(metadata: CoreMetadata) -> list[tuple[str, list[str]]]:
    """Return the classifiers beneath the first part of each, as people look through them."""
    found: dict[str, list[str]] = {}
    for classifier in metadata.classifiers[:_SHOWN_AT_MOST]:
        topic, _, rest = classifier.partition(" :: ")
        found.setdefault(topic, []).append(rest or topic)
    return list(found.items())


def licences_in(metadata: CoreMetadata) -> list[str]:
    """Return the licences that classifiers name, without the path that leads to them."""
    parts = (classifier.split(" :: ") for classifier in metadata.classifiers)
    return [each[-1] for each in parts if each[0] == "License" and len(each) > 1]


def _texts(value: str | Sequence[str] | Sequence[tuple[str, str]]) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [each if isinstance(each, str) else ", ".join(each) for each in value]


def _fact(label: str, values: Sequence[str]) -> Fact:
    shown = tuple(
        value if len(value) <= _TEXT_AT_MOST else f"{value[:_TEXT_AT_MOST]}…"
        for value in values[:_SHOWN_AT_MOST]
    )
    return Fact(label, shown, max(0, len(values) - _SHOWN_AT_MOST))
