"""Writes the properties of a distribution: the one way in for clients, extraction and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packages.filenames import MAX_VERSION, VersionRefused, parse_version
from packages.models import Distribution, Property
from packages.versions import version_key

# PostgreSQL's indexes take less than 2,704 bytes for all columns of a row.
_VALUE_BYTES_AT_MOST = 2000


def write_properties(
    distribution: Distribution,
    properties: Mapping[str, Sequence[str]],
    *,
    origin: Property.Origin,
) -> None:
    """Add properties, each with all of its values. They are cut to what the columns hold."""
    Property.objects.bulk_create(
        Property(
            distribution=distribution,
            name=name,
            value=value,
            origin=origin,
            version_key=key_of_value(value),
        )
        for name, values in properties.items()
        for value in dict.fromkeys(map(_cut, values))
    )


def key_of_value(value: str) -> str:
    """Return what orders a value among versions (PEP 440); empty for one that is no version."""
    if len(value) > MAX_VERSION:
        return ""
    try:
        return version_key(parse_version(value))
    except VersionRefused:
        return ""


def _cut(value: str) -> str:
    longest = Property._meta.get_field("value").max_length  # noqa: SLF001 - Django's public way
    return value[:longest].encode()[:_VALUE_BYTES_AT_MOST].decode(errors="ignore")
