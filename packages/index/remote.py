"""The index of a remote repository: what upstream says, over what we hold of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.db.models import QuerySet
from packaging.utils import canonicalize_name
from packaging.version import Version

from base import clock
from base.errors import LarderError
from base.quick_rows import find
from packages.filenames import NormalizedName, parse_filename_of
from packages.index.base import (
    Arriving,
    FileBroken,
    FileNotFound,
    FileWithheld,
    Ground,
    IndexNotServed,
    IndexUnavailable,
    PageFile,
    ProjectList,
    ProjectNotFound,
    ProjectPage,
    Stored,
    Transfer,
    stored_of,
)
from packages.models import Distribution, Project, StoredMetadata, UpstreamMetadata
from packages.upstream.changes import identity_of, is_same_file, matched
from packages.upstream.errors import (
    AddressRefused,
    CredentialsLost,
    UpstreamFailed,
    WrongBytes,
)
from packages.upstream.fetch import follow, wait_until_kept
from packages.upstream.links import Line
from packages.upstream.listing import known_list
from packages.upstream.receiving import Wanted
from packages.upstream.refresh import USE_NOTED_EVERY, Known, known_page
from packages.upstream.sidecars import fetched_metadata, kept_metadata
from packages.upstream.source import Source
from repos.access import RepositoryMissing
from repos.models import Repository, Upstream

_LOOKS_AT_MOST = 3
_USE_NOTED_EVERY = timedelta(hours=1)
_REMOVED = "removed upstream"
# Of metadata files, by the name of their file and its `Line.identity`.
Digests = Mapping[tuple[str, str], str]
AskForPage = Callable[[Source, NormalizedName], Known]


class KeptRows(Protocol):
    """What was read of a remote for many names at once."""

    def held(self, project: NormalizedName) -> Sequence[Distribution]:
        """Return the living files of a project, with release, project and blob."""

    def digests(self, project: NormalizedName) -> Digests:
        """Return the digests of the metadata files that are kept."""


_Change = Distribution.UpstreamChange


class RemoteIndex:
    """Answers from upstream's pages and from the files that were fetched before."""

    def __init__(
        self,
        repository: Repository,
        scope: str = "",
        ask: AskForPage = known_page,
        rows: KeptRows | None = None,
    ) -> None:
        """Take what knows the pages: `known_page` asks upstream where it must.

        With `rows`, take what has read the rows beside them already.
        """
        upstream: Upstream | None = getattr(repository, "upstream", None)
        if upstream is None:
            raise IndexNotServed(f"{repository} has no upstream yet. Its administrator sets one.")
        if not upstream.may_use_scope(scope):
            raise RepositoryMissing(f"There is no repository {repository}/{scope}.")
        self.repository = repository
        self.source = Source(repository, upstream, scope)
        self._ask = ask
        self._held = rows.held if rows else self._asked_held
        self._digests = rows.digests if rows else self._asked_digests
        # What we hold needs no upstream, but its use is noted.
        self.until = clock.now() + USE_NOTED_EVERY
        self._serial = 0  # of what upstream said, as far as it was asked for here

    @property
    def ground(self) -> Ground | None:
        """Return what every answer stands on; None: on what came after its stamps were read."""
        if self._serial > self.repository.state.serial:
            return None
        return Ground.of(self.repository, self.source.scope, self.until)

    def projects(self) -> ProjectList:
        """Return upstream's list of projects, without those that are left out here."""
        upstream = self.source.upstream
        if not upstream.lists_projects:
            raise IndexNotServed(f"{self.repository} does not pass its list of projects on.")
        with _unavailable():
            known = known_list(self.source)
        names: Iterable[str] = known.names
        if upstream.include or upstream.exclude:
            names = _Asked(known.names, upstream)
        # What is left out is a matter of settings, which the digest must tell apart too.
        left_out = repr((upstream.include, upstream.exclude)).encode()
        digest = hashlib.sha256(known.digest.encode() + left_out).hexdigest()
        return ProjectList(names, known.serial, digest, known.stale_since)

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return upstream's page of `project`, with the hashes of what we hold.

        A file that we hold and upstream removed stays, marked as yanked.
        """
        known = self._known(project)
        held = self._held(project)
        if known.document is None and not held:
            raise ProjectNotFound(f"There is no project {project} in {self.repository}.")
        files = tuple(self._files(project, known, held))
        status, reason = _status(known, files)
        return ProjectPage(
            name=project,
            versions=tuple(dict.fromkeys(file.version for file in files)),
            files=files,
            status=status,
            status_reason=reason,
            serial=max([known.serial, *(_project_of(row).changed for row in held)]),
            stale_since=known.stale_since,
        )

    def open(self, project: NormalizedName, filename: str, sha256: str = "") -> Stored | Arriving:
        """Return where the bytes of `filename` are, or what it takes to have them sent."""
        self._require_asked_for(project)
        held = self._held_file(project, filename)
        # What we hold under this very name needs no page: upstream may be away.
        if held is not None and held.filename == filename and sha256 in {"", held.sha256}:
            return self._stored(held, filename)
        line = self._line(project, filename, held)
        if sha256 and sha256 != (held.sha256 if held is not None else line.sha256):
            raise self._another(filename)
        return self._arriving(project, line) if held is None else self._stored(held, filename)

    def metadata(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return the core metadata of `filename`: upstream's, else that of the file we hold."""
        self._require_asked_for(project)
        held = self._held_file(project, filename)
        if held is not None and _is_quarantined(held):
            raise self._withheld(filename)
        if held is None or held.filename != filename:
            line: Line | None = self._line(project, filename, held)
        else:
            line = self._listed(self._known(project), filename, held)
        ours = held.sha256 if held is not None else line.sha256 if line is not None else ""
        if sha256 and sha256 != ours:
            raise self._another(filename)
        if line is not None and line.has_metadata and (held is None or is_same_file(line, held)):
            raw = kept_metadata(self.source, project, line)
            if raw is None:
                with _unavailable():
                    raw = fetched_metadata(self.source, project, line)
            return raw
        stored = StoredMetadata.objects.filter(distribution=held).first() if held else None
        if stored is None or held is None or not held.metadata_sha256:
            raise FileNotFound(f"{filename} in {self.repository} has no metadata file.")
        return bytes(stored.raw)

    def provenance(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:  # noqa: ARG002 - as the others
        """Refuse: upstream's attestations are passed on as the address that its page names."""
        self._require_asked_for(project)
        raise FileNotFound(
            f"{self.repository} serves no attestations of {filename}: its page names the address "
            "of those that the index upstream has."
        )

    def _arriving(self, project: NormalizedName, line: Line) -> Arriving:
        wanted = Wanted(self.source, project, line)

        def begin() -> Stored | Transfer:
            for _ in range(_LOOKS_AT_MOST):
                with _unavailable():
                    followed = follow(wanted)
                if followed is not None:
                    return Transfer(followed.size, followed.stream)
                if stored := come():
                    return stored
            raise IndexUnavailable(f"{line.filename} came and could not be kept. Try again.")

        def complete() -> Stored | None:
            with _unavailable():
                wait_until_kept(wanted)
            return come()

        def come() -> Stored | None:
            held = self._held_file(project, line.filename)
            if held is not None:
                self._require_same(line, held)
            return self._stored(held, line.filename) if held is not None else None

        return Arriving(line.filename, self.repository.pk, line.size, line.sha256, begin, complete)

    def _stored(self, held: Distribution, filename: str) -> Stored:
        """Return the bytes that we hold, under the spelling of their name that was asked for."""
        if _is_quarantined(held):
            raise self._withheld(filename)
        _note_use(held)
        return stored_of(held, filename)

    def _line(self, project: NormalizedName, filename: str, held: Distribution | None) -> Line:
        """Return upstream's line of a file, or say why there is none that we go by.

        Of a file that we hold under another spelling of its name it has to be the same file.
        """
        known = self._known(project)
        line = self._listed(known, filename, held)
        if line is None:
            if known.document is None and not self._held(project):
                raise ProjectNotFound(f"There is no project {project} in {self.repository}.")
            raise FileNotFound(f"There is no file {filename} in {self.repository}.")
        if held is not None and held.filename != filename:
            self._require_same(line, held)
        return line

    def _require_same(self, line: Line, held: Distribution) -> None:
        if not is_same_file(line, held):
            raise FileNotFound(
                f"{line.filename} is kept in {self.repository} as {held.filename}, and has other "
                "bytes."
            )

    def _listed(self, known: Known, filename: str, held: Distribution | None) -> Line | None:
        """Return the line of a file upstream, if it is there. Raises FileWithheld."""
        document = known.document
        if document is None:
            return None
        if document.status == Project.Status.QUARANTINED:
            if held is None:
                raise self._withheld(filename)
            return None
        return next((line for line in document.lines if line.filename == filename), None)

    def _held_file(self, project: NormalizedName, filename: str) -> Distribution | None:
        """Return the file that we hold under this name, or under another spelling of it."""
        try:
            named = parse_filename_of(filename, project)
        except LarderError:  # no name of a distribution, and so of none that we hold
            return None
        if not self._holds_some(project):
            return None
        rows = self._held_rows(project).select_related("blob", "release__project")
        row = rows.filter(identity=identity_of(named, self.source.scope)).first()
        if row is not None:
            row.repository = self.repository  # which is known with its tenant
        return row

    def _withheld(self, filename: str) -> FileWithheld:
        return FileWithheld(
            f"{filename} is quarantined upstream. Ask an administrator of {self.repository}."
        )

    def _another(self, filename: str) -> FileNotFound:
        return FileNotFound(f"{filename} in {self.repository} has another sha256.")

    def _require_asked_for(self, project: NormalizedName) -> None:
        if not self.source.upstream.may_ask_for(project):
            raise ProjectNotFound(f"{self.repository} is not asked for {project}: it is left out.")

    def _holds_some(self, project: NormalizedName) -> bool:
        """Say whether files of `project` were ever held: of most projects none were."""
        return find(Project, **self.source.place_of(project)) is not None

    def _held_rows(self, project: NormalizedName) -> QuerySet[Distribution]:
        return Distribution.objects.filter(
            repository=self.repository,
            release__project__scope=self.source.scope,
            release__project__normalized=project,
            deleted_at__isnull=True,
        )

    def _known(self, project: NormalizedName) -> Known:
        self._require_asked_for(project)
        with _unavailable():
            known = self._ask(self.source, project)
        self.until = min(self.until, known.until)
        self._serial = max(self._serial, known.serial)
        return known

    def _asked_held(self, project: NormalizedName) -> Sequence[Distribution]:
        if not self._holds_some(project):
            return ()
        return list(self._held_rows(project).select_related("blob", "release__project"))

    def _files(
        self, project: NormalizedName, known: Known, held: Collection[Distribution]
    ) -> list[PageFile]:
        """Return the lines in order: upstream's, and what is only here any more."""
        lines = known.document.lines if known.document is not None else ()
        if known.document is not None and known.document.status == Project.Status.QUARANTINED:
            lines = ()
        metadata = self._digests(project) if any(map(_hides_its_digest, lines)) else {}
        ours = matched(self.source, project, lines, held)
        files = [
            _page_file(
                line, row, metadata.get((line.filename, line.identity), "") if metadata else ""
            )
            for line in lines
            if (row := ours.rows.get(line.filename)) is None or not _is_quarantined(row)
        ]
        gone = [row for row in held if row.pk not in ours.lines]
        if left := [_only_here(row) for row in gone if not _is_quarantined(row)]:
            files = sorted(files + left, key=lambda file: (Version(file.version), file.filename))
        return files

    def _asked_digests(self, project: NormalizedName) -> Digests:
        rows = UpstreamMetadata.objects.filter(
            repository=self.repository, scope=self.source.scope, normalized=project
        )
        found = rows.values_list("filename", "of_file", "sha256")
        return {(filename, of_file): sha256 for filename, of_file, sha256 in found}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The names that upstream is asked for."""

    names: Iterable[str]
    upstream: Upstream

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.names if self.upstream.may_ask_for(canonicalize_name(name)))


@contextmanager
def _unavailable() -> Iterator[None]:
    """Say it as an index does when upstream does not answer: never that nothing is there."""
    try:
        yield
    except WrongBytes as wrong:
        raise FileBroken(wrong.sentence) from wrong
    except (AddressRefused, CredentialsLost) as unset:
        # A matter of settings: pip would come again five times, and then not say why.
        raise IndexNotServed(unset.sentence) from unset
    except UpstreamFailed as failure:
        raise IndexUnavailable(failure.sentence) from failure


def _note_use(held: Distribution) -> None:
    now = clock.now()
    if held.used_at is None or held.used_at < now - _USE_NOTED_EVERY:
        Distribution.objects.filter(pk=held.pk).update(used_at=now)


def _project_of(row: Distribution) -> Project:
    assert row.release is not None  # noqa: S101 - the query selects by release
    return row.release.project


def _is_quarantined(row: Distribution) -> bool:
    return row.upstream_change == _Change.QUARANTINED


def _hides_its_digest(line: Line) -> bool:
    return line.has_metadata and not line.metadata_sha256


def _status(known: Known, files: tuple[PageFile, ...]) -> tuple[str, str]:
    """PEP 792: upstream's marker; a quarantine that was lifted for some files is over for them."""
    document = known.document
    if document is None or (document.status == Project.Status.QUARANTINED and files):
        return Project.Status.ACTIVE, ""
    return document.status, document.status_reason


def _page_file(line: Line, held: Distribution | None, metadata_sha256: str) -> PageFile:
    """Return upstream's line; where it names no hash, or another than ours, ours stands."""
    if held is not None and not is_same_file(line, held):
        return _from_row(held, line.yanked_reason)
    ours = held.metadata_sha256 if held is not None else ""
    return PageFile(
        filename=line.filename,
        version=line.version,
        sha256=held.sha256 if held is not None else line.sha256,
        size=held.size if held is not None else line.size,
        uploaded_at=line.uploaded_at,
        requires_python=line.requires_python or (held.requires_python if held is not None else ""),
        # Advertised only when it can be had: named by its digest upstream, or kept here.
        metadata_sha256=line.metadata_sha256 or metadata_sha256 or ours,
        yanked_reason=line.yanked_reason,
        kind=line.kind,
        python_tag=line.python_tag,
        provenance=line.provenance,
    )


def _only_here(row: Distribution) -> PageFile:
    return _from_row(row, _REMOVED)


def _from_row(row: Distribution, yanked_reason: str | None) -> PageFile:
    assert row.release is not None  # noqa: S101 - the query selects by release
    return PageFile(
        filename=row.filename,
        version=row.release.version,
        sha256=row.sha256,
        size=row.size,
        uploaded_at=None,  # upstream's time is not known any more, and ours would mislead
        requires_python=row.requires_python,
        metadata_sha256=row.metadata_sha256,
        yanked_reason=yanked_reason,
        kind=row.kind,
        python_tag=row.python_tag,
    )
