"""Accepts an upload: the use case behind twine, uv and every other publishing client.

The order is what makes it safe. Fields are judged before the file is read; bytes are durable
before the row that names them commits; what may have changed meanwhile is asked again inside
the transaction. A crash at any point leaves a spool file or a loose object, never a row without
its bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from packaging.utils import canonicalize_version

from accounts.authentication import again
from accounts.models import Tenant
from accounts.principal import Principal
from accounts.roles import Role
from base import audit, clock
from base.errors import InvalidInput, LarderError
from packages import storage
from packages.archive import read_core_metadata
from packages.changes import contents_changed, locked_project
from packages.filenames import (
    DistributionName,
    NormalizedName,
    parse_filename,
    parse_name,
    parse_version,
)
from packages.metadata import CoreMetadata, metadata_is_servable, parse_core_metadata
from packages.models import (
    Blob,
    Distribution,
    LooseObject,
    Project,
    Property,
    Release,
    StoredMetadata,
)
from packages.storage import Spooled
from packages.versions import version_key
from repos.access import RoleMissing, require
from repos.models import Kind, Repository
from repos.stamps import locked_state

_QUIET_PERIODS_AT_MOST = 10
_RACES_AT_MOST = 5
_REQUIRES_PYTHON_AT_MOST = 500
# What a client declares is the rest of its form; fields may follow the file.
_FORM_AROUND_THE_FILE = 1024 * 1024


class UploadRefused(InvalidInput):
    """The upload breaks a rule; nothing was changed."""


class FileExists(LarderError):
    """The name is taken by other bytes. "File already exists" are the words clients look for."""


class QuotaExceeded(LarderError):
    """The tenant has no room for the file."""


class ProjectClosed(LarderError):
    """The project takes no uploads (PEP 792: archived or quarantined)."""


@dataclass(slots=True)
class Upload:
    """One upload as a door received it.

    `fields` may still grow while `chunks` is read: old distutils sends most of its form behind
    the file.
    """

    filename: str
    chunks: Iterable[bytes]
    fields: dict[str, list[str]] = field(default_factory=dict)
    declared_size: int | None = None

    def value(self, name: str) -> str:
        """Return a field's first value, stripped; empty when it is absent or "UNKNOWN"."""
        text = next(iter(self.fields.get(name, ())), "").strip()
        return "" if text == "UNKNOWN" else text


@dataclass(frozen=True, slots=True)
class Published:
    """What an upload came to."""

    distribution: Distribution
    created: bool  # False: the same bytes were here already, nothing was changed


@dataclass(frozen=True, slots=True)
class _Accepted:
    """An upload that has passed every check that needs no lock."""

    repository: Repository
    named: DistributionName
    spool: Spooled
    metadata: CoreMetadata | None
    properties: Mapping[str, str]
    requires_python: str


def publish(*, repository: Repository, upload: Upload, by: Principal) -> Published:
    """Take `upload` into `repository` and return its distribution, installable from now on.

    Raises UploadRefused and its kin (names, archive, digests), FileExists, ProjectClosed,
    QuotaExceeded, FileTooLarge, or what `require` raises. Publishing the same bytes again
    changes nothing and is no error.
    """
    judge(repository=repository, upload=upload, by=by)
    with storage.spooled(upload.chunks, limit=repository.max_file_bytes) as spool:
        named = _judge_name(upload)
        _judge_project(repository, named.normalized, by)
        _compare_digests(upload, spool)
        if same := _already_here(repository, named, spool):
            return Published(distribution=same, created=False)
        accepted = _open_archive(repository, upload, named, spool)
        _judge_quota(repository, spool.size)
        return _store(accepted, by)


def judge(*, repository: Repository, upload: Upload, by: Principal) -> None:
    """Refuse what the fields that came before the file already tell."""
    if repository.kind != Kind.LOCAL:
        raise UploadRefused(
            f"{repository} is a {repository.kind} repository and takes no uploads. "
            "Publish to a local one."
        )
    declared = upload.declared_size or 0
    if declared > repository.max_file_bytes + _FORM_AROUND_THE_FILE:
        raise storage.FileTooLarge(
            f"The file is too large: {repository} takes {repository.max_file_bytes} bytes."
        )
    if upload.value("name") and upload.value("version"):
        _judge_project(repository, _judge_name(upload).normalized, by)


def _judge_name(upload: Upload) -> DistributionName:
    """Return what the file name says, once it agrees with the form."""
    for needed in ("name", "version"):
        if not upload.value(needed):
            raise UploadRefused(f"The form has no {needed}.")
    parse_name(upload.value("name"))
    parse_version(upload.value("version"))
    return parse_filename(
        upload.filename,
        name=upload.value("name"),
        version=upload.value("version"),
        filetype=upload.value("filetype"),
    )


def _judge_token(name: NormalizedName, by: Principal) -> None:
    if by.token is not None and not by.token.allows_project(name):
        raise RoleMissing(f"This token may not publish {name}. Use one that is allowed to.")


def _judge_project(repository: Repository, name: NormalizedName, by: Principal) -> None:
    _judge_token(name, by)
    project = Project.objects.filter(repository=repository, normalized=name).first()
    if project is not None:
        _refuse_closed(project)


def _refuse_closed(project: Project) -> None:
    if project.status in {Project.Status.ARCHIVED, Project.Status.QUARANTINED}:
        reason = f": {project.status_reason}" if project.status_reason else ""
        raise ProjectClosed(
            f"{project.normalized} is {project.status} and takes no uploads{reason}."
        )


def _compare_digests(upload: Upload, spool: Spooled) -> None:
    """Refuse a file whose bytes are not those that the client hashed."""
    ours = {
        "sha256_digest": spool.sha256,
        "md5_digest": spool.md5,
        "blake2_256_digest": spool.blake2b_256,
    }
    for name, digest in ours.items():
        sent = upload.value(name).lower()
        # Old distutils sends a BLAKE2b-512 under this name: what has another length is another
        # digest, not a wrong one.
        if sent and len(sent) == len(digest) and sent != digest:
            raise UploadRefused(
                f"{upload.filename} arrived damaged: its {name} is {digest}, {sent} was sent."
            )


def _already_here(
    repository: Repository, named: DistributionName, spool: Spooled
) -> Distribution | None:
    """Return the distribution with this name and these bytes; refuse the name with others."""
    found = (
        Distribution.objects.select_related("release")
        .filter(repository=repository, identity=named.identity)
        .first()
    )
    if found is None:
        return None
    if found.deleted_at is not None:
        raise UploadRefused(
            f"{found.filename} was deleted from {repository} and its name cannot be used again. "
            "Restore it, or raise the version."
        )
    if found.sha256 != spool.sha256:
        raise FileExists(
            f"File already exists: {found.filename} is in {repository} with other contents "
            f"(sha256 {found.sha256} here, {spool.sha256} sent). Raise the version."
        )
    return found


def _open_archive(
    repository: Repository, upload: Upload, named: DistributionName, spool: Spooled
) -> _Accepted:
    """Read the archive's own metadata; refuse it when its name or version is another."""
    raw = read_core_metadata(spool.path, named)
    metadata = None if raw is None else parse_core_metadata(raw)
    if metadata is not None:
        _refuse_other_identity(metadata, named)
    requires_python = metadata.requires_python if metadata else upload.value("requires_python")
    if len(requires_python) > _REQUIRES_PYTHON_AT_MOST:
        raise UploadRefused(
            f"{named.filename} has a Requires-Python of {len(requires_python)} characters; "
            f"{_REQUIRES_PYTHON_AT_MOST} is the most."
        )
    return _Accepted(
        repository=repository,
        named=named,
        spool=spool,
        metadata=metadata,
        properties=_properties(upload, named),
        requires_python=requires_python,
    )


def _refuse_other_identity(metadata: CoreMetadata, named: DistributionName) -> None:
    if parse_name(metadata.name) != named.normalized:
        raise UploadRefused(
            f"{named.filename} says inside that its name is {metadata.name}, not {named.name}."
        )
    if parse_version(metadata.version) != named.version:
        raise UploadRefused(
            f"{named.filename} says inside that its version is {metadata.version}, "
            f"not {named.version}."
        )


def _properties(upload: Upload, named: DistributionName) -> dict[str, str]:
    """Return the `pypi.*` properties that hold until extraction has read the archive."""
    properties = {
        "pypi.name": upload.value("name"),
        "pypi.normalized.name": named.normalized,
        "pypi.version": upload.value("version"),
        "pypi.summary": upload.value("summary"),
        "pypi.requires.python": upload.value("requires_python"),
    }
    longest = Property._meta.get_field("value").max_length  # noqa: SLF001 - Django's public way
    return {name: value[:longest] for name, value in properties.items() if value}


class _RaceLost(Exception):
    """Another process got between our look and our write: look again."""


def _store(accepted: _Accepted, by: Principal) -> Published:
    """Make the bytes durable, then write the rows; look again when somebody was faster."""
    for _ in range(_RACES_AT_MOST):
        key = _put_unless_held(accepted)
        try:
            return Published(distribution=_commit(accepted, key, by), created=True)
        except LarderError:
            _take_back(key)
            raise
        except _RaceLost:
            same = _already_here(accepted.repository, accepted.named, accepted.spool)
            if same is not None:
                return Published(distribution=same, created=False)
    raise UploadRefused(f"{accepted.named.filename} is being published by others. Try again.")


def _put_unless_held(accepted: _Accepted) -> str | None:
    """Put the bytes into storage and return their key; None when the tenant holds them."""
    tenant_id = accepted.repository.tenant_id
    if Blob.objects.filter(tenant_id=tenant_id, sha256=accepted.spool.sha256).exists():
        return None
    key = storage.new_key(tenant_id, accepted.spool.sha256)
    LooseObject.objects.create(storage_key=key, noted_at=clock.now())
    storage.put(key, accepted.spool)
    return key


def _take_back(key: str | None) -> None:
    """Remove the object of an upload that was refused at the last step, and its note."""
    if key is not None and LooseObject.objects.filter(storage_key=key).exists():
        storage.remove(key)
        LooseObject.objects.filter(storage_key=key).delete()


def _commit(accepted: _Accepted, key: str | None, by: Principal) -> Distribution:
    """Write everything in one transaction, and ask again what may have changed."""
    try:
        with transaction.atomic():
            repository = _still_allowed(accepted, by)
            blob = _blob_row(accepted, key)
            project = _project_row(accepted)
            distribution = _distribution_row(accepted, project, blob, by)
            audit.record(
                by=by.actor,
                action="distribution.publish",
                tenant=repository.tenant.slug,
                subject=f"{repository}/{distribution.filename}",
                after={"sha256": distribution.sha256, "size": distribution.size},
            )
            _take_quota(repository, accepted.spool.size)
            _arm_extraction(repository)
            contents_changed(project)
    except (IntegrityError, OperationalError) as error:
        # Somebody wrote the same row first; or, with OperationalError, two waited for each other.
        if isinstance(error, OperationalError) and "deadlock" not in str(error):
            raise
        raise _RaceLost from None
    return distribution


def _still_allowed(accepted: _Accepted, by: Principal) -> Repository:
    """Ask again, now: the token, the grant or the repository may be gone since the start."""
    repository, present = accepted.repository, again(by)
    _judge_token(accepted.named.normalized, present)
    return require(present, repository.tenant.slug, repository.key, Role.WRITER)


def _blob_row(accepted: _Accepted, key: str | None) -> Blob:
    spool, tenant_id = accepted.spool, accepted.repository.tenant_id
    now = clock.now()
    # The update locks the row against the sweeper; no row means that it was faster.
    held = Blob.objects.filter(tenant_id=tenant_id, sha256=spool.sha256)
    if held.update(named_at=now):
        return held.get()
    if key is None or not LooseObject.objects.filter(storage_key=key).delete()[0]:
        raise _RaceLost
    return Blob.objects.create(
        tenant_id=tenant_id,
        sha256=spool.sha256,
        sha1=spool.sha1,
        md5=spool.md5,
        blake2b_256=spool.blake2b_256,
        size=spool.size,
        storage_key=key,
        named_at=now,
    )


def _project_row(accepted: _Accepted) -> Project:
    """Return the project, spelled as this upload spells it."""
    name = accepted.metadata.name if accepted.metadata else accepted.named.name
    project, created = Project.objects.get_or_create(
        repository=accepted.repository,
        normalized=accepted.named.normalized,
        defaults={"name": name, "created_at": clock.now()},
    )
    if not created:
        project = locked_project(project.pk)  # its status may be changing at this moment
        _refuse_closed(project)
        project.name = name
        project.save(update_fields=["name"])
    return project


def _distribution_row(
    accepted: _Accepted, project: Project, blob: Blob, by: Principal
) -> Distribution:
    named, metadata, now = accepted.named, accepted.metadata, clock.now()
    release, _ = Release.objects.get_or_create(
        project=project,
        canonical=canonicalize_version(named.version),
        defaults={
            "version": str(named.version),
            "version_key": version_key(named.version),
            "created_at": now,
        },
    )
    served = metadata is not None and metadata_is_servable(named.kind, metadata)
    distribution = Distribution.objects.create(
        repository=accepted.repository,
        release=release,
        blob=blob,
        path=f"{named.normalized}/{release.version}/{named.filename}",
        filename=named.filename,
        identity=named.identity,
        kind=named.kind,
        python_tag=named.python_tag,
        size=accepted.spool.size,
        sha256=accepted.spool.sha256,
        requires_python=accepted.requires_python,
        metadata_sha256=hashlib.sha256(metadata.raw).hexdigest() if metadata and served else "",
        uploaded_at=now,
        uploaded_by=by.user.username if by.user else "",
    )
    if metadata is not None:
        StoredMetadata.objects.create(distribution=distribution, raw=metadata.raw)
    Property.objects.bulk_create(
        Property(distribution=distribution, name=name, value=value)
        for name, value in accepted.properties.items()
    )
    return distribution


def _with_room(repository: Repository, size: int) -> QuerySet[Tenant]:
    room = Q(quota_bytes__isnull=True) | Q(quota_bytes__gte=F("used_bytes") + size)
    return Tenant.objects.filter(room, pk=repository.tenant_id)


def _no_room(repository: Repository, size: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"{repository.tenant} has no room for {size} more bytes. "
        "Ask whoever runs this installation for a larger quota."
    )


def _judge_quota(repository: Repository, size: int) -> None:
    """Refuse what has no room before its bytes go into storage."""
    if not _with_room(repository, size).exists():
        raise _no_room(repository, size)


def _take_quota(repository: Repository, size: int) -> None:
    """Count the file against its tenant, in the same statement that checks the quota."""
    if not _with_room(repository, size).update(used_bytes=F("used_bytes") + size):
        raise _no_room(repository, size)


def _arm_extraction(repository: Repository) -> None:
    """Let the new file be read once nobody has uploaded for a quiet period, or for ten in all."""
    state = locked_state(repository.pk)
    now = clock.now()
    quiet = timedelta(seconds=repository.quiet_period)
    state.extraction_generation += 1
    state.oldest_pending_at = state.oldest_pending_at or now
    state.extract_after = min(now + quiet, state.oldest_pending_at + _QUIET_PERIODS_AT_MOST * quiet)
    state.save()
