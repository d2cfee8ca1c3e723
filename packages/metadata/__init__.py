"""Core metadata: the METADATA or PKG-INFO text of a distribution, what it says, what is wrong."""

from packages.metadata.core import (
    CoreMetadata,
    any_metadata,
    core_metadata,
    metadata_is_servable,
    parse_core_metadata,
    readable_metadata,
)
from packages.metadata.header import MetadataRefused, read_header, version_pair
from packages.metadata.rules import LetIn, Objection, objections, requirement_in

__all__ = [
    "CoreMetadata",
    "LetIn",
    "MetadataRefused",
    "Objection",
    "any_metadata",
    "core_metadata",
    "metadata_is_servable",
    "objections",
    "parse_core_metadata",
    "read_header",
    "readable_metadata",
    "requirement_in",
    "version_pair",
]
