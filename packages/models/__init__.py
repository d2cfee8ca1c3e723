"""What the database holds of packages: contents, what remotes know, what search looks through."""

from packages.models.contents import (
    Blob,
    Distribution,
    LooseObject,
    Project,
    Property,
    Reading,
    Release,
    StoredMetadata,
)
from packages.models.remotes import (
    Fetch,
    Remote,
    UpstreamHealth,
    UpstreamMetadata,
    UpstreamNames,
    UpstreamPage,
)
from packages.models.search import Document

__all__ = [
    "Blob",
    "Distribution",
    "Document",
    "Fetch",
    "LooseObject",
    "Project",
    "Property",
    "Reading",
    "Release",
    "Remote",
    "StoredMetadata",
    "UpstreamHealth",
    "UpstreamMetadata",
    "UpstreamNames",
    "UpstreamPage",
]
