"""Yank, delete, restore and status: who may, and what changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from accounts.principal import Principal
from base.models import AuditEvent
from packages import curate
from packages.models import Distribution, Project, Release
from packages.publish import publish
from repos.access import NotYours, RoleMissing
from repos.stamps import stamp
from repos.targets import Target
from tests.cast import Cast
from tests.packages.test_publish import sent

Change = Callable[[Principal], None]


@pytest.fixture
def frog(cast: Cast) -> Cast:
    """One published wheel."""
    publish(
        target=Target(cast.acme.repository), upload=sent("frog", "1.0"), by=cast.acme.writer.limited
    )
    return cast


def yank_file(by: Principal) -> None:
    curate.yank(Distribution.objects.get(), reason="bad", by=by)


def yank_release(by: Principal) -> None:
    curate.yank(Release.objects.get(), reason="bad", by=by)


def delete_file(by: Principal) -> None:
    curate.delete(Distribution.objects.get(), by=by)


def archive_project(by: Principal) -> None:
    curate.set_status(Project.objects.get(), status=Project.Status.ARCHIVED, reason="done", by=by)


WRITERS: list[Change] = [yank_file, yank_release]
ADMINS: list[Change] = [delete_file, archive_project]


@pytest.mark.parametrize("change", WRITERS + ADMINS)
def test_a_change_moves_the_serial_and_is_audited(frog: Cast, change: Change) -> None:
    before = stamp(frog.acme.repository.pk).serial
    change(frog.acme.admin.principal)
    assert stamp(frog.acme.repository.pk).serial == before + 1
    assert Project.objects.get().changed == before + 1
    event = AuditEvent.objects.first()
    assert event is not None
    assert event.actor == "ada"
    assert event.subject.startswith("acme/local/")


@pytest.mark.parametrize("change", WRITERS)
def test_writers_yank(frog: Cast, change: Change) -> None:
    change(frog.acme.writer.limited)
    for who in (frog.acme.reader, frog.acme.member):
        with pytest.raises(RoleMissing):
            change(who.principal)
    with pytest.raises(NotYours):
        change(frog.globex.admin.principal)


@pytest.mark.parametrize("change", ADMINS)
def test_admins_delete_and_set_the_status(frog: Cast, change: Change) -> None:
    before = stamp(frog.acme.repository.pk)
    for who in (frog.acme.writer, frog.acme.reader):
        with pytest.raises(RoleMissing):
            change(who.principal)
    assert stamp(frog.acme.repository.pk) == before
    change(frog.acme.admin.limited)


def test_a_token_for_other_projects_changes_nothing(frog: Cast) -> None:
    limits = replace(frog.acme.admin.limits, project_patterns=("toad*",))
    who = Principal(user=frog.acme.admin.user, token=limits)
    for change in WRITERS + ADMINS:
        with pytest.raises(RoleMissing, match="token"):
            change(who)


def test_what_is_not_deleted_cannot_be_restored(frog: Cast) -> None:
    row = Distribution.objects.get()
    with pytest.raises(curate.CannotRestore):
        curate.restore(row, by=frog.acme.admin.principal)
    curate.delete(row, by=frog.acme.admin.principal)
    curate.restore(row, by=frog.acme.admin.principal)
    assert Distribution.objects.get().deleted_at is None


def test_nothing_is_deleted_twice(frog: Cast) -> None:
    row = Distribution.objects.get()
    curate.delete(row, by=frog.acme.admin.principal)
    with pytest.raises(curate.AlreadyDeleted):
        curate.delete(row, by=frog.acme.admin.principal)


def test_saying_the_same_again_changes_nothing(frog: Cast) -> None:
    who = frog.acme.admin.principal
    yank_file(who)
    archive_project(who)
    before = (stamp(frog.acme.repository.pk), AuditEvent.objects.count())
    yank_file(who)
    archive_project(who)
    assert before == (stamp(frog.acme.repository.pk), AuditEvent.objects.count())
