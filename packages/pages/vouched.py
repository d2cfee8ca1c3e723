"""What the pages of files and projects tell of who built and published them, by who vouches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.principal import Principal
from accounts.roles import Role
from packages.metadata import CoreMetadata
from packages.models import Distribution
from packages.provenance import (
    Build,
    attestations,
    provenance_of,
    provenances,
    published_by,
)
from repos.access import may
from repos.models import Repository

# Of a release with more files than this, the first tell of the others.
_FILES_READ = 100
# What may follow the address of a repository that is meant. Browsers take `..` for a step up,
# however it is spelled (`%2e`, a backslash, a tab between the points): what is odd leads elsewhere.
_BELOW = re.compile(r"(/(?!\.\.?([/?#]|$))[\w.~@+-]+)*/?([?#].*)?")


@dataclass(slots=True)
class Vouched:
    """A run of CI, and which files of those on the page it vouches for, by what."""

    build: Build
    files: list[str] = field(default_factory=list)
    predicates: list[str] = field(default_factory=list)  # empty: its issuer said so at the upload
    logged_at: datetime | None = None
    is_same_run: bool = False  # of what the issuer said: an attestation names the run too


@dataclass(frozen=True, slots=True)
class Vouching:
    """All that vouches for some files: what was verified, and what the issuer of CI said."""

    verified: list[Vouched]
    said: list[Vouched]

    def names(self, url: str) -> bool:
        """Say whether an address is that of a repository that a verified attestation names."""
        sources = (each.build.source_url for each in self.verified)
        wanted = _comparable(url)
        return any(source and _is_in(wanted, _comparable(source)) for source in sources)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An address that a file's metadata gives: anybody can write any there."""

    label: str
    target: str
    is_verified: bool  # it is the repository that an attestation names


@dataclass(frozen=True, slots=True)
class CheckedWhere:
    """When what vouches for a file was checked, and where it was uploaded then."""

    at: datetime
    is_elsewhere: bool
    repository: Repository | None  # the other one, for who may read it


def vouching_for(files: Sequence[Distribution], by: Principal) -> Vouching:
    """Return what vouches for files that `by` may read, in one question."""
    rows = provenances().filter(distribution__in=[row.pk for row in files])
    names = {row.pk: row.filename for row in files}
    found = Vouching([], [])
    for row in rows.order_by("distribution__filename")[:_FILES_READ]:
        name = names[row.distribution_id]
        for each in attestations(row):
            _add(found.verified, each.build, name, each.predicate, each.logged_at)
        if (build := published_by(row, by)) is not None:
            _add(found.said, build, name)
    runs = {each.build.run for each in found.verified if each.build.run}
    for told in found.said:
        told.is_same_run = told.build.run in runs
    return found


def checked_where(row: Distribution, by: Principal) -> CheckedWhere | None:
    """Return when and where what vouches for a file was checked; None: nobody vouches for it."""
    found = provenance_of(row, by)
    if found is None:
        return None
    is_elsewhere = found.uploaded_to_id != row.repository_id
    is_told = is_elsewhere and may(by, found.uploaded_to, Role.READER)
    return CheckedWhere(found.uploaded_at, is_elsewhere, found.uploaded_to if is_told else None)


def claimed_by(metadata: CoreMetadata | None, vouching: Vouching) -> list[Claimed]:
    """Return the addresses in a file's metadata, and which of them an attestation bears out."""
    if metadata is None:
        return []
    home = [("Home page", metadata.home_page)] if metadata.home_page else []
    addresses = [*home, *metadata.project_urls]
    return [Claimed(label, target, vouching.names(target)) for label, target in addresses]


def _add(
    to: list[Vouched], build: Build, name: str, predicate: str = "", at: datetime | None = None
) -> None:
    known = next((each for each in to if each.build == build), None)
    if known is None:
        known = Vouched(build, logged_at=at)
        to.append(known)
    if name not in known.files:
        known.files.append(name)
    if predicate and predicate not in known.predicates:
        known.predicates.append(predicate)


def _is_in(wanted: str, source: str) -> bool:
    """Say whether an address is a repository's, or of something in it, as a browser reads it."""
    return wanted.startswith(source) and _BELOW.fullmatch(wanted, len(source)) is not None


def _comparable(url: str) -> str:
    return url.strip().rstrip("/").removesuffix(".git").lower()
