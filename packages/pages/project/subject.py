"""What a project's page is about: the project as its index shows it, one release, what we hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.principal import Principal
from accounts.roles import Role
from base.errors import LarderError
from packages.filenames import NameRefused, NormalizedName, parse_name
from packages.index.base import IndexUnavailable, PageFile, ProjectNotFound, ProjectPage
from packages.index.opening import open_for_people
from packages.metadata import CoreMetadata, readable_metadata
from packages.models import Distribution, Project, Reading, UpstreamMetadata
from packages.pages.project.releases import ReleaseFiles, named, newest_of, releases_of
from packages.upstream.refresh import kept_page
from repos.access import admitted
from repos.models import Kind, Repository

# Where a file comes from: a repository, and the scope in it.
Holder = tuple[int, str]
# Metadata files of one release; the first that is still listed is as good as another.
_LOOKED_AT = 5


@dataclass(frozen=True)
class Subject:
    """The project that a page is about, and the release of it."""

    by: Principal
    repository: Repository
    role: Role
    name: NormalizedName
    page: ProjectPage
    releases: Sequence[ReleaseFiles]
    newest: ReleaseFiles | None
    release: ReleaseFiles | None
    # The URL names the release; else it is the newest.
    is_of_release: bool
    # Why the page is less than it should be, in the index's words; None: it is not.
    unavailable: IndexUnavailable | None
    # Only of a virtual: which repository each file comes from, by its name; the same as a holder.
    origins: Mapping[str, Repository]
    holders: Mapping[str, Holder]
    # The rows of the release's files whose bytes we hold, by file name.
    held: Mapping[str, Distribution]

    @property
    def is_curated_here(self) -> bool:
        """Say whether it was published here, and not elsewhere or in a member."""
        return self.repository.kind == Kind.LOCAL

    @property
    def spelled(self) -> str:
        """Return the name as whoever uploads spells it, where that is known."""
        rows = (row for row in self.held.values() if row.release is not None)
        return next((row.release.project.name for row in rows if row.release), str(self.name))

    def all_held(self) -> QuerySet[Distribution]:
        """Return every living file that we hold of the release, or else of the project."""
        holders = set(self.holders.values()) or {_itself(self.repository)}
        of_holders = Q(pk__in=[])
        for repository, scope in holders:
            of_holders |= Q(repository=repository, release__project__scope=scope)
        rows = Distribution.objects.filter(
            of_holders, release__project__normalized=self.name, deleted_at__isnull=True
        )
        if self.is_of_release and self.release is not None:
            rows = rows.filter(filename__in=[file.filename for file in self.release.files])
        return rows


@dataclass(frozen=True, slots=True)
class Contents:
    """What the files of a release say of themselves, as far as we have read or been told it."""

    metadata: CoreMetadata | None
    # The file that says so, where we hold it, and what was read of it beyond.
    file: Distribution | None
    reading: Reading | None
    # Upstream's metadata file says so: the archive is not here.
    is_upstreams: bool

    @property
    def is_unknown(self) -> bool:
        """Say whether nothing of what is inside has been read or told."""
        return self.metadata is None and self.reading is None


def subject_of(principal: Principal, tenant: str, key: str, name: str, version: str) -> Subject:
    """Return what the page at this URL is about, for whoever may read it.

    Raises ProjectNotFound, also for a version that is not there, and IndexUnavailable when an
    upstream is silent and we hold nothing.
    """
    found = admitted(principal, tenant, key, Role.READER)
    repository = found.repository
    normalized = _normalized(name, repository)
    page, unavailable = _page(repository, normalized, principal)
    releases = releases_of(page)
    newest = newest_of(releases)
    release = named(releases, version) if version else newest
    if version and release is None and page.status != Project.Status.QUARANTINED:
        raise ProjectNotFound(f"There is no version {version[:100]} of {name} in {repository}.")
    origins = {
        file.filename: source for file, source in zip(page.files, page.sources, strict=False)
    }
    holders = {filename: source.id for filename, source in origins.items()}
    return Subject(
        by=principal,
        repository=repository,
        role=found.role,
        name=normalized,
        page=page,
        releases=releases,
        newest=newest,
        release=release,
        is_of_release=bool(version),
        unavailable=unavailable,
        origins={filename: source.repository for filename, source in origins.items()},
        holders=holders,
        held=_held(normalized, repository, release.files if release else (), holders),
    )


def contents_of(subject: Subject, *, asks: bool = False) -> Contents:
    """Return what is known of a release's contents: of a wheel, where it has one that we read.

    With `asks`, upstream is asked for a metadata file where nothing else is known. Raises
    IndexUnavailable when it is silent.
    """
    row = (
        Distribution.objects.filter(pk__in=[each.pk for each in subject.held.values()])
        .filter(Q(stored_metadata__isnull=False) | Q(reading__isnull=False))
        .select_related("stored_metadata", "reading", "release__project", "repository__state")
        .defer("reading__contents")
        .order_by("-kind", "filename")
        .first()
    )
    if row is not None:
        stored = getattr(row, "stored_metadata", None)
        metadata = readable_metadata(bytes(stored.raw)) if stored else None
        return Contents(metadata, row, getattr(row, "reading", None), is_upstreams=False)
    metadata = _upstreams_metadata(subject) or (_asked_for(subject) if asks else None)
    return Contents(metadata, None, None, is_upstreams=metadata is not None)


def _page(
    repository: Repository, name: NormalizedName, by: Principal
) -> tuple[ProjectPage, IndexUnavailable | None]:
    """Return the page, and why it holds no more than what we hold; None: it is whole."""
    try:
        return open_for_people(repository, by).page(name), None
    except IndexUnavailable as unavailable:
        try:
            page = open_for_people(repository, by, kept_page).page(name)
        except LarderError:  # we hold nothing either: what counts is that it cannot be asked
            raise unavailable from None
        return page, unavailable


def _normalized(name: str, repository: Repository) -> NormalizedName:
    try:
        return parse_name(name)
    except NameRefused:
        raise ProjectNotFound(f"There is no such project in {repository}.") from None


def _itself(repository: Repository) -> Holder:
    return repository.pk, ""


def _held(
    name: NormalizedName,
    repository: Repository,
    files: Sequence[PageFile],
    holders: Mapping[str, Holder],
) -> dict[str, Distribution]:
    """Return the rows of those files whose bytes we hold, by file name."""
    wanted = {file.filename: holders.get(file.filename, _itself(repository)) for file in files}
    rows = Distribution.objects.filter(
        repository__in={holder for holder, _ in wanted.values()},
        release__project__normalized=name,
        filename__in=list(wanted),
        deleted_at__isnull=True,
    ).select_related("release__project", "repository__tenant")
    return {
        row.filename: row
        for row in rows
        if row.release is not None
        and wanted[row.filename] == (row.repository_id, row.release.project.scope)
    }


def _upstreams_metadata(subject: Subject) -> CoreMetadata | None:
    """Return what upstream's metadata file says that somebody has asked for already."""
    files = subject.release.files if subject.release else ()
    absent = [file for file in files if file.metadata_sha256 and file.filename not in subject.held]
    if not absent:
        return None
    holders = {
        file.filename: subject.holders.get(file.filename, _itself(subject.repository))
        for file in absent
    }
    digests = {(*holders[file.filename], file.filename): file.metadata_sha256 for file in absent}
    rows = UpstreamMetadata.objects.filter(
        repository__in={repository for repository, _ in holders.values()},
        normalized=subject.name,
        filename__in=list(holders),
    ).order_by("-filename")
    for row in rows[:_LOOKED_AT]:
        if digests.get((row.repository_id, row.scope, row.filename)) == row.sha256:
            return readable_metadata(bytes(row.raw))
    return None


def _asked_for(subject: Subject) -> CoreMetadata | None:
    """Return what upstream's metadata file says, which is kept from now on."""
    for file in subject.release.files if subject.release else ():
        if file.metadata_sha256:
            index = open_for_people(subject.repository, subject.by)
            return readable_metadata(index.metadata(subject.name, file.filename, file.sha256))
    return None
