"""Changes what was published: yank, delete, restore, project status. Each change is audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from accounts.principal import Principal
from accounts.roles import Role
from base import audit, clock
from base.errors import InvalidInput
from packages.changes import contents_changed
from packages.models import Distribution, Project, Release
from repos.access import RoleMissing, require

# A deleted distribution can be restored for this long; then its bytes go.
BYTES_KEPT_FOR = timedelta(days=30)


class AlreadyDeleted(InvalidInput):
    """The distribution is deleted; deleting it again would move the day its bytes go."""


class CannotRestore(InvalidInput):
    """The distribution is not deleted, or its bytes are gone."""


def yank(target: Distribution | Release, *, reason: str, by: Principal, undo: bool = False) -> None:
    """Mark a file, or a whole release, as yanked (PEP 592), or take the mark away.

    A yanked file stays installable by who pins it exactly; the reason is shown to them.
    """
    project = _project_of(target)
    _require(project, Role.WRITER, by)
    before = {"yanked": target.yanked, "reason": target.yanked_reason}
    target.yanked = not undo
    target.yanked_reason = "" if undo else reason.strip()
    with transaction.atomic():
        target.save(update_fields=["yanked", "yanked_reason"])
        after = {"yanked": target.yanked, "reason": target.yanked_reason}
        what = "unyank" if undo else "yank"
        _record(what, project, str(target), by=by, before=before, after=after)
        contents_changed(project)


def delete(distribution: Distribution, *, by: Principal) -> None:
    """Delete a file: it is listed no more, and its name stays taken.

    Its bytes are kept for `BYTES_KEPT_FOR`, so that it can be restored.
    """
    project = _project_of(distribution)
    _require(project, Role.ADMIN, by)
    if distribution.deleted_at is not None:
        raise AlreadyDeleted(f"{distribution.filename} is deleted already.")
    with transaction.atomic():
        distribution.deleted_at = clock.now()
        distribution.save(update_fields=["deleted_at"])
        before = {"sha256": distribution.sha256}
        _record("delete", project, distribution.filename, by=by, before=before, after={})
        contents_changed(project)


def restore(distribution: Distribution, *, by: Principal) -> None:
    """List a deleted file again, with the bytes it had."""
    project = _project_of(distribution)
    _require(project, Role.ADMIN, by)
    if distribution.deleted_at is None or distribution.blob is None:
        raise CannotRestore(f"{distribution.filename} is not deleted, or its bytes are gone.")
    with transaction.atomic():
        distribution.deleted_at = None
        distribution.save(update_fields=["deleted_at"])
        after = {"sha256": distribution.sha256}
        _record("restore", project, distribution.filename, by=by, before={}, after=after)
        contents_changed(project)


def set_status(project: Project, *, status: Project.Status, reason: str, by: Principal) -> None:
    """Give `project` a status marker (PEP 792) with a reason for people."""
    _require(project, Role.ADMIN, by)
    before = {"status": project.status, "reason": project.status_reason}
    project.status = status
    project.status_reason = reason.strip()
    with transaction.atomic():
        project.save(update_fields=["status", "status_reason"])
        after = {"status": project.status, "reason": project.status_reason}
        _record("status", project, project.normalized, by=by, before=before, after=after)
        contents_changed(project)


def _project_of(target: Distribution | Release) -> Project:
    release = target.release if isinstance(target, Distribution) else target
    if release is None:
        raise InvalidInput(f"{target} has no name yet.")
    return release.project


def _require(project: Project, role: Role, by: Principal) -> None:
    repository = project.repository
    require(by, repository.tenant.slug, repository.key, role)
    if by.token is not None and not by.token.allows_project(project.normalized):
        raise RoleMissing(f"This token may not change {project.normalized}.")


def _record(  # noqa: PLR0913 - an event has this many parts
    what: str,
    project: Project,
    name: str,
    *,
    by: Principal,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    audit.record(
        by=by.actor,
        action=f"contents.{what}",
        tenant=project.repository.tenant.slug,
        subject=f"{project.repository}/{name}",
        before=before,
        after=after,
    )
