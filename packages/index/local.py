"""The index of a local repository: what was published here."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

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


class LocalIndex:
    """Answers from this repository's rows alone."""

    until = None  # it has no upstream

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    @property
    def ground(self) -> Ground:
        """Return what every answer stands on: the state was read with the repository."""
        pk = self.repository.pk
        return Ground(pk, "", {pk: self.repository.state.stamp})

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

    def _files(self, project: Project) -> QuerySet[Distribution]:
        return (
            Distribution.objects.filter(release__project=project, deleted_at__isnull=True)
            .select_related("release")
            .order_by("release__version_key", "filename")
        )

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


def local_page(project: Project, rows: Iterable[Distribution]) -> ProjectPage:
    """Return the page of a local's project, made of its living files in order."""
    is_withheld = project.status == Project.Status.QUARANTINED
    files = () if is_withheld else tuple(page_file(row) for row in rows)
    return ProjectPage(
        name=NormalizedName(project.normalized),
        versions=tuple(dict.fromkeys(file.version for file in files)),
        files=files,
        status=project.status,
        status_reason=project.status_reason,
        serial=project.changed,
    )


def page_file(row: Distribution) -> PageFile:
    """Return the line of a distribution whose release is known."""
    release = row.release
    assert release is not None  # noqa: S101 - the query selects by release
    yanked = row.yanked or release.yanked
    return PageFile(
        filename=row.filename,
        version=release.version,
        sha256=row.sha256,
        size=row.size,
        uploaded_at=row.uploaded_at,
        requires_python=row.requires_python,
        metadata_sha256=row.metadata_sha256,
        yanked_reason=(row.yanked_reason or release.yanked_reason) if yanked else None,
        kind=row.kind,
        python_tag=row.python_tag,
        is_attested=row.is_attested,
        has_provenance=row.has_provenance,
    )
