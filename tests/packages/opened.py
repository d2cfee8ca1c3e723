"""Published files that were really read: by the reader itself, without its process."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from packages.extraction import extract
from packages.extraction.extract import extract_due
from packages.reading import ArchiveFacts
from packages.reading.facts import read_archive
from tests.cast import Member
from tests.conftest import MovableClock
from tests.uploads import upload


class DirectReader:
    """Reads an archive in this process; READMEs are not rendered."""

    def read(self, path: Path, filename: str) -> ArchiveFacts:
        """Return all that an archive says of itself."""
        with path.open("rb") as file:
            read = read_archive(file, filename)
        return ArchiveFacts(read.metadata, "", read.facts, read.members)

    def close(self) -> None:
        """Do nothing: there is no process."""


def read_all(time: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the quiet period pass, and everything be read."""
    monkeypatch.setattr(extract, "Reader", DirectReader)
    time.move(seconds=61)
    extract_due()


def publish(name: str, version: str, file: tuple[str, bytes], *, by: Member, **form: str) -> str:
    """Publish a file to acme/local and return its name."""
    answer = upload(Client(), name, version, file, by=by, change=form)
    assert answer.status_code == 200, answer.reason_phrase
    return file[0]
