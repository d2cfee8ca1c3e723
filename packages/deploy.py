"""Puts an archive at a path without reading it: the raw deploy of scripts and of the web page.

It is kept at once and listed once extraction has named it (packages.extraction.naming). Sizes,
quota, rights and tombstones are those of `publish`; what is at the path is the only thing that is
compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from accounts.authentication import again
from accounts.principal import Principal
from base import audit
from packages import storage
from packages.blobs import RACES_AT_MOST, RaceLost, blob_row, write_with_bytes, writing_rows
from packages.changes import contents_changed, file_waits, locked_project
from packages.describe import judge_properties, judge_token, set_by_person
from packages.filenames import parse_name, parse_version, require_archive_name, shown
from packages.models import Distribution, Property
from packages.places import refuse_closed, refuse_deleted, same_file
from packages.properties import Properties, write_properties
from packages.pypi_properties import NAME, VERSION
from packages.room import Spot, judge_room, limited, take_room, too_large
from packages.rows import hold_bytes, row_at
from packages.storage import Spooled
from packages.uploads import UploadRefused
from repos.models import Kind, Repository
from repos.targets import Target

MAX_PATH = 500
# What a path is made of, segment by segment: as of file names, nothing with a meaning in a URL.
_SEGMENT = re.compile(r"(?!\.)[A-Za-z0-9._+!-]+")


class PathRefused(UploadRefused):
    """A file cannot be put at this path."""


class OtherDigest(UploadRefused):
    """The bytes that came are not those that the client hashed."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a raw deploy came to."""

    distribution: Distribution
    created: bool  # False: the same bytes were at the path already


def deploy(  # noqa: PLR0913 - a deploy has this many parts
    *,
    repository: Repository,
    path: str,
    chunks: Iterable[bytes],
    by: Principal,
    properties: Properties | None = None,
    digests: Mapping[str, str] | None = None,
    declared_size: int = 0,
    through: Repository | None = None,
) -> Deployed:
    """Put the file that `chunks` make at `path`, with properties that a person gives it.

    `digests` has what the client hashed, by the names that `Spooled` has for it. `through` is the
    virtual that it was sent to, if it was one. The same bytes again change nothing but the
    properties. Raises PathRefused, PropertyRefused, OtherDigest, UploadRefused and its kin,
    FileExists, ReleaseClosed, QuotaExceeded, FileTooLarge, or what `require` raises.
    """
    given = properties or {}
    _judge(repository, path, given, by)
    spot = _spot(repository, path)
    refuse_deleted(spot, by)
    _judge_replaced(spot, by)
    if declared_size > repository.max_file_bytes:
        raise too_large(repository)
    if spot.distribution is None:  # the same bytes again need no room
        judge_room(spot, declared_size)
    with storage.spooled(
        limited(repository, spot if spot.distribution is None else None, chunks)
    ) as spool:
        _compare_digests(spool, digests or {})
        done = _store(_Deploy(Target(repository, through), path, spool, given), by)
    if not done.created:
        _describe_again(done.distribution, Target(repository, through), given, by)
    return done


def _compare_digests(spool: Spooled, digests: Mapping[str, str]) -> None:
    for name, sent in digests.items():
        ours: str = getattr(spool, name)
        if sent.lower() != ours:
            raise OtherDigest(
                f"The {name} of what arrived is {ours}, and not {shown(sent)}. Send the file again."
            )


def _describe_again(there: Distribution, target: Target, given: Properties, by: Principal) -> None:
    """Set the properties that came with bytes that were there; its own name is no change."""
    release = there.release
    own = {}
    if release is not None:
        own = {NAME: release.project.normalized, VERSION: release.version}
    new = {name: values for name, values in given.items() if not _says(name, values, own)}
    if new:
        present = again(by)
        target.again(present)
        judge_token(there, {}, present)
        set_by_person(there, new, by=by.actor)


def _says(name: str, values: Sequence[str], own: Mapping[str, str]) -> bool:
    """Say whether a property only names a file as it is named."""
    if name not in own:
        return False
    parse = parse_name if name == NAME else parse_version
    return {parse(value) for value in values} == {parse(own[name])}


@dataclass(frozen=True, slots=True)
class _Deploy:
    """A received file and where it goes."""

    target: Target
    path: str
    spool: Spooled
    properties: Properties


def _judge(repository: Repository, path: str, properties: Properties, by: Principal) -> None:
    if repository.kind != Kind.LOCAL:
        raise UploadRefused(
            f"{repository} is a {repository.kind} repository and takes no uploads. "
            "Deploy to a local one."
        )
    if len(path) > MAX_PATH:
        raise PathRefused(f"The path is {len(path)} characters long; {MAX_PATH} are the most.")
    *folders, filename = path.split("/")
    require_archive_name(filename)
    if not all(_SEGMENT.fullmatch(folder) for folder in folders):
        raise PathRefused(
            f"{shown(path)} is no path for a file: use folders of ASCII letters, digits and "
            ". _ - + !, divided by single slashes, none of which starts with a dot."
        )
    judge_properties(properties)
    judge_token(None, properties, by)


def _judge_replaced(spot: Spot, by: Principal) -> None:
    """Refuse to touch a listed file that the caller's token, or its project, lets nobody touch."""
    there = spot.distribution
    if there is not None and there.release is not None:
        judge_token(there, {}, by)
        refuse_closed(there.release.project)


def _spot(repository: Repository, path: str) -> Spot:
    """Return what is at the path: a living file before a deleted one, one without a name first."""
    found = (
        Distribution.objects.select_related("release__project")
        .filter(repository=repository, path=path)
        .order_by(F("deleted_at").asc(nulls_first=True), F("release").asc(nulls_first=True), "pk")
        .first()
    )
    return Spot(repository, path.rpartition("/")[2], found)


def _store(asked: _Deploy, by: Principal) -> Deployed:
    """Make the bytes durable, then write the rows; look again when somebody was faster."""

    def write(key: str | None) -> Distribution:
        return _commit(asked, key, by)

    repository, spool = asked.target.repository, asked.spool
    for _ in range(RACES_AT_MOST):
        spot = _spot(repository, asked.path)
        refuse_deleted(spot, by)
        if same := same_file(spot, spool):
            return Deployed(distribution=same, created=False)
        judge_room(spot, spool.size)
        try:
            row = write_with_bytes(repository.tenant_id, spool, write)
            return Deployed(distribution=row, created=True)
        except RaceLost:
            continue
    raise UploadRefused(f"{shown(asked.path)} is being deployed by others. Try again.")


def _commit(asked: _Deploy, key: str | None, by: Principal) -> Distribution:
    """Write everything in one transaction, and ask again what may have changed."""
    with writing_rows():
        present = again(by)
        judge_token(None, asked.properties, present)
        repository = asked.target.again(present)
        blob = blob_row(repository.tenant_id, asked.spool, key)
        spot = _locked_spot(repository, asked, present)
        _judge_replaced(spot, present)
        release = spot.distribution.release if spot.distribution is not None else None
        row = row_at(spot)
        hold_bytes(row, asked.spool, blob, by)
        _take_name_off(row, asked.path)
        write_properties(row, asked.properties, origin=Property.Origin.PERSON)
        _record(spot, row, asked.properties, by)
        take_room(spot, row.size)
        if release is None:
            file_waits(repository)
        else:  # it was listed, and is again when it has been read
            contents_changed(release.project, repository_waits_for=repository.quiet_period)
    return row


def _locked_spot(repository: Repository, asked: _Deploy, by: Principal) -> Spot:
    """Return what is at the path, under the lock of its project if it has one."""
    there = _spot(repository, asked.path).distribution
    if there is not None and there.release is not None:
        locked_project(there.release.project_id)
    spot = _spot(repository, asked.path)
    refuse_deleted(spot, by)
    if same_file(spot, asked.spool) is not None or spot.distribution != there:
        raise RaceLost  # the same bytes arrived meanwhile, or it was named
    return spot


def _take_name_off(row: Distribution, path: str) -> None:
    """Save a row as a file of which nothing is known but its path: it is not listed."""
    row.path = path
    # No name of a project has a slash, so that no other file is ever taken for this one.
    row.identity = f"/{path}"
    row.release, row.kind, row.python_tag = None, "", ""
    row.requires_python, row.metadata_sha256, row.findings = "", "", []
    row.save()


def _record(spot: Spot, row: Distribution, given: Properties, by: Principal) -> None:
    before = spot.replaced
    audit.record(
        by=by.actor,
        action="distribution.overwrite" if before else "distribution.deploy",
        tenant=spot.repository.tenant.slug,
        repository=str(spot.repository),
        subject=f"{spot.repository}/{row.filename}",
        before=before,
        after={
            "path": row.path,
            "sha256": row.sha256,
            "size": row.size,
            "properties": {name: list(values) for name, values in given.items()},
        },
    )
