"""Core metadata: the METADATA or PKG-INFO text of a distribution, what it says, what is wrong."""

from packages.metadata.core import (
    CoreMetadata,
    core_metadata,
    metadata_is_servable,
    parse_core_metadata,
)
from packages.metadata.header import MetadataRefused, read_header, version_pair
from packages.metadata.rules import LetIn, Objection, objections

__all__ = [
    "CoreMetadata",
    "LetIn",
    "MetadataRefused",
    "Objection",
    "core_metadata",
    "metadata_is_servable",
    "objections",
    "parse_core_metadata",
    "read_header",
    "version_pair",
]
