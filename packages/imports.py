"""Imports a folder of archives: each by the ordinary way of publishing, one after the other.

It keeps no state of its own: what is there already is passed over, so that an import which was
broken off is started again and goes on. How far a running one is stands in its row, for the page.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ValidationError

from accounts.principal import Principal
from base import clock
from base.errors import LarderError
from packages.by_hand import ByHand, publish_by_hand
from packages.filenames import EXTENSIONS
from packages.models import FolderImport
from packages.properties import Properties
from repos.models import Repository
from repos.targets import Target, target_of_upload

_CHUNK = 1024 * 1024
_WRITTEN_EVERY = timedelta(seconds=2)


def archives_below(folder: Path) -> list[Path]:
    """Return every archive in a folder and those below it, in order; none begins with a dot."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name.endswith(EXTENSIONS) and not path.name.startswith(".") and path.is_file()
    )


class Import:
    """One import while it runs; `steps` does the work."""

    def __init__(
        self,
        repository: Repository,
        files: Sequence[Path],
        properties: Properties,
        *,
        by: Principal,
    ) -> None:
        self.repository = repository
        self.files = files
        self.bytes_all = sum(path.stat().st_size for path in files)
        self.bytes_done = 0
        self.done = 0
        self.published = 0
        self.refusals: list[tuple[Path, str]] = []
        self._properties = properties
        self._by = by

    @property
    def says(self) -> str:
        """Say in a sentence what it came to."""
        there = self.done - self.published - len(self.refusals)
        return (
            f"{self.published} published, {there} there already, {len(self.refusals)} refused, "
            f"in {self.repository}."
        )

    def steps(self) -> Generator[Path]:
        """Publish file after file, and yield each when it is done, refused or not."""
        tenant, key = self.repository.tenant.slug, self.repository.key
        # Who may not publish there hears so before anything is read.
        target = target_of_upload(self._by, tenant, key)
        now = clock.now()
        row = FolderImport.objects.create(
            repository=self.repository,
            by=self._by.actor.name,
            files=len(self.files),
            bytes=self.bytes_all,
            began_at=now,
            moved_at=now,
        )
        try:
            for path in self.files:
                self._publish(path, target)
                if clock.now() - row.moved_at >= _WRITTEN_EVERY:
                    self._write(row)
                yield path
        finally:
            row.ended_at = clock.now()
            self._write(row)

    def _publish(self, path: Path, target: Target) -> None:
        try:
            self.bytes_done += path.stat().st_size
            given = ByHand(path.name, _chunks(path), properties=self._properties)
            self.published += publish_by_hand(given, target=target, by=self._by).created
        except LarderError as refused:
            self.refusals.append((path, refused.sentence))
        except ValidationError as refused:
            self.refusals.append((path, " ".join(refused.messages)))
        except OSError as error:
            self.refusals.append((path, f"It cannot be read: {error.strerror or error}."))
        self.done += 1

    def _write(self, row: FolderImport) -> None:
        row.files_done, row.bytes_done = self.done, self.bytes_done
        row.published, row.refused = self.published, len(self.refusals)
        row.moved_at = clock.now()
        row.save()


def _chunks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
