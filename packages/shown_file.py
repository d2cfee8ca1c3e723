"""One file as a repository shows it to a reader: held here, or only listed by an index upstream."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.principal import Principal
from packages.filenames import (
    NameRefused,
    NormalizedName,
    VersionRefused,
    parse_name,
    parse_version,
    shown,
)
from packages.index.base import (
    FileNotFound,
    PageFile,
    ProjectNotFound,
    ProjectPage,
    Stored,
    stored_of,
)
from packages.index.keepers import IS_QUARANTINED
from packages.index.opening import open_index
from packages.index.virtual import entered
from packages.models import Distribution
from packages.upstream.links import Document, Line
from packages.upstream.refresh import kept_page
from packages.upstream.source import Source
from repos.models import Kind, Repository, Upstream


@dataclass(frozen=True, slots=True)
class ShownFile:
    """What a repository has under one file name."""

    filename: str
    project: str  # normalised; it and the version are empty for a file that has no name yet
    version: str
    row: Distribution | None  # None: it comes with the first download
    held: Stored | None  # where its bytes are, with the row
    line: PageFile | None  # of what is not held: as the index upstream lists it
    is_withheld: bool = False  # held, and given to nobody: deleted or quarantined


def shown_file(  # noqa: PLR0913 - a file has this many coordinates
    repository: Repository, project: str, version: str, filename: str, *, by: Principal, scope: str
) -> ShownFile:
    """Return a file as `repository` gives it out to `by`.

    Raises what the index raises: ProjectNotFound, FileNotFound, FileWithheld, IndexUnavailable.
    """
    name = parsed_name(repository, project)
    if not filename.isprintable():  # PostgreSQL would not even look for a NUL
        raise FileNotFound(f"There is no such file in {repository}.")
    index = open_index(repository, by, scope)
    found = index.open(name, filename)
    if isinstance(found, Stored):
        row = found.row
        there = ShownFile(filename, name, _version(row), row, found, None)
    else:
        line = _line(index.page(name), filename)
        if line is None:
            raise FileNotFound(f"There is no file {filename} in {repository}.")
        there = ShownFile(filename, name, line.version, None, None, line)
    if not _is_same_version(version, there.version):
        raise FileNotFound(f"{filename} in {repository} is not of version {version}.")
    return there


def unlisted_file(repository: Repository, path: str) -> ShownFile:
    """Return a file that was put into a repository and has no name yet. Raises FileNotFound.

    One that has got its name by now is returned too: it has moved to the page of its name.
    """
    rows = _rows().filter(repository=repository, path=path, deleted_at=None)
    row = rows.first() if path.isprintable() else None  # as above
    if row is None:
        raise FileNotFound(f"There is no file {shown(path)} in {repository}.")
    project = row.release.project.normalized if row.release is not None else ""
    return ShownFile(row.filename, project, _version(row), row, stored_of(row), None)


def withheld_file(
    repository: Repository, project: str, version: str, filename: str, *, scope: str
) -> ShownFile | None:
    """Return a file that is held and given to nobody; for those who may give it out again.

    Of a deleted one the bytes have to be there still.
    """
    name = parsed_name(repository, project)
    rows = withheld_in(repository, name, scope).filter(filename=filename)
    row = rows.first() if filename.isprintable() else None
    if row is None or not _is_same_version(version, _version(row)):
        return None
    return ShownFile(filename, name, _version(row), row, stored_of(row), None, is_withheld=True)


def withheld_in(
    repository: Repository, name: NormalizedName, scope: str = ""
) -> QuerySet[Distribution]:
    """Return the files of a project that are held and given to nobody."""
    return _rows().filter(
        Q(deleted_at__isnull=False) | IS_QUARANTINED,
        repository=repository,
        release__project__normalized=name,
        release__project__scope=scope,
        blob__isnull=False,
    )


def deleted_unlisted_file(repository: Repository, path: str) -> ShownFile | None:
    """Return a deleted file that had no name, as long as its bytes are there."""
    rows = _rows().filter(
        repository=repository,
        path=path,
        release=None,
        deleted_at__isnull=False,
        blob__isnull=False,
    )
    row = rows.first() if path.isprintable() else None  # as above
    if row is None:
        return None
    return ShownFile(row.filename, "", "", row, stored_of(row), None, is_withheld=True)


def held_rows(
    repository: Repository, name: NormalizedName, filenames: Collection[str], *, by: Principal
) -> list[Distribution]:
    """Return the rows of files that `repository` shows, with what was read in them.

    Of a virtual, in all that is beneath it and that `by` may read: a line tells by its digest
    which bytes it means.
    """
    places = {repository.pk}
    if repository.kind == Kind.VIRTUAL:
        where, readable = entered(repository, by)
        places = set(where.tree.beneath & readable)
    rows = Distribution.objects.filter(
        repository__in=places,
        filename__in=filenames,
        release__project__normalized=name,
        deleted_at=None,
    )
    return list(rows.select_related("reading", "stored_metadata", "blob"))


def upstream_line(row: Distribution) -> Line | None:
    """Return what the index behind a remote last said of a file that it holds; nobody is asked."""
    document = _kept_document(row)
    lines = document.lines if document is not None else ()
    return next((line for line in lines if line.filename == row.filename), None)


def upstream_status_reason(row: Distribution) -> str:
    """Return why the index behind a remote gave a held file's project its status; likewise."""
    document = _kept_document(row)
    return document.status_reason if document is not None else ""


def _kept_document(row: Distribution) -> Document | None:
    if row.release is None or row.repository.kind != Kind.REMOTE:
        return None
    upstream: Upstream | None = getattr(row.repository, "upstream", None)
    if upstream is None:
        return None
    project = row.release.project
    source = Source(row.repository, upstream, project.scope)
    return kept_page(source, parse_name(project.normalized)).document


def parsed_name(repository: Repository, project: str) -> NormalizedName:
    """Return a project's name out of a URL; what is none is no project. Raises ProjectNotFound."""
    try:
        return parse_name(project)
    except NameRefused:
        raise ProjectNotFound(f"There is no such project in {repository}.") from None


def _rows() -> QuerySet[Distribution]:
    return Distribution.objects.select_related("release__project", "repository__tenant", "blob")


def _version(row: Distribution) -> str:
    return row.release.version if row.release is not None else ""


def _line(page: ProjectPage, filename: str) -> PageFile | None:
    return next((line for line in page.files if line.filename == filename), None)


def _is_same_version(asked: str, version: str) -> bool:
    try:
        return parse_version(asked) == parse_version(version)
    except VersionRefused:  # an index upstream calls what it likes a version
        return asked == version
