"""The index: a repository's behaviour as clients see it, and the values it speaks in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from base.errors import LarderError
from base.stamps import Stamp
from packages.filenames import NormalizedName
from packages.models import Distribution
from packages.storage import Readable
from repos.models import Repository
from repos.virtuals import Source


class ProjectNotFound(LarderError):
    """The index was read in full and has no such project."""


class FileNotFound(LarderError):
    """The project is there and has no such file."""


class FileWithheld(LarderError):
    """The file is there and is not given out; the sentence says why."""


class FileBroken(LarderError):
    """Upstream sent other bytes than it listed; the file is refused for a while."""


class IndexUnavailable(LarderError):
    """The index cannot answer now. Never to be taken for "has no such project"."""


class IndexNotServed(IndexUnavailable):
    """The repository is not set up to answer this: asking again is no use until somebody does."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer about a project stands on: while all of it holds, another one would be equal.

    The stamps were read before the rows. Beside them only `readable` can make the answers to two
    callers differ.
    """

    repository_id: int
    scope: str  # of a remote
    stamps: Mapping[int, Stamp]
    # Of a virtual: which of what is beneath it the caller may read.
    readable: frozenset[int] = frozenset()
    # Then upstreams are to be asked again; None: they had no part in it. Before that, what they
    # say anew moves the stamps.
    until: datetime | None = None

    @classmethod
    def of(cls, repository: Repository, scope: str = "", until: datetime | None = None) -> Ground:
        """Return the ground of what stands on one repository: its state was read with it."""
        return cls(repository.pk, scope, {repository.pk: repository.state.stamp}, until=until)


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file on a project page. It holds no URL: links are made where they are rendered."""

    # PEP 503: the anchor's text is the file's name.
    filename: str
    # The display spelling of its version, for PEP 700's `versions` and for people.
    version: str
    # PEP 503/691: a hash for the file; empty where upstream names none and we do not hold it.
    sha256: str
    # PEP 700: in bytes; None where upstream does not say and we do not hold it.
    size: int | None
    # PEP 700: "the time the file was uploaded to the index", upstream's for a remote's file.
    uploaded_at: datetime | None
    # PEP 503: `data-requires-python`; empty when the file does not say.
    requires_python: str
    # PEP 658/714: the digest of the file's metadata; empty when none is served.
    metadata_sha256: str
    # PEP 592: None when not yanked, else the reason, which may be empty.
    yanked_reason: str | None
    # The rest is for the legacy JSON API.
    kind: str
    python_tag: str
    # PEP 740: where upstream has the file's attestations; empty for none.
    provenance: str = ""
    # PEP 740: attestations were verified here; a provenance that tells of them is beside the file.
    is_attested: bool = False
    has_provenance: bool = False


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """What an index says of one name."""

    name: NormalizedName
    # PEP 700: all versions; here those with a file that is listed.
    versions: tuple[str, ...]
    # Ordered by version, then name.
    files: tuple[PageFile, ...]
    # PEP 792.
    status: str
    status_reason: str
    # The serial of the repository when the project last changed.
    serial: int
    # When upstream said so, if it cannot be asked now (RFC 9111 "stale"); None: this is current.
    stale_since: datetime | None = None
    # Of a virtual: where each of the files comes from, in their order. Whoever gets this page may
    # read all of these.
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectList:
    """All the names of an index, each in its display spelling, in order."""

    # More than one iteration may be asked for; a remote's does not hold them all at once.
    names: Iterable[str]
    serial: int
    # Of a list too long to be rendered at once: equal for equal lists, empty for a short one.
    digest: str = ""
    # As for a page.
    stale_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes of one file: where storage has them, and what is known of them."""

    filename: str
    repository_id: int  # of the local or remote that holds it
    storage_key: str
    size: int
    sha256: str
    uploaded_at: datetime
    # Its row, with release, project, blob and repository.
    row: Distribution = field(repr=False, compare=False)


def stored_of(row: Distribution, filename: str = "") -> Stored:
    """Return where the bytes of a living file are, under the spelling of its name asked for.

    Its row comes with the blob.
    """
    assert row.blob is not None  # noqa: S101 - a living one has its bytes
    return Stored(
        filename=filename or row.filename,
        repository_id=row.repository_id,
        storage_key=row.blob.storage_key,
        size=row.size,
        sha256=row.sha256,
        uploaded_at=row.uploaded_at,
        row=row,
    )


@dataclass(frozen=True, slots=True)
class Transfer:
    """The bytes of one file as upstream sends them."""

    # In bytes; None when neither the page nor upstream's answer says.
    size: int | None
    # Ends short of `size`, by raising, when upstream stops or the digest does not hold.
    stream: Readable


@dataclass(frozen=True, slots=True)
class Arriving:
    """One file that upstream has and we do not, yet: nothing is asked before it is begun."""

    filename: str
    repository_id: int  # of the remote that will hold it
    # As upstream's page says: in bytes, None when it does not.
    size: int | None
    # As upstream's page says; empty when it does not.
    sha256: str
    # Fetches it, for everybody who wants it now. Raises IndexUnavailable, FileBroken.
    begin: Callable[[], Stored | Transfer]
    # The same, and returns when all of it is here; None when it could not be kept.
    complete: Callable[[], Stored | None]


class Index(Protocol):
    """What every kind of repository answers.

    "Which files does this name have?" has one answer for page, file and metadata alike.
    """

    @property
    def ground(self) -> Ground | None:
        """Return what the last answer stands on; None: it is good for this once."""

    def projects(self) -> ProjectList:
        """Return all project names. Raises IndexUnavailable."""

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the files of `project`. Raises ProjectNotFound, IndexUnavailable."""

    def open(self, project: NormalizedName, filename: str, sha256: str = "") -> Stored | Arriving:
        """Return where the bytes of a file are; with `sha256`, of exactly these bytes.

        Raises ProjectNotFound, FileNotFound, FileWithheld, IndexUnavailable.
        """

    def metadata(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return a file's core metadata as in the archive (PEP 658). Raises as `open`."""

    def provenance(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return the attestations of a file that were verified here (PEP 740). Raises as `open`."""


class SourceIndex(Index, Protocol):
    """The index of a local or a remote, which is what a virtual answers from."""

    @property
    def until(self) -> datetime | None:
        """Return when upstream is to be asked again about what it has said here.

        None: there is no upstream.
        """
