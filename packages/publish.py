"""Accepts an upload: the use case behind twine, uv and every other publishing client.

The order is what makes it safe. Fields are judged before the file is read; bytes are durable
before the row that names them commits; what may have changed meanwhile is asked again inside
the transaction. A crash at any point leaves a spool file or a loose object, never a row without
its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db import IntegrityError, OperationalError, transaction

from accounts.authentication import again
from accounts.principal import Principal
from base import audit, clock
from base.errors import LarderError
from base.rows import is_deadlock
from packages import storage
from packages.archive import inspect
from packages.changes import contents_changed, locked_project
from packages.filename_rules import require_public_name
from packages.filenames import (
    DistributionName,
    NormalizedName,
    parse_name,
    parse_version,
    shown,
)
from packages.metadata import CoreMetadata
from packages.models import (
    Blob,
    Distribution,
    LooseObject,
    Project,
)
from packages.places import (
    Place,
    bytes_left,
    judge_place,
    judge_room,
    no_room,
    place_of,
    same_file,
    take_room,
)
from packages.rows import Accepted, RaceLost, blob_row, distribution_row, project_row
from packages.storage import Spooled
from packages.upload_form import judge_form, judge_requires_python, requires_python_of
from packages.uploads import FORM_AROUND_THE_FILE, FileTooLarge, Upload, UploadRefused
from repos.access import RoleMissing
from repos.models import Kind, Repository
from repos.rules import Rules
from repos.targets import Target

_RACES_AT_MOST = 5
_BLAKE2B_512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Published:
    """What an upload came to."""

    distribution: Distribution
    created: bool  # False: the same bytes were here already, nothing was changed


def publish(
    *,
    repository: Repository,
    upload: Upload,
    by: Principal,
    through: Repository | None = None,
) -> Published:
    """Take `upload` into `repository` and return its distribution, installable from now on.

    `through` is the virtual that it was sent to, if it was one.

    Raises UploadRefused and its kin (names, archive, digests), FileExists, ProjectClosed,
    ReleaseClosed, NameServedUpstream, QuotaExceeded, FileTooLarge, or what `require` raises.
    Publishing the same bytes again changes nothing and is no error.
    """
    limit = _judge_fields(repository, upload, by)
    with storage.spooled(limit(upload.chunks)) as spool:
        place = _judged_place(repository, upload, by)
        _compare_digests(upload, spool)
        if same := same_file(place, spool):
            return Published(distribution=same, created=False)
        _judge_spelling(place)
        accepted = _open_archive(repository, upload, place.named, spool)
        judge_room(place, spool.size)
        return _store(accepted, Target(repository, through), by)


def _judge_fields(
    repository: Repository, upload: Upload, by: Principal
) -> Callable[[Iterable[bytes]], Iterator[bytes]]:
    """Refuse what the fields before the file tell already; return what limits the file itself."""
    if repository.kind != Kind.LOCAL:
        raise UploadRefused(
            f"{repository} is a {repository.kind} repository and takes no uploads. "
            "Publish to a local one."
        )
    # What a client declares is the rest of its form, of which the file may be the smaller part.
    at_least = max(0, (upload.declared_size or 0) - FORM_AROUND_THE_FILE)
    if at_least > repository.max_file_bytes:
        raise _too_large(repository)
    if upload.is_named:
        place = _judged_place(repository, upload, by)
        # A file that is there already is compared first: the same bytes need no room.
        if place.distribution is None:
            judge_room(place, at_least)
            return partial(_limited, repository, place)
    return partial(_limited, repository, None)


def _limited(
    repository: Repository, place: Place | None, chunks: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield `chunks` until they are more than the repository takes or the tenant has room for.

    None for `place`: it is not known yet, or there is a file to compare with first.
    """
    size, room = 0, None if place is None else bytes_left(place)
    for chunk in chunks:
        size += len(chunk)
        if size > repository.max_file_bytes:
            raise _too_large(repository)
        if place is not None and room is not None and size > room:
            raise no_room(place)
        yield chunk


def _too_large(repository: Repository) -> FileTooLarge:
    return FileTooLarge(
        f"The file is too large: {repository} takes at most {repository.max_file_bytes} bytes."
    )


def _judged_place(repository: Repository, upload: Upload, by: Principal) -> Place:
    """Return where the file would go, once its name, its token and its place allow it."""
    named = upload.name()
    _judge_token(named.normalized, by)
    place = place_of(repository, named)
    judge_place(place)
    if place.distribution is None:  # else it may be the same file again, which needs no better name
        _judge_spelling(place)
    return place


def _judge_spelling(place: Place) -> None:
    """Refuse a file name that strict rules do not take."""
    if place.repository.rules == Rules.STRICT:
        require_public_name(place.named)


def _judge_token(name: NormalizedName, by: Principal) -> None:
    if by.token is not None and not by.token.allows_project(name):
        raise RoleMissing(f"This token may not publish {name}. Use one that is allowed to.")


def _compare_digests(upload: Upload, spool: Spooled) -> None:
    """Refuse a file whose bytes are not those that the client hashed."""
    ours = {
        "sha256_digest": spool.sha256,
        "md5_digest": spool.md5,
        "blake2_256_digest": spool.blake2b_256,
    }
    for name, digest in ours.items():
        sent = upload.value(name).lower()
        # Old distutils sends a BLAKE2b-512 under this name: another digest, not a wrong one.
        is_another = name == "blake2_256_digest" and _BLAKE2B_512.fullmatch(sent)
        if sent and sent != digest and not is_another:
            raise UploadRefused(
                f"{upload.filename} arrived damaged: its {name} is {digest}, "
                f"{shown(sent)} was sent."
            )


def _open_archive(
    repository: Repository, upload: Upload, named: DistributionName, spool: Spooled
) -> Accepted:
    """Pass the archive gate; refuse metadata inside whose name or version is another."""
    rules = Rules(repository.rules)
    judge_form(upload.value, named, rules)
    inspected = inspect(spool.path, named, rules=rules, file_limit=repository.max_file_bytes)
    metadata = inspected.metadata
    if metadata is not None:
        _refuse_other_identity(metadata, named)
        requires_python = metadata.requires_python
        judge_requires_python(requires_python, named)
    else:
        requires_python = requires_python_of(upload.value, named)
    return Accepted(
        repository=repository,
        named=named,
        spool=spool,
        metadata=metadata,
        properties=_properties(upload, named),
        requires_python=requires_python,
        findings=inspected.findings,
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
    return {name: value for name, value in properties.items() if value}


def _store(accepted: Accepted, target: Target, by: Principal) -> Published:
    """Make the bytes durable, then write the rows; look again when somebody was faster."""
    for _ in range(_RACES_AT_MOST):
        key = _put_unless_held(accepted)
        try:
            distribution = _commit(accepted, key, target, by)
            return Published(distribution=distribution, created=True)
        except LarderError:
            _take_back(key)
            raise
        except RaceLost:
            _take_back(key)
            place = place_of(accepted.repository, accepted.named)
            if same := same_file(place, accepted.spool):
                return Published(distribution=same, created=False)
    raise UploadRefused(f"{accepted.named.filename} is being published by others. Try again.")


def _put_unless_held(accepted: Accepted) -> str | None:
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


def _commit(accepted: Accepted, key: str | None, target: Target, by: Principal) -> Distribution:
    """Write everything in one transaction, and ask again what may have changed."""
    try:
        with transaction.atomic():
            repository = _still_allowed(accepted, target, by)
            blob = blob_row(accepted, key)
            place = _locked_place(repository, accepted)
            project = project_row(place, accepted)
            distribution = distribution_row(place, project, accepted, blob, by)
            _record(place, distribution, by)
            take_room(place, distribution.size)
            contents_changed(project, repository_waits_for=repository.quiet_period)
    except (IntegrityError, OperationalError) as error:
        # Somebody wrote the same row first; or, with OperationalError, two waited for each other.
        if isinstance(error, OperationalError) and not is_deadlock(error):
            raise
        raise RaceLost from None
    return distribution


def _still_allowed(accepted: Accepted, target: Target, by: Principal) -> Repository:
    """Ask again, now: the token, the grant or the repository may be gone since the start."""
    present = again(by)
    _judge_token(accepted.named.normalized, present)
    return target.again(present)


def _locked_place(repository: Repository, accepted: Accepted) -> Place:
    """Return where the file goes, judged under the project's lock: nothing there changes now."""
    project = Project.objects.filter(
        repository=repository, normalized=accepted.named.normalized
    ).first()
    if project is not None:
        locked_project(project.pk)
    place = place_of(repository, accepted.named)
    judge_place(place)
    if same_file(place, accepted.spool) is not None:
        raise RaceLost  # the same bytes arrived meanwhile
    return place


def _record(place: Place, distribution: Distribution, by: Principal) -> None:
    before = place.replaced
    audit.record(
        by=by.actor,
        action="distribution.overwrite" if before else "distribution.publish",
        tenant=place.repository.tenant.slug,
        subject=f"{place.repository}/{distribution.filename}",
        before=before,
        after={"sha256": distribution.sha256, "size": distribution.size}
        | ({"yanked": False, "yanked_reason": ""} if before else {}),
    )
