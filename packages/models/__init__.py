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

__all__ = [
    "Blob",
    "Distribution",
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
