"""The index of a local repository: what was published here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from packages.filenames import NormalizedName
from packages.index.base import (
    FileNotFound,
    FileWithheld,
    Ground,
    PageFile,
    ProjectList,
    ProjectNotFound,
    ProjectPage,
    Stored,
    stored_of,
)
from packages.models import Distribution, Project, Provenance, StoredMetadata
from repos.models import Repository

# What `_line` takes of a distribution, in that order.
_LINE = (
    *("filename", "release.version", "sha256", "size", "uploaded_at"),
    *("requires_python", "metadata_sha256"),
    *("yanked", "yanked_reason", "release.yanked", "release.yanked_reason"),
    *("kind", "python_tag", "is_attested", "has_provenance"),
)
_of_row = attrgetter(*_LINE)
_COLUMNS = [name.replace(".", "__") for name in _LINE]


class LocalIndex:
    """Answers from this repository's rows alone."""

    until = None  # it has no upstream

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    @property
    def ground(self) -> Ground:
        """Return what every answer stands on."""
        return Ground.of(self.repository)

    def projects(self) -> ProjectList:
        """Return every project that has, or ever had, a file: its name stays ours."""
        rows = Project.objects.filter(repository=self.repository).order_by("normalized")
        found = list(rows.values_list("name", "changed"))
        return ProjectList(
            names=tuple(name for name, _ in found),
            serial=max((changed for _, changed in found), default=0),
        )

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the files of `project`; none while it is quarantined (PEP 792)."""
        return self.page_of(self._project(project))

    def page_of(self, row: Project) -> ProjectPage:
        """Return the same for whoever has the project's row."""
        return local_page(row, self._files(row))

    def open(self, project: NormalizedName, filename: str, sha256: str = "") -> Stored:
        """Return where the bytes of `filename` are."""
        found = self._distribution(project, filename, sha256)
        if found.blob is None:  # only a deleted one has none; the database holds us to it
            raise FileNotFound(f"{filename} is not in {self.repository}.")
        return stored_of(found)

    def metadata(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return the stored core metadata of `filename`."""
        found = self._distribution(project, filename, sha256)
        stored = (
            StoredMetadata.objects.filter(distribution=found).first()
            if found.metadata_sha256
            else None
        )
        if stored is None:
            raise FileNotFound(f"{filename} in {self.repository} has no metadata file.")
        return bytes(stored.raw)

    def provenance(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return the stored provenance of `filename`."""
        found = self._distribution(project, filename, sha256)
        stored = (
            Provenance.objects.filter(distribution=found).first() if found.has_provenance else None
        )
        if stored is None:
            why = (
                "was attested by an issuer of one's own, which no provenance can name (PEP 740)."
                if found.is_attested
                else "has no attestations."
            )
            raise FileNotFound(f"{filename} in {self.repository} {why}")
        return bytes(stored.document)

    def _project(self, project: NormalizedName) -> Project:
        row = Project.objects.filter(repository=self.repository, normalized=project).first()
        if row is None:
            raise ProjectNotFound(f"There is no project {project} in {self.repository}.")
        return row

    def _files(self, project: Project) -> Iterator[PageFile]:
        """Yield the living files: of a long page models would take six times as long as values."""
        rows = Distribution.objects.filter(release__project=project, deleted_at__isnull=True)
        ordered = rows.order_by("release__version_key", "filename")
        return (_line(values) for values in ordered.values_list(*_COLUMNS))

    def _distribution(self, project: NormalizedName, filename: str, sha256: str) -> Distribution:
        """Return the living distribution, or say why there is none."""
        row = (
            Distribution.objects.select_related("blob", "release__project")
            .filter(
                release__project__normalized=project,
                repository=self.repository,
                filename=filename,
            )
            .first()
        )
        if row is None or row.release is None:
            self._project(project)  # a project that is not there is another answer
            raise FileNotFound(f"There is no file {filename} in {self.repository}.")
        row.repository = self.repository  # which is known with its tenant
        if row.deleted_at is not None:
            raise FileNotFound(f"{filename} was deleted from {self.repository}.")
        if sha256 and sha256 != row.sha256:
            raise FileNotFound(f"{filename} in {self.repository} has another sha256.")
        status = row.release.project.status
        if status == Project.Status.QUARANTINED:
            reason = row.release.project.status_reason
            raise FileWithheld(
                f"{project} in {self.repository} is quarantined{f': {reason}' if reason else ''}."
            )
        return row


def local_page(project: Project, files: Iterable[PageFile]) -> ProjectPage:
    """Return the page of a local's project, made of its living files in order."""
    is_withheld = project.status == Project.Status.QUARANTINED
    shown = () if is_withheld else tuple(files)
    return ProjectPage(
        name=NormalizedName(project.normalized),
        versions=tuple(dict.fromkeys(file.version for file in shown)),
        files=shown,
        status=project.status,
        status_reason=project.status_reason,
        serial=project.changed,
    )


def page_file(row: Distribution) -> PageFile:
    """Return the line of a distribution whose release is known."""
    return _line(_of_row(row))


def _line(values: Sequence[Any]) -> PageFile:
    filename, version, sha256, size, uploaded_at, requires_python, metadata_sha256, *more = values
    yanked, reason, all_yanked, reason_for_all, *more = more
    kind, python_tag, is_attested, has_provenance = more
    return PageFile(
        filename=filename,
        version=version,
        sha256=sha256,
        size=size,
        uploaded_at=uploaded_at,
        requires_python=requires_python,
        metadata_sha256=metadata_sha256,
        yanked_reason=(reason or reason_for_all) if yanked or all_yanked else None,
        kind=kind,
        python_tag=python_tag,
        is_attested=is_attested,
        has_provenance=has_provenance,
    )
