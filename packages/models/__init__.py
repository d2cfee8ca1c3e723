"""What the database holds of packages: contents, remotes, what is searched and counted."""

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
from packages.models.long_work import CachePurge, FolderImport, LongWork
from packages.models.provenance import Provenance
from packages.models.remotes import (
    Fetch,
    Remote,
    UpstreamHealth,
    UpstreamMetadata,
    UpstreamNames,
    UpstreamPage,
)
from packages.models.search import Document
from packages.models.statistics import FileDownloads, RepositoryDay

__all__ = [
    "Blob",
    "CachePurge",
    "Distribution",
    "Document",
    "Fetch",
    "FileDownloads",
    "FolderImport",
    "LongWork",
    "LooseObject",
    "Project",
    "Property",
    "Provenance",
    "Reading",
    "Release",
    "Remote",
    "RepositoryDay",
    "StoredMetadata",
    "UpstreamHealth",
    "UpstreamMetadata",
    "UpstreamNames",
    "UpstreamPage",
]
