"""Accepts an upload: the use case behind twine, uv and every other publishing client.

The order is what makes it safe. Fields are judged before the file is read; attestations are
verified once it has passed; bytes are durable before the row that names them commits; what may
have changed meanwhile is asked again inside the transaction. A crash at any point leaves a spool
file or a loose object, never a row without its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from accounts.authentication import again
from accounts.principal import Principal
from base import audit
from base.connections import give_back
from packages import storage
from packages.acceptance import accept, judge_spelling
from packages.attestations import verify
from packages.attesters import confirm, expected
from packages.blobs import RACES_AT_MOST, RaceLost, blob_row, write_with_bytes, writing_rows
from packages.changes import contents_changed
from packages.filenames import DistributionName, NormalizedName, shown
from packages.models import Distribution
from packages.places import Place, judge_place, locked_place, place_of, same_file
from packages.provenance import write_provenance
from packages.pypi_properties import properties_in_form
from packages.room import judge_room, limited, take_room, too_large
from packages.rows import Accepted, distribution_row, project_row
from packages.storage import Spooled
from packages.upload_form import judge_form, requires_python_of
from packages.uploads import FORM_AROUND_THE_FILE, Upload, UploadRefused
from repos.access import RoleMissing
from repos.models import Kind, Repository
from repos.publishers import keep_by_token, note_use
from repos.rules import Rules
from repos.targets import Target

# What writes down what belongs to a new file, in the transaction that publishes it.
Also = Callable[[Distribution], None]
_BLAKE2B_512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Published:
    """What an upload came to."""

    distribution: Distribution
    created: bool  # False: the same bytes were here already, nothing was changed


def publish(
    *,
    target: Target,
    upload: Upload,
    by: Principal,
    also: Also | None = None,
) -> Published:
    """Take `upload` where it goes and return its distribution, installable from now on.

    `also` is called where something is published, before its transaction commits.

    Raises UploadRefused and its kin (names, archive, digests, attestations), FileExists,
    ProjectClosed, ReleaseClosed, NameServedUpstream, QuotaExceeded, FileTooLarge, VerifierAway, or
    what `require` raises. Publishing the same bytes again changes nothing and is no error.
    """
    repository = target.repository
    with judged(repository=repository, upload=upload, by=by) as found:
        if isinstance(found, Distribution):
            published = Published(distribution=found, created=False)
        else:
            published = _store(found, target, by, also)
    release = published.distribution.release
    if release is not None and by.token is not None and by.token.publishing_id is not None:
        name = release.project.normalized
        note_use(by.token.publishing_id, repository=repository, normalized=name)
    return published


@contextmanager
def judged(
    *, repository: Repository, upload: Upload, by: Principal
) -> Iterator[Accepted | Distribution]:
    """Receive `upload` and yield it as accepted, or the same file that is there already.

    Every check that needs no lock has passed then, and nothing is written; its bytes are gone at
    the end of the block. Raises as `publish`.
    """
    place = _judge_fields(repository, upload, by)
    # A file that is there already is compared first: the same bytes need no room.
    of = place if place is not None and place.distribution is None else None
    with storage.spooled(limited(repository, of, upload.chunks)) as spool:
        # What comes to stand there meanwhile is seen under the lock. The name is read once more:
        # old distutils says behind the file of which kind it is.
        if place is None or place.named != upload.name():
            place = _judged_place(repository, upload, by)
        _compare_digests(upload, spool)
        if same := same_file(place, spool):
            yield same
            return
        judge_spelling(place)
        accepted = _open_archive(repository, upload, place.named, spool)
        judge_room(place, spool.size)
        yield _attested(accepted, upload, by)


def _judge_fields(repository: Repository, upload: Upload, by: Principal) -> Place | None:
    """Refuse what the fields before the file tell already.

    Return where the file would go; None: its name comes behind it.
    """
    if repository.kind != Kind.LOCAL:
        raise UploadRefused(
            f"{repository} is a {repository.kind} repository and takes no uploads. "
            "Publish to a local one."
        )
    # What a client declares is the rest of its form, of which the file may be the smaller part.
    at_least = max(0, (upload.declared_size or 0) - FORM_AROUND_THE_FILE)
    if at_least > repository.max_file_bytes:
        raise too_large(repository)
    if not upload.is_named:
        return None
    place = _judged_place(repository, upload, by)
    if place.distribution is None:
        judge_room(place, at_least)
    return place


def _judged_place(repository: Repository, upload: Upload, by: Principal) -> Place:
    """Return where the file would go, once its name, its token and its place allow it."""
    named = upload.name()
    _judge_token(repository, named.normalized, by)
    place = place_of(repository, named)
    judge_place(place, by)
    if place.distribution is None:  # else it may be the same file again, which needs no better name
        judge_spelling(place)
    return place


def _judge_token(repository: Repository, name: NormalizedName, by: Principal) -> None:
    if by.token is None or by.token.may_publish(repository.pk, name):
        return
    if by.token.publishing_id is not None:
        raise RoleMissing(f"{by.token.holder} is not trusted to publish {name} to {repository}.")
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
    """Judge the form, now that all of it has come, and the archive."""
    judge_form(upload.value, named, Rules(repository.rules))
    return accept(
        repository,
        named,
        spool,
        # They hold until extraction has read the archive.
        properties=properties_in_form(upload.fields, named.normalized),
        requires_python=lambda: requires_python_of(upload.value, named),
    )


def _attested(accepted: Accepted, upload: Upload, by: Principal) -> Accepted:
    """Let the attestations that came with the file be verified, or refuse it (PEP 740).

    Where nobody is expected to vouch for it they are ignored: clients send what lies beside a file.
    """
    repository, named = accepted.repository, accepted.named
    sent = upload.value("attestations")
    attesters = expected(repository, named.normalized, by) if sent else []
    if not attesters:
        return accepted
    give_back()  # one is verified after the other: who waits holds no connection
    verified = verify(
        sent, filename=named.filename, sha256=accepted.spool.sha256, expected=attesters
    )
    return replace(accepted, verified=verified)


def _store(accepted: Accepted, target: Target, by: Principal, also: Also | None) -> Published:
    """Make the bytes durable, then write the rows; look again when somebody was faster."""

    def write(key: str | None) -> Distribution:
        return _commit(accepted, key, target, by, also=also)

    for _ in range(RACES_AT_MOST):
        try:
            row = write_with_bytes(accepted.repository.tenant_id, accepted.spool, write)
            return Published(distribution=row, created=True)
        except RaceLost:
            place = place_of(accepted.repository, accepted.named)
            if same := same_file(place, accepted.spool):
                return Published(distribution=same, created=False)
    raise UploadRefused(f"{accepted.named.filename} is being published by others. Try again.")


def _commit(
    accepted: Accepted, key: str | None, target: Target, by: Principal, *, also: Also | None
) -> Distribution:
    """Write everything in one transaction, and ask again what may have changed."""
    with writing_rows():
        repository = _still_allowed(accepted, target, by)
        blob = blob_row(repository.tenant_id, accepted.spool, key)
        place = _locked_place(repository, accepted, by)
        project = project_row(place, accepted)
        distribution = distribution_row(place, project, accepted, blob, by)
        run = write_provenance(distribution, accepted.verified, by)
        if also is not None:
            also(distribution)
        _record(place, distribution, by, run)
        take_room(place, distribution.size)
        contents_changed(project, repository_waits_for=repository.quiet_period)
    return distribution


def _still_allowed(accepted: Accepted, target: Target, by: Principal) -> Repository:
    """Ask again, now: token, grant, publisher or repository may be gone since the start."""
    is_as_before = target.still_stands(by)
    present, project = by if is_as_before else again(by), accepted.named.normalized
    _judge_token(target.repository, project, present)
    if present.token is not None and present.token.publishing_id is not None:
        keep_by_token(present.token.publishing_id, repository=target.repository, normalized=project)
    if accepted.verified is not None:
        confirm(accepted.verified, repository=target.repository, project=project, by=present)
    return target.repository if is_as_before else target.again(present)


def _locked_place(repository: Repository, accepted: Accepted, by: Principal) -> Place:
    """Return where the file goes, judged under the project's lock: nothing there changes now."""
    place = locked_place(repository, accepted.named, by)
    if same_file(place, accepted.spool) is not None:
        raise RaceLost  # the same bytes arrived meanwhile
    return place


def _record(
    place: Place, distribution: Distribution, by: Principal, run: Mapping[str, str]
) -> None:
    before = place.replaced
    yank = {"yanked": distribution.yanked, "yanked_reason": distribution.yanked_reason}
    audit.record(
        by=by.actor,
        action="distribution.overwrite" if before else "distribution.publish",
        tenant=place.repository.tenant.slug,
        repository=str(place.repository),
        subject=f"{place.repository}/{distribution.filename}",
        before=before,
        after={"sha256": distribution.sha256, "size": distribution.size}
        | (yank if before or distribution.yanked else {})
        | ({"is_attested": True} if distribution.is_attested else {})
        | dict(run),
    )
