"""The use case of publishing: what it writes, in which order, and who wins a race."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections

from accounts import tokens
from accounts.authentication import CredentialsRefused
from accounts.models import Tenant
from accounts.principal import Principal
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import blobs, curate, storage
from packages import publish as publishing
from packages.models import (
    Blob,
    Distribution,
    LooseObject,
    Project,
    Property,
    Release,
    StoredMetadata,
)
from packages.publish import Published, publish
from packages.uploads import FileExists, QuotaExceeded, Upload
from repos import configure
from repos.access import RoleMissing
from repos.models import Grant, Repository, RepositoryState
from repos.stamps import stamp
from repos.targets import Target
from tests.cast import Cast, Member, assemble, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel


def sent(name: str, version: str, file: tuple[str, bytes] | None = None) -> Upload:
    """Return an upload as a door would hand it over."""
    filename, content = file or make_wheel(name, version)
    return Upload(
        filename=filename,
        chunks=iter([content[:100], content[100:]]),
        fields={"name": [name], "version": [version], "summary": ["Frogs"]},
    )


def take(repository: Repository, who: Member, name: str, version: str) -> Published:
    return publish(target=Target(repository), upload=sent(name, version), by=who.limited)


def test_everything_is_written_at_once(cast: Cast) -> None:
    before = stamp(cast.acme.repository.pk)
    done = take(cast.acme.repository, cast.acme.writer, "Frog.Fu", "1.0")
    row = Distribution.objects.select_related("release__project", "blob").get()
    assert done.created
    assert row == done.distribution
    assert row.release is not None
    assert row.blob is not None
    assert (row.release.project.name, row.release.project.normalized) == ("Frog.Fu", "frog-fu")
    assert row.path == f"frog-fu/1.0/{row.filename}"
    assert row.uploaded_by == "wes"
    assert row.extraction == Distribution.Extraction.PENDING
    assert StoredMetadata.objects.get(distribution=row).raw
    assert dict(Property.objects.values_list("name", "value")) == {
        "pypi.name": "Frog.Fu",
        "pypi.normalized.name": "frog-fu",
        "pypi.version": "1.0",
        "pypi.summary": "Frogs",
    }
    event = AuditEvent.objects.get(action="distribution.publish")
    assert (event.actor, event.subject) == ("wes", f"acme/local/{row.filename}")
    assert event.token.startswith("wes's (")
    after = stamp(cast.acme.repository.pk)
    assert (after.serial, after.epoch) == (before.serial + 1, before.epoch)
    assert after.nonce != before.nonce
    assert row.release.project.changed == after.serial
    cast.acme.tenant.refresh_from_db()
    assert cast.acme.tenant.used_bytes == row.size


def test_nothing_is_left_in_the_spool(cast: Cast, tmp_path: Path) -> None:
    take(cast.acme.repository, cast.acme.writer, "frog", "1.0")
    assert not list((tmp_path / "spool").iterdir())
    assert not LooseObject.objects.exists()


def test_extraction_waits_for_a_quiet_period_but_not_for_ever(
    cast: Cast, time: MovableClock
) -> None:
    state = RepositoryState.objects.filter(repository=cast.acme.repository)
    start = time()
    for number in range(13):
        take(cast.acme.repository, cast.acme.writer, "frog", f"1.{number}")
        waits_until = min(time() + timedelta(seconds=60), start + timedelta(seconds=600))
        assert state.get().extract_after == waits_until
        assert state.get().extraction_generation == number + 1
        time.move(seconds=50)


def test_equal_versions_are_one_release(cast: Cast) -> None:
    take(cast.acme.repository, cast.acme.writer, "frog", "1.0")
    other = make_wheel("frog", "1.0.0", tag="py2-none-any")
    publish(
        target=Target(cast.acme.repository),
        upload=sent("frog", "1.0.0", other),
        by=cast.acme.writer.limited,
    )
    assert Release.objects.count() == 1
    assert Distribution.objects.count() == 2


def test_a_tenant_keeps_equal_bytes_once_and_shares_them_with_no_other(cast: Cast) -> None:
    second = make_repository(cast.acme.tenant, "second")
    grant(second, Role.WRITER, cast.acme.writer)
    for repository, who in (
        (cast.acme.repository, cast.acme.writer),
        (second, cast.acme.writer),
        (cast.globex.repository, cast.globex.writer),
    ):
        take(repository, who, "frog", "1.0")
    assert sorted(blob.tenant.slug for blob in Blob.objects.all()) == ["acme", "globex"]
    cast.acme.tenant.refresh_from_db()
    assert cast.acme.tenant.used_bytes == 2 * Distribution.objects.all()[0].size


def test_a_right_taken_away_during_the_upload_counts(cast: Cast) -> None:
    upload = sent("frog", "1.0")
    chunks = iter(list(upload.chunks))

    def revoked_in_the_middle() -> Iterator[bytes]:
        yield next(chunks)
        tokens.revoke(cast.acme.writer.token, by=SYSTEM)
        yield from chunks

    upload.chunks = revoked_in_the_middle()
    with pytest.raises(CredentialsRefused):
        publish(target=Target(cast.acme.repository), upload=upload, by=cast.acme.writer.limited)
    assert not Distribution.objects.exists()
    assert not Project.objects.exists()


def test_a_grant_taken_away_during_the_upload_counts(cast: Cast) -> None:
    upload = sent("frog", "1.0")
    chunks = list(upload.chunks)

    def ended_in_the_middle() -> Iterator[bytes]:
        yield chunks[0]
        given = Grant.objects.get(membership__user=cast.acme.writer.user)
        configure.end_grant(given, by=SYSTEM)
        yield chunks[1]

    upload.chunks = ended_in_the_middle()
    with pytest.raises(RoleMissing):
        publish(target=Target(cast.acme.repository), upload=upload, by=cast.acme.writer.limited)
    assert not Distribution.objects.exists()


def test_a_failed_put_leaves_a_note_and_no_row(cast: Cast, monkeypatch) -> None:
    def fail(key: str, spool: storage.Spooled) -> None:
        raise storage.StorageFailed("Storage did not keep the file.")

    monkeypatch.setattr(storage, "put", fail)
    with pytest.raises(storage.StorageFailed):
        take(cast.acme.repository, cast.acme.writer, "frog", "1.0")
    assert not Distribution.objects.exists()
    assert not Blob.objects.exists()
    assert LooseObject.objects.count() == 1


def test_a_blob_swept_away_meanwhile_is_put_again(cast: Cast, monkeypatch) -> None:
    """The sweeper may drop a blob between our look at it and our commit."""
    take(cast.acme.repository, cast.acme.writer, "frog", "1.0")
    second = make_repository(cast.acme.tenant, "second")
    grant(second, Role.WRITER, cast.acme.writer)
    look = blobs._put_unless_held

    def look_then_sweep(tenant_id, spool):
        key = look(tenant_id, spool)
        if key is None:
            StoredMetadata.objects.all().delete()
            Distribution.objects.all().delete()
            Blob.objects.all().delete()
        return key

    monkeypatch.setattr(blobs, "_put_unless_held", look_then_sweep)
    done = take(second, cast.acme.writer, "frog", "1.0")
    assert done.created
    assert Blob.objects.count() == 1


def in_parallel(uploads: list[Upload], repository: Repository, who: Principal) -> list[str]:
    """Publish all at once from threads of their own and return what each heard."""
    start = threading.Barrier(len(uploads))

    def one(upload: Upload) -> str:
        try:
            start.wait()
            done = publish(target=Target(repository), upload=upload, by=who)
        except FileExists:
            return "exists"
        else:
            return "created" if done.created else "same"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(uploads)) as pool:
        return sorted(pool.map(one, uploads))


@pytest.mark.django_db(transaction=True)
def test_of_many_uploads_of_one_name_one_wins() -> None:
    cast = assemble()
    files = [make_wheel("frog", "1.0"), make_wheel("frog", "1.0", description="other")]
    heard = in_parallel(
        [sent("frog", "1.0", files[number % 2]) for number in range(10)],
        cast.acme.repository,
        cast.acme.writer.limited,
    )
    assert heard == ["created"] + ["exists"] * 5 + ["same"] * 4
    assert Distribution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_first_uploads_all_arrive() -> None:
    cast = assemble()
    heard = in_parallel(
        [sent(f"frog-{number % 3}", f"1.{number}") for number in range(9)],
        cast.acme.repository,
        cast.acme.writer.limited,
    )
    assert heard == ["created"] * 9
    changed = Project.objects.values_list("changed", flat=True)
    assert max(changed) == stamp(cast.acme.repository.pk).serial == 9


@pytest.mark.django_db(transaction=True)
def test_publishing_and_yanking_in_one_project_wait_for_each_other_in_order() -> None:
    cast = assemble()
    first = take(cast.acme.repository, cast.acme.writer, "frog", "0.1").distribution
    by = cast.acme.writer.limited

    def publish_one(number: int) -> None:
        upload = sent("frog", f"1.{number}")
        publish(target=Target(cast.acme.repository), upload=upload, by=by)
        connections.close_all()

    def yank_one(number: int) -> None:
        curate.yank(first, reason=f"reason {number}", by=by)
        connections.close_all()

    steps = (publish_one, yank_one)
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(step, number) for number in range(12) for step in steps]
        for done in work:
            done.result()
    assert Distribution.objects.count() == 13


def test_a_refused_upload_leaves_no_object(cast: Cast, tmp_path: Path, monkeypatch) -> None:
    """The last check refuses when the bytes are in storage already."""
    monkeypatch.setattr(publishing, "judge_room", lambda *_: None)
    Tenant.objects.filter(pk=cast.acme.tenant.pk).update(quota_bytes=1)
    with pytest.raises(QuotaExceeded):
        take(cast.acme.repository, cast.acme.writer, "frog", "1.0")
    assert not LooseObject.objects.exists()
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_a_token_narrowed_during_the_upload_counts(cast: Cast) -> None:
    upload = sent("frog", "1.0")
    chunks = list(upload.chunks)

    def narrowed_in_the_middle() -> Iterator[bytes]:
        yield chunks[0]
        cast.acme.writer.token.project_patterns = ["toad"]
        tokens.change(cast.acme.writer.token, by=SYSTEM)
        yield chunks[1]

    upload.chunks = narrowed_in_the_middle()
    with pytest.raises(RoleMissing, match="token"):
        publish(target=Target(cast.acme.repository), upload=upload, by=cast.acme.writer.limited)
    assert not Distribution.objects.exists()
