"""Writes the properties of a distribution: the one way in for clients, extraction and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packages.models import Distribution, Property


def write_properties(
    distribution: Distribution,
    properties: Mapping[str, Sequence[str]],
    *,
    origin: Property.Origin,
) -> None:
    """Add properties, each with all of its values. They are cut to what the columns hold."""
    longest = Property._meta.get_field("value").max_length  # noqa: SLF001 - Django's public way
    Property.objects.bulk_create(
        Property(distribution=distribution, name=name, value=value, origin=origin)
        for name, values in properties.items()
        for value in dict.fromkeys(each[:longest] for each in values)
    )
