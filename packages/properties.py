"""Writes the properties of a distribution: the one way in for clients, extraction and people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from packages.filenames import MAX_VERSION, VersionRefused, parse_version
from packages.models import Distribution, Property
from packages.versions import version_key

MAX_VALUE = 1000  # characters, what the column holds
# Of one value: PostgreSQL's indexes take less than 2,704 bytes for all columns of a row.
MAX_BYTES = 2000
# Of one name: far above the classifiers and requirements of any real project.
MAX_VALUES = 1000

Properties = Mapping[str, Sequence[str]]


def write_properties(
    distribution: Distribution, properties: Properties, *, origin: Property.Origin
) -> None:
    """Add properties, each with all of its values. They are cut to what the columns hold.

    What is there already, whoever said it, stays.
    """
    Property.objects.bulk_create(
        (
            Property(
                distribution=distribution,
                name=name,
                value=value,
                origin=origin,
                version_key=key_of_value(value),
            )
            for name, values in properties.items()
            for value in fitting(values)
        ),
        ignore_conflicts=True,
    )


def replace_by_archive(distribution: Distribution, properties: Properties) -> None:
    """Let what the archive says take the place of what clients said; people's own stay."""
    rows = Property.objects.filter(distribution=distribution)
    rows.exclude(origin=Property.Origin.PERSON).delete()
    write_properties(distribution, properties, origin=Property.Origin.ARCHIVE)


def said_by(distribution: Distribution, origin: Property.Origin) -> dict[str, list[str]]:
    """Return the properties of one origin, each with all of its values."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = Property.objects.filter(distribution=distribution, origin=origin).order_by("pk")
    for name, value in rows.values_list("name", "value"):
        found[name].append(value)
    return dict(found)


def fitting(values: Sequence[str]) -> list[str]:
    """Return the values as the columns hold them: cut, without doubles, and not too many."""
    cut = (value[:MAX_VALUE].encode()[:MAX_BYTES].decode(errors="ignore") for value in values)
    return list(dict.fromkeys(cut))[:MAX_VALUES]


def key_of_value(value: str) -> str:
    """Return what orders a value among versions (PEP 440); empty for one that is no version."""
    if len(value) > MAX_VERSION:
        return ""
    try:
        return version_key(parse_version(value))
    except VersionRefused:
        return ""
