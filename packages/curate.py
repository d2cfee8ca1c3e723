"""Changes what was published: yank, delete, restore, read again, status, let go; all audited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction

from accounts.principal import Principal
from accounts.roles import Role
from base import audit, clock
from base.errors import InvalidInput
from packages.changes import contents_changed, file_waits, locked_project
from packages.describe import judge_token, wait_again
from packages.filenames import NormalizedName
from packages.models import Distribution, Project, Release, UpstreamPage
from repos.access import RoleMissing, require
from repos.models import Kind, Repository
from repos.stamps import locked_state, move_serial

# A deleted distribution can be restored for this long; then its bytes go.
BYTES_KEPT_FOR = timedelta(days=30)


class NamedMeanwhile(InvalidInput):
    """A file got its name while it was about to be changed: it is on a page now."""


class AlreadyDeleted(InvalidInput):
    """The distribution is deleted; deleting it again would move the day its bytes go."""


class NotKept(InvalidInput):
    """The repository does not keep the name; there is nothing to let go of."""


class NotPublishedHere(InvalidInput):
    """A remote shows what upstream has; only what was published here is curated here."""


class NotFailed(InvalidInput):
    """Extraction has not failed; there is nothing to try again."""


class CannotRestore(InvalidInput):
    """The distribution is not deleted, or its bytes are gone."""


def yank(target: Distribution | Release, *, reason: str, by: Principal, undo: bool = False) -> None:
    """Mark a file, or a whole release, as yanked (PEP 592), or take the mark away.

    A yanked file stays installable by who pins it exactly; the reason is shown to them.
    """
    wanted = {"yanked": not undo, "yanked_reason": "" if undo else reason.strip()}
    with _changing(_project_of(target), Role.WRITER, by) as project:
        row = type(target).objects.get(pk=target.pk)
        before = {"yanked": row.yanked, "yanked_reason": row.yanked_reason}
        if before == wanted:
            return
        type(target).objects.filter(pk=row.pk).update(**wanted)
        what = "unyank" if undo else "yank"
        _record(what, project.repository, str(row), by=by, before=before, after=wanted)
        contents_changed(project)


def delete(
    distribution: Distribution, *, by: Principal, moved_to: Repository | None = None
) -> None:
    """Delete a file: it is listed no more, and its name stays taken.

    Its bytes are kept for `BYTES_KEPT_FOR`, so that it can be restored. `moved_to` is where it has
    gone, if it was moved: whoever publishes it here again is told.
    """
    with _changing_file(distribution, Role.ADMIN, by) as row:
        if row.deleted_at is not None:
            raise AlreadyDeleted(f"{row.filename} is deleted already.")
        row.deleted_at = clock.now()
        row.save(update_fields=["deleted_at"])
        before = {"sha256": row.sha256, "deleted_at": None}
        after: dict[str, object] = {"deleted_at": row.deleted_at}
        if moved_to is not None:
            after["moved_to"] = str(moved_to)
        _record("delete", row.repository, row.filename, by=by, before=before, after=after)


def restore(distribution: Distribution, *, by: Principal) -> None:
    """List a deleted file again, with the bytes it had; what it still waits for, it waits for."""
    with _changing_file(distribution, Role.ADMIN, by) as row:
        # Locked, because the sweeper may be letting its bytes go at this moment.
        if row.deleted_at is None or row.blob_id is None:
            raise CannotRestore(f"{row.filename} is not deleted, or its bytes are gone.")
        before = {"deleted_at": row.deleted_at}
        row.deleted_at = None
        row.save(update_fields=["deleted_at"])
        after = {"sha256": row.sha256, "deleted_at": None}
        _record("restore", row.repository, row.filename, by=by, before=before, after=after)


def try_again(distribution: Distribution, *, by: Principal) -> None:
    """Let a file whose extraction has failed wait for it once more, as if never tried."""
    repository = distribution.repository
    require(by, repository.tenant.slug, repository.key, Role.WRITER)
    judge_token(distribution, {}, by)
    with transaction.atomic():
        row = Distribution.objects.select_for_update(of=("self",)).get(pk=distribution.pk)
        if row.extraction != Distribution.Extraction.FAILED or row.deleted_at is not None:
            raise NotFailed(f"The extraction of {row.filename} has not failed.")
        before = {"extraction": row.extraction, "reason": row.extraction_reason}
        wait_again(row)
        after = {"extraction": row.extraction, "reason": ""}
        _record("try_again", repository, row.filename, by=by, before=before, after=after)
        file_waits(repository)


def set_status(project: Project, *, status: Project.Status, reason: str, by: Principal) -> None:
    """Give `project` a status marker (PEP 792) with a reason for people."""
    after = {"status": status.value, "reason": reason.strip()}
    with _changing(project, Role.ADMIN, by) as row:
        before = {"status": row.status, "reason": row.status_reason}
        if before == after:
            return
        row.status, row.status_reason = status, after["reason"]
        row.save(update_fields=["status", "status_reason"])
        _record("status", row.repository, row.normalized, by=by, before=before, after=after)
        contents_changed(row)


def let_go(repository: Repository, name: NormalizedName, *, by: Principal) -> None:
    """Let others have a name that `repository` keeps: virtuals take it from any remote again.

    What it has stays and is listed; a new upload takes the name again. A claim on the name goes on
    keeping it until it is taken back.
    """
    require(by, repository.tenant.slug, repository.key, Role.ADMIN)
    _judge_token(name, by)
    projects = Project.objects.filter(repository=repository, normalized=name)
    pages = UpstreamPage.objects.filter(repository=repository, normalized=name)
    now = clock.now()
    with transaction.atomic():
        kept = pages.filter(let_go_at=None, was_ever_served=True).update(let_go_at=now)
        for pk in sorted(projects.values_list("pk", flat=True)):
            locked_project(pk)
        kept += projects.filter(let_go_at=None).update(let_go_at=now)
        if not kept:
            raise NotKept(f"{repository} does not keep the name {name}.")
        audit.record(
            by=by.actor,
            action="contents.let_go",
            tenant=repository.tenant.slug,
            repository=str(repository),
            subject=f"{repository}/{name}",
            before={"let_go_at": None},
            after={"let_go_at": now},
        )
        serial = move_serial(locked_state(repository.pk))
        projects.update(changed=serial)
        pages.filter(let_go_at=now).update(changed=serial)


@contextmanager
def _changing(project: Project, role: Role, by: Principal) -> Iterator[Project]:
    """Check that `by` may change `project`, and hold it, locked, in a transaction."""
    repository = project.repository
    require(by, repository.tenant.slug, repository.key, role)
    _judge_token(project.normalized, by)
    if repository.kind == Kind.REMOTE:
        raise NotPublishedHere(
            f"{project.normalized} in {repository} is upstream's: what is kept of it can be "
            "dropped, and no more."
        )
    with transaction.atomic():
        yield locked_project(project.pk)


@contextmanager
def _changing_file(distribution: Distribution, role: Role, by: Principal) -> Iterator[Distribution]:
    """Check that `by` may change a file, and hold it, locked, in a transaction.

    In the end its page is marked as changed, if it is on one, and it waits to be extracted where
    that was not done.
    """
    repository = distribution.repository
    if distribution.release is None:
        require(by, repository.tenant.slug, repository.key, role)
        judge_token(distribution, {}, by)
        with transaction.atomic():
            row = _locked(distribution)
            if row.release_id is not None:
                raise NamedMeanwhile(f"{row.filename} got its name at this moment. Try again.")
            yield row
            if row.extraction == Distribution.Extraction.PENDING and row.deleted_at is None:
                file_waits(repository)
        return
    with _changing(distribution.release.project, role, by) as project:
        row = _locked(distribution)
        yield row
        is_read = row.extraction != Distribution.Extraction.PENDING
        waits = None if is_read or row.deleted_at is not None else repository.quiet_period
        contents_changed(project, repository_waits_for=waits)


def _locked(distribution: Distribution) -> Distribution:
    rows = Distribution.objects.select_for_update(of=("self",))
    return rows.select_related("repository__tenant").get(pk=distribution.pk)


def _judge_token(name: str, by: Principal) -> None:
    if by.token is not None and not by.token.allows_project(name):
        raise RoleMissing(f"This token may not change {name}.")


def _project_of(target: Distribution | Release) -> Project:
    release = target.release if isinstance(target, Distribution) else target
    if release is None:
        raise InvalidInput(f"{target} has no name yet, and nobody installs it.")
    return release.project


def _record(  # noqa: PLR0913 - an event has this many parts
    what: str,
    repository: Repository,
    name: str,
    *,
    by: Principal,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    audit.record(
        by=by.actor,
        action=f"contents.{what}",
        tenant=repository.tenant.slug,
        repository=str(repository),
        subject=f"{repository}/{name}",
        before=before,
        after=after,
    )
