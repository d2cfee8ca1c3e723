"""A look into an archive on disk for its core metadata: bounded, and never extracting.

Whatever is wrong with the bytes becomes `ArchiveRefused`; whatever is wrong with our disk stays
the `OSError` it is. Memory does not grow with the archive: a tar is streamed member by member,
and of a zip only the directory and the one member asked for are held.
"""

from packages.archive.reading import read_core_metadata
from packages.archive.refusals import ArchiveRefused

__all__ = ["ArchiveRefused", "read_core_metadata"]
