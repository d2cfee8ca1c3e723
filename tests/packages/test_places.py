"""Where a file may go: limits, overwriting, closed releases, names that others serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate
from packages.filenames import FilenameRefused
from packages.listed import packed
from packages.models import (
    Blob,
    Distribution,
    LooseObject,
    Project,
    Property,
    StoredMetadata,
    UpstreamNames,
    UpstreamPage,
)
from packages.publish import Published, publish
from packages.sweep import sweep
from packages.uploads import (
    FileExists,
    FileTooLarge,
    NameServedUpstream,
    QuotaExceeded,
    ReleaseClosed,
    Upload,
    UploadRefused,
)
from repos import configure
from repos.models import Claim, Kind, Repository, Upstream
from repos.rules import Rules
from repos.targets import Target
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.packages.test_publish import sent
from tests.uploads import published, upload

FIRST = make_wheel("frog", "1.0")
OTHER = make_wheel("frog", "1.0", description="other")
assert FIRST[0] == OTHER[0]


def take(cast: Cast, name: str, version: str, file: tuple[str, bytes] | None = None) -> Published:
    return publish(
        target=Target(cast.acme.repository),
        upload=sent(name, version, file),
        by=cast.acme.writer.limited,
    )


def change(repository: Repository, **settings: object) -> None:
    for name, value in settings.items():
        setattr(repository, name, value)
    configure.change_repository(repository, by=SYSTEM)


def limit(tenant: Tenant, **quota: int) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(**quota)
    tenant.refresh_from_db()


def used(tenant: Tenant) -> tuple[int, int]:
    tenant.refresh_from_db()
    return tenant.used_bytes, tenant.used_files


class Watched:
    """The chunks of a file, and how many of them were read."""

    def __init__(self, content: bytes, size: int = 50) -> None:
        self.read = 0
        self._parts = [content[at : at + size] for at in range(0, len(content), size)]

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self.read += 1
            yield part


def watched(name: str, version: str, file: tuple[str, bytes]) -> tuple[Upload, Watched]:
    chunks = Watched(file[1])
    fields = {"name": [name], "version": [version]}
    return Upload(filename=file[0], chunks=chunks, fields=fields), chunks


# Limits


def test_a_tenant_holds_as_many_files_as_its_quota_says(cast: Cast) -> None:
    limit(cast.acme.tenant, quota_files=2)
    take(cast, "frog", "1.0")
    take(cast, "frog", "2.0")
    with pytest.raises(QuotaExceeded, match=r"no room.*it holds 2 files, and 2 is the most"):
        take(cast, "frog", "3.0")
    assert used(cast.acme.tenant)[1] == 2
    assert not LooseObject.objects.exists()


def test_the_same_file_again_needs_no_room(cast: Cast) -> None:
    done = take(cast, "frog", "1.0", FIRST)
    limit(cast.acme.tenant, quota_files=1, quota_bytes=done.distribution.size)
    assert not take(cast, "frog", "1.0", FIRST).created


def test_a_purged_file_gives_its_place_back(cast: Cast, time: MovableClock) -> None:
    first = take(cast, "frog", "1.0").distribution
    curate.delete(first, by=cast.acme.admin.principal)
    assert used(cast.acme.tenant) == (first.size, 1)
    time.move(days=31)
    sweep()
    assert used(cast.acme.tenant) == (0, 0)


# Spelling


def test_strict_rules_refuse_a_name_before_the_file_is_read(cast: Cast) -> None:
    change(cast.acme.repository, rules=Rules.STRICT)
    coming, chunks = watched("Frog", "1.0", make_wheel("Frog", "1.0", spelled="Frog"))
    with pytest.raises(FilenameRefused, match="should start with 'frog'"):
        publish(target=Target(cast.acme.repository), upload=coming, by=cast.acme.writer.limited)
    assert chunks.read == 0


def test_a_name_that_was_taken_once_is_judged_again_with_other_bytes_only(cast: Cast) -> None:
    file = make_wheel("Frog", "1.0", spelled="Frog")
    other = make_wheel("Frog", "1.0", spelled="Frog", description="green")
    take(cast, "Frog", "1.0", file)
    change(cast.acme.repository, rules=Rules.STRICT, overwrite_allowed=True)
    assert not take(cast, "Frog", "1.0", file).created
    with pytest.raises(FilenameRefused, match="should start with 'frog'"):
        take(cast, "Frog", "1.0", other)


@pytest.mark.parametrize("declared", [None, 10**9])
@pytest.mark.parametrize("what", ["file", "tenant"])
def test_too_much_is_refused_while_it_comes_or_before(
    cast: Cast, what: str, declared: int | None, tmp_path: Path
) -> None:
    if what == "file":
        change(cast.acme.repository, max_file_bytes=200)
    else:
        limit(cast.acme.tenant, quota_bytes=200)
    coming, chunks = watched("frog", "1.0", FIRST)
    coming.declared_size = declared
    refusal = FileTooLarge if what == "file" else QuotaExceeded
    with pytest.raises(refusal):
        publish(target=Target(cast.acme.repository), upload=coming, by=cast.acme.writer.limited)
    assert chunks.read == (5 if declared is None else 0)
    assert not list((tmp_path / "spool").glob("*"))


def test_what_the_fields_tell_is_refused_before_the_file_is_read(
    cast: Cast, time: MovableClock
) -> None:
    kept = take(cast, "frog", "1.0", FIRST).distribution
    change(cast.acme.repository, releases_close_after_days=1)
    time.move(days=2)
    coming, chunks = watched("frog", "1.0", make_sdist("frog", "1.0"))
    with pytest.raises(ReleaseClosed):
        publish(target=Target(cast.acme.repository), upload=coming, by=cast.acme.writer.limited)
    assert chunks.read == 0
    curate.delete(kept, by=cast.acme.admin.principal)
    coming, chunks = watched("frog", "1.0", FIRST)
    with pytest.raises(UploadRefused, match="Restore it"):
        publish(target=Target(cast.acme.repository), upload=coming, by=cast.acme.writer.limited)
    assert chunks.read == 0


# Overwriting


def test_an_overwritten_file_is_the_new_one_everywhere(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    change(cast.acme.repository, overwrite_allowed=True)
    published(client, "frog", "1.0", FIRST, by=cast.acme.writer)
    old = Distribution.objects.get()
    Property.objects.create(distribution=old, name="qa.approved", value="yes")
    curate.yank(old, reason="it leaks", by=cast.acme.writer.principal)
    time.move(minutes=1)
    published(client, "frog", "1.0", OTHER, by=cast.acme.writer)
    new = Distribution.objects.get()
    assert new.pk == old.pk
    assert (new.sha256 != old.sha256, new.uploaded_at) == (True, clock.now())
    assert b"other" in bytes(StoredMetadata.objects.get().raw)
    assert not Property.objects.filter(name="qa.approved").exists()
    assert used(cast.acme.tenant) == (new.size, 1)
    event = AuditEvent.objects.get(action="distribution.overwrite")
    yank = {"yanked": True, "yanked_reason": "it leaks"}
    assert event.before == {"sha256": old.sha256, "size": old.size} | yank
    no_yank = {"yanked": False, "yanked_reason": ""}
    assert event.after == {"sha256": new.sha256, "size": new.size} | no_yank
    assert (new.yanked, new.yanked_reason) == (False, "")
    headers = cast.acme.reader.headers
    gone = client.get(f"/acme/local/files/frog/{old.sha256}/{old.filename}", headers=headers)
    here: Any = client.get(f"/acme/local/files/frog/{new.filename}", headers=headers)
    assert gone.status_code == HTTPStatus.NOT_FOUND
    assert here.getvalue() == OTHER[1]


def test_overwritten_bytes_are_swept(cast: Cast, time: MovableClock) -> None:
    change(cast.acme.repository, overwrite_allowed=True)
    take(cast, "frog", "1.0", FIRST)
    time.move(days=2)
    take(cast, "frog", "1.0", OTHER)
    assert sweep().blobs == 0
    time.move(days=2)
    assert sweep().blobs == 1
    assert Blob.objects.get().sha256 == Distribution.objects.get().sha256


def test_overwriting_needs_only_the_room_that_is_more(cast: Cast) -> None:
    change(cast.acme.repository, overwrite_allowed=True)
    large, small = sorted((FIRST, OTHER), key=lambda file: -len(file[1]))
    take(cast, "frog", "1.0", small)
    limit(cast.acme.tenant, quota_files=1, quota_bytes=len(large[1]) - 1)
    with pytest.raises(QuotaExceeded):
        take(cast, "frog", "1.0", large)
    limit(cast.acme.tenant, quota_bytes=len(large[1]))
    take(cast, "frog", "1.0", large)
    limit(cast.acme.tenant, quota_bytes=1)  # lowered below what is there already
    take(cast, "frog", "1.0", small)
    assert used(cast.acme.tenant) == (len(small[1]), 1)


def test_a_deleted_file_is_not_overwritten(cast: Cast) -> None:
    change(cast.acme.repository, overwrite_allowed=True)
    first = take(cast, "frog", "1.0", FIRST).distribution
    curate.delete(first, by=cast.acme.admin.principal)
    with pytest.raises(UploadRefused, match="Restore it, or raise the version"):
        take(cast, "frog", "1.0", OTHER)


def test_the_switch_is_asked_again_at_the_end(cast: Cast) -> None:
    change(cast.acme.repository, overwrite_allowed=True)
    take(cast, "frog", "1.0", FIRST)
    coming = sent("frog", "1.0", OTHER)
    chunks = list(coming.chunks)

    def switched_off_in_the_middle() -> Iterator[bytes]:
        yield chunks[0]
        again = Repository.objects.get(pk=cast.acme.repository.pk)
        change(again, overwrite_allowed=False)
        yield chunks[1]

    coming.chunks = switched_off_in_the_middle()
    with pytest.raises(FileExists):
        publish(target=Target(cast.acme.repository), upload=coming, by=cast.acme.writer.limited)
    assert Distribution.objects.get().size == len(FIRST[1])
    assert not LooseObject.objects.exists()


# Closed releases


def test_a_release_closes_some_days_after_its_first_file(cast: Cast, time: MovableClock) -> None:
    change(cast.acme.repository, releases_close_after_days=14)
    take(cast, "frog", "1.0", FIRST)
    time.move(days=13)
    take(cast, "frog", "1.0", make_sdist("frog", "1.0"))
    time.move(days=2)
    with pytest.raises(ReleaseClosed, match="close 14 days after their first file"):
        take(cast, "frog", "1.0", make_wheel("frog", "1.0", tag="py2-none-any"))
    take(cast, "frog", "1.1")
    assert not take(cast, "frog", "1.0", FIRST).created  # run again: nothing new


def test_a_closed_release_is_not_overwritten(cast: Cast, time: MovableClock) -> None:
    change(cast.acme.repository, releases_close_after_days=14, overwrite_allowed=True)
    take(cast, "frog", "1.0", FIRST)
    time.move(days=15)
    with pytest.raises(ReleaseClosed):
        take(cast, "frog", "1.0", OTHER)


def test_a_deleted_file_of_a_closed_release_can_be_restored(cast: Cast, time: MovableClock) -> None:
    change(cast.acme.repository, releases_close_after_days=14)
    first = take(cast, "frog", "1.0", FIRST).distribution
    curate.delete(first, by=cast.acme.admin.principal)
    time.move(days=15)
    curate.restore(first, by=cast.acme.admin.principal)
    assert Distribution.objects.get().deleted_at is None


# Names that others serve


@pytest.fixture
def remote(cast: Cast) -> Repository:
    """A remote that stands beside acme/local, two virtuals up."""
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    inner = make_repository(cast.acme.tenant, "inner", Kind.VIRTUAL)
    outer = make_repository(cast.acme.tenant, "outer", Kind.VIRTUAL)
    configure.set_members(inner, [cast.acme.repository], by=SYSTEM)
    configure.set_members(outer, [inner, remote], by=SYSTEM)
    return remote


@pytest.fixture
def serves(remote: Repository) -> Callable[..., None]:
    """What the remote is known to serve."""

    def serve(name: str, *, is_served: bool = True, scope: str = "") -> None:
        UpstreamPage.objects.create(
            repository=remote,
            scope=scope,
            normalized=name,
            is_served=is_served,
            answered_at=clock.now() - timedelta(days=1),
        )

    return serve


def test_nobody_takes_a_name_over_that_an_index_beside_serves(cast: Cast, serves) -> None:
    serves("frog", scope="root/pypi")
    with pytest.raises(NameServedUpstream, match="let a tenant admin of acme claim it"):
        take(cast, "Frog", "1.0")
    assert not Project.objects.exists()


@pytest.mark.parametrize("name", ["frog-fu", "frog"])
def test_nobody_takes_a_name_over_that_the_kept_list_has(cast: Cast, remote, name: str) -> None:
    names = packed(["Ant", "Frog_.Fu", "frog", "toad"])
    UpstreamNames.objects.create(repository=remote, part=0, names=names)
    with pytest.raises(NameServedUpstream):
        take(cast, name, "1.0")
    assert take(cast, "frogs", "1.0").created


def test_a_name_that_the_remote_leaves_out_is_free(cast: Cast, remote, serves) -> None:
    serves("frog")
    UpstreamNames.objects.create(repository=remote, part=0, names=packed(["frog"]))
    upstream = Upstream(repository=remote, index_url="http://index.example/", exclude=["fr*"])
    configure.save_upstream(upstream, by=SYSTEM)
    assert take(cast, "frog", "1.0").created


def test_a_name_that_the_index_does_not_have_is_free(cast: Cast, serves) -> None:
    serves("frog", is_served=False)
    serves("toad")
    assert take(cast, "frog", "1.0").created


def test_a_name_that_is_ours_already_stays_ours(cast: Cast, serves) -> None:
    take(cast, "frog", "1.0")
    serves("frog")
    assert take(cast, "frog", "2.0").created


@pytest.mark.parametrize(
    ("pattern", "helps"),
    [("acme-frog", True), ("acme-*", True), ("acme", False), ("acme-frog-*", False)],
)
def test_a_claim_opens_the_name(cast: Cast, serves, pattern: str, helps: bool) -> None:
    serves("acme-frog")
    Claim.objects.create(repository=cast.acme.repository, pattern=pattern)
    if helps:
        assert take(cast, "acme-frog", "1.0").created
    else:
        with pytest.raises(NameServedUpstream):
            take(cast, "acme-frog", "1.0")


def test_remotes_elsewhere_do_not_count(cast: Cast, serves) -> None:
    serves("frog")
    lonely = make_repository(cast.acme.tenant, "lonely")
    grant(lonely, Role.WRITER, cast.acme.writer)
    done = publish(target=Target(lonely), upload=sent("frog", "1.0"), by=cast.acme.writer.limited)
    assert done.created


def test_the_refusals_reach_the_client(client: Client, cast: Cast, serves) -> None:
    serves("frog")
    response = upload(client, "frog", "1.0", FIRST, by=cast.acme.writer)
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert response.reason_phrase.startswith("frog is served by an index beside acme/local")
    assert response.reason_phrase in response.content.decode()
