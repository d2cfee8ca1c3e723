"""The sweeper: what goes, what stays, and that nothing in use is ever touched."""

from __future__ import annotations

import os
import time as real_time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from accounts import logins
from accounts.models import KeptAnswer, Login
from base import clock
from base.audit import SYSTEM
from packages import curate, storage
from packages.models import Blob, Distribution, LooseObject
from packages.publish import publish
from packages.sweep import Swept, sweep
from repos import configure
from repos.targets import Target
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.packages.test_publish import sent

NOTHING = Swept(purged=0, blobs=0, objects=0, spool_files=0)


@pytest.fixture
def frog(cast: Cast, time: MovableClock) -> Distribution:
    """One published wheel."""
    done = publish(
        target=Target(cast.acme.repository),
        upload=sent("frog", "1.0"),
        by=cast.acme.writer.principal,
    )
    return done.distribution


def objects(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_what_is_used_stays_for_ever(
    frog: Distribution, time: MovableClock, tmp_path: Path
) -> None:
    time.move(days=400)
    assert sweep() == NOTHING
    assert len(objects(tmp_path)) == 1


def test_a_deleted_file_keeps_its_bytes_for_thirty_days_and_then_gives_the_quota_back(
    frog: Distribution, cast: Cast, time: MovableClock, tmp_path: Path
) -> None:
    curate.delete(frog, by=cast.acme.admin.principal)
    time.move(days=29, hours=23)
    assert sweep() == NOTHING
    time.move(hours=1)
    assert sweep() == Swept(purged=1, blobs=0, objects=0, spool_files=0)
    cast.acme.tenant.refresh_from_db()
    assert cast.acme.tenant.used_bytes == 0
    assert len(objects(tmp_path)) == 1
    time.move(days=1)
    assert sweep() == Swept(purged=0, blobs=1, objects=1, spool_files=0)
    assert objects(tmp_path) == []
    assert not Blob.objects.exists()
    row = Distribution.objects.get()
    assert (row.filename, row.blob) == (frog.filename, None)
    with pytest.raises(curate.CannotRestore):
        curate.restore(row, by=cast.acme.admin.principal)


def test_logins_go_thirty_days_after_their_end(cast: Cast, time: MovableClock) -> None:
    user = cast.acme.writer.user
    revoked, _ = logins.create(user=user, name="a laptop that was lost", by=SYSTEM)
    logins.revoke(revoked, by=SYSTEM)
    expiring, _ = logins.create(user=user, name="a laptop", by=SYSTEM)
    time.move(days=29, hours=23)
    assert sweep() == NOTHING
    time.move(hours=1)
    assert sweep().logins == 1
    assert list(Login.objects.all()) == [expiring]
    time.move(days=90, hours=-1)
    assert sweep() == NOTHING
    time.move(hours=1)
    assert sweep().logins == 1
    assert not Login.objects.exists()


def test_a_deleted_repository_gives_its_bytes_back_too(
    frog: Distribution, cast: Cast, time: MovableClock
) -> None:
    configure.delete_repository(cast.acme.repository, by=cast.acme.admin.principal.actor)
    time.move(days=29)
    assert sweep() == NOTHING
    time.move(days=1)
    assert sweep().purged == 1
    cast.acme.tenant.refresh_from_db()
    assert (cast.acme.tenant.used_bytes, cast.acme.tenant.used_files) == (0, 0)
    assert Distribution.objects.get().filename == frog.filename


def test_a_restored_file_is_not_purged(frog: Distribution, cast: Cast, time: MovableClock) -> None:
    curate.delete(frog, by=cast.acme.admin.principal)
    time.move(days=20)
    curate.restore(Distribution.objects.get(), by=cast.acme.admin.principal)
    time.move(days=20)
    assert sweep() == NOTHING


def test_bytes_named_twice_stay_until_the_last_name_goes(
    frog: Distribution, cast: Cast, time: MovableClock, tmp_path: Path
) -> None:
    other = publish(
        target=Target(cast.acme.repository),
        upload=sent("frog", "2.0"),
        by=cast.acme.writer.principal,
    ).distribution
    Distribution.objects.filter(pk=other.pk).update(blob=frog.blob)
    curate.delete(frog, by=cast.acme.admin.principal)
    time.move(days=30)
    first = sweep()
    time.move(days=2)
    assert (first.purged, first.blobs, sweep()) == (1, 1, NOTHING)  # what `other` had at first
    assert Blob.objects.get() == frog.blob
    assert len(objects(tmp_path)) == 1


def test_an_object_without_a_row_goes_after_a_day(
    db: None, time: MovableClock, tmp_path: Path
) -> None:
    key = storage.new_key(1, "a" * 64)
    LooseObject.objects.create(storage_key=key, noted_at=clock.now())
    with storage.spooled([b"bytes"]) as spool:
        storage.put(key, spool)
    time.move(hours=23)
    assert sweep() == NOTHING
    time.move(hours=1)
    assert sweep().objects == 1
    assert objects(tmp_path) == []
    assert not LooseObject.objects.exists()


def test_a_note_without_an_object_is_no_trouble(db: None, time: MovableClock) -> None:
    """The process died between noting the object and putting it."""
    LooseObject.objects.create(storage_key="1/aa/aa-0", noted_at=clock.now())
    time.move(days=1)
    assert sweep().objects == 1


def test_only_spool_files_that_nobody_writes_go(db: None, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    old, new = folder / "extract-old", folder / "upload-new"
    for path in (old, new):
        path.write_bytes(b"x")
    yesterday = real_time.time() - timedelta(days=1, minutes=1).total_seconds()
    os.utime(old, (yesterday, yesterday))
    assert sweep().spool_files == 1
    assert list(folder.iterdir()) == [new]


def test_answers_kept_for_requests_that_are_sent_again_end_after_a_day(
    cast: Cast, time: MovableClock
) -> None:
    KeptAnswer.objects.create(
        user=cast.acme.admin.user, key="k", digest="d" * 64, made_at=clock.now()
    )
    time.move(hours=23)
    assert sweep() == NOTHING
    time.move(hours=2)
    assert sweep() == replace(NOTHING, answers=1)
    assert not KeptAnswer.objects.exists()
