"""A reader of archives that says what a test tells it, and a repository to upload to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from accounts.principal import Principal
from packages.models import Distribution
from packages.publish import publish
from packages.reading import ArchiveFacts, Member, ReadingFailed
from packages.uploads import Upload
from repos.models import Repository
from repos.targets import Target
from tests.dists import make_wheel

README = "<p>Frogs for <em>functional</em> units.</p>"


def facts(metadata: bytes | None) -> ArchiveFacts:
    """Return what a reader finds in an archive with this metadata."""
    return ArchiveFacts(metadata, README, {"modules": ["frog"]}, (Member("frog.py", 7),))


@dataclass
class FakeReader:
    """Reads what it is told; by default a wheel's own name and version."""

    says: dict[str, ArchiveFacts | Exception] = field(default_factory=dict)
    does: Callable[[str], object] = lambda _: None
    read_files: list[str] = field(default_factory=list)
    is_closed: bool = False

    def read(self, path: Path, filename: str) -> ArchiveFacts:
        """Return the facts told for the file; the bytes must be there."""
        assert path.stat().st_size > 0
        self.read_files.append(filename)
        self.does(filename)
        told = self.says.get(filename)
        if isinstance(told, Exception):
            raise told
        return told or facts(metadata_of(filename))

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


def metadata_of(filename: str, *more: str) -> bytes:
    """Return the metadata that a wheel of this name carries."""
    name, version = filename.split("-")[:2]
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *more]
    return ("\n".join(lines) + "\n").encode()


def broken(reason: str = "It is cut short.") -> ReadingFailed:
    """Return the refusal of an archive that cannot be read."""
    return ReadingFailed(reason)


def put(
    repository: Repository,
    by: Principal,
    version: str = "1.0",
    *,
    name: str = "frog",
    file: tuple[str, bytes] | None = None,
    **fields: list[str],
) -> Distribution:
    """Publish a wheel and return its row."""
    filename, content = file or make_wheel(name, version)
    sent = {"name": [name], "version": [version], **fields}
    upload = Upload(filename=filename, chunks=iter([content]), fields=sent)
    return publish(target=Target(repository), upload=upload, by=by).distribution
