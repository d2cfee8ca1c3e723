"""A Reader for a whole module, as a worker has one, and archives to give it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packages.reading import ArchiveFacts, Reader

Read = Callable[[tuple[str, bytes]], ArchiveFacts]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A Reader that lives on from test to test."""
    with Reader() as reader:
        yield reader


@pytest.fixture
def read(reader: Reader, tmp_path: Path) -> Read:
    """Read an archive that is given as its name and its bytes, from a file called otherwise."""

    def read(made: tuple[str, bytes]) -> ArchiveFacts:
        filename, content = made
        path = tmp_path / "spooled"
        path.write_bytes(content)
        return reader.read(path, filename)

    return read
