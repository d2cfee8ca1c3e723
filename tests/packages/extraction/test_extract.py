"""Extraction: when it begins, what it writes, and what stops it."""

from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate, storage
from packages.extraction import extract
from packages.extraction.differences import differences
from packages.extraction.extract import extract_due
from packages.extraction.turns import LEASE, TurnLost, take_turn
from packages.models import Distribution, Property, Reading, StoredMetadata
from packages.reading import ReaderAway, unpacked_members
from packages.storage import ObjectMissing, StorageFailed
from repos import configure
from repos.access import RoleMissing
from repos.models import RepositoryState
from repos.quiet import NothingWaits, extract_now
from repos.stamps import stamp
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.dists import make_dumb, make_egg, make_sdist, make_wheel
from tests.packages.extraction.extracting import README, FakeReader, broken, facts, metadata_of, put

State = Distribution.Extraction


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> FakeReader:
    """What reads archives in this test."""
    fake = FakeReader()
    monkeypatch.setattr(extract, "Reader", lambda: fake)
    return fake


@pytest.fixture
def shelf(cast: Cast, time: MovableClock) -> Cast:
    """The cast, at a time that the test moves."""
    return cast


def upload(shelf: Cast, version: str = "1.0", **more) -> Distribution:
    return put(shelf.acme.repository, shelf.acme.writer.limited, version, **more)


def state_of(row: Distribution) -> tuple[str, str]:
    row.refresh_from_db()
    return row.extraction, row.extraction_reason


def said(row: Distribution) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for name, value, origin in row.properties.values_list("name", "value", "origin"):
        found.setdefault(name, set()).add((value, origin))
    return found


def due_at(shelf: Cast):
    return RepositoryState.objects.get(repository=shelf.acme.repository).extract_after


# when


def test_three_uploads_twenty_seconds_apart_are_one_extraction_a_minute_after_the_last(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    for number in range(3):
        upload(shelf, f"1.{number}")
        assert extract_due() == 0
        time.move(seconds=20)
    time.move(seconds=39)
    assert extract_due() == 0
    time.move(seconds=1)
    assert extract_due() == 3
    assert sorted(reader.read_files) == [f"frog-1.{n}-py3-none-any.whl" for n in range(3)]
    time.move(days=1)
    assert extract_due() == 0
    assert due_at(shelf) is None


def test_uploads_without_a_pause_wait_for_ten_quiet_periods_at_most(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    for number in range(12):
        upload(shelf, f"1.{number}")
        assert extract_due() == 0
        time.move(seconds=50)
    assert extract_due() == 12


def test_a_quiet_period_of_nothing_is_no_wait(shelf: Cast, reader: FakeReader) -> None:
    shelf.acme.repository.quiet_period = 0
    configure.change_repository(shelf.acme.repository, by=SYSTEM)
    upload(shelf)
    assert extract_due() == 1


def test_what_comes_during_a_turn_waits_its_own_quiet_period(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    upload(shelf, "1.0")
    time.move(seconds=60)

    def upload_another(filename: str) -> None:
        time.move(seconds=5)
        upload(shelf, "2.0")

    reader.does = upload_another
    assert extract_due() == 1
    assert due_at(shelf) == time() + timedelta(seconds=60)
    reader.does = lambda _: None
    time.move(seconds=59)
    assert extract_due() == 0
    time.move(seconds=1)
    assert extract_due() == 1
    assert len(reader.read_files) == 2


def test_the_bound_counts_from_the_oldest_that_still_waits(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    """The turn took the old ones: those that came meanwhile begin to count anew."""
    for number in range(12):
        upload(shelf, f"1.{number}")
        time.move(seconds=50)
    reader.does = lambda name: upload(shelf, "2.0") if "1.11" in name else None
    assert extract_due() == 12
    assert due_at(shelf) == time() + timedelta(seconds=60)


def test_a_turn_takes_so_many_files_and_leaves_the_rest_to_the_next(
    shelf: Cast, time: MovableClock, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "FILES_AT_MOST", 3)
    for number in range(7):
        upload(shelf, f"1.{number}")
    time.move(seconds=60)
    turn = take_turn()
    assert turn is not None
    assert extract.extract_in(turn, reader) == 3
    assert due_at(shelf) == time()
    assert extract_due() == 4
    assert len(set(reader.read_files)) == 7


def test_a_turn_takes_a_minute_and_lets_others_have_theirs(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    for number in range(5):
        upload(shelf, f"1.{number}")
    time.move(seconds=1)
    put(shelf.globex.repository, shelf.globex.writer.limited)
    time.move(seconds=60)
    reader.does = lambda _: time.move(seconds=25)
    assert extract_due() == 3
    assert extract_due() == 1 + 2
    assert Distribution.objects.filter(extraction=State.PENDING).count() == 0


def test_what_was_tried_least_comes_first(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    bad = upload(shelf, "1.0")
    reader.says[bad.filename] = broken()
    time.move(seconds=60)
    extract_due()
    good = upload(shelf, "1.1")
    time.move(seconds=60)
    extract_due()
    assert reader.read_files == [bad.filename, good.filename, bad.filename]


def test_a_repository_out_of_service_is_left_alone(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    upload(shelf)
    configure.delete_repository(shelf.acme.repository, by=SYSTEM)
    time.move(seconds=60)
    assert extract_due() == 0


def test_extract_now_does_not_wait_and_is_the_administrators(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    repository, admin = shelf.acme.repository, shelf.acme.admin.principal
    with pytest.raises(NothingWaits):
        extract_now(repository, by=admin)
    upload(shelf)
    with pytest.raises(RoleMissing):
        extract_now(repository, by=shelf.acme.writer.principal)
    extract_now(repository, by=admin)
    extract_now(repository, by=admin)
    event = AuditEvent.objects.get(action="extraction.now")
    assert (event.actor, event.subject) == ("ada", "acme/local")
    assert extract_due() == 1


# what is written


def test_the_archives_word_replaces_the_clients_and_the_difference_is_kept(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf, summary=["Toads"], author=["Ann"], keywords=["a b"])
    Property.objects.create(
        distribution=row, name="qa.approved", value="yes", origin=Property.Origin.PERSON
    )
    said_inside = ("Summary: Frogs", "Author: Ann", "Keywords: a,b", "Requires-Dist: toad>1")
    reader.says[row.filename] = facts(metadata_of(row.filename, *said_inside))
    time.move(seconds=60)
    assert extract_due() == 1
    assert state_of(row) == (State.EXTRACTED, "")
    assert said(row) == {
        "pypi.name": {("frog", "archive")},
        "pypi.normalized.name": {("frog", "archive")},
        "pypi.version": {("1.0", "archive")},
        "pypi.metadata.version": {("2.1", "archive")},
        "pypi.summary": {("Frogs", "archive")},
        "pypi.author": {("Ann", "archive")},
        "pypi.keywords": {("a", "archive"), ("b", "archive")},
        "pypi.requires.dist": {("toad>1", "archive")},
        "pypi.requires.name": {("toad", "archive")},
        "qa.approved": {("yes", "person")},
    }
    reading = Reading.objects.get(distribution=row)
    assert reading.differences == ["pypi.summary: “Toads” was sent, the archive says “Frogs”."]
    assert (reading.sha256, reading.readme_html) == (row.sha256, README)
    assert reading.facts == {"modules": ["frog"]}
    assert [each.path for each in unpacked_members(bytes(reading.contents))] == ["frog.py"]


@pytest.mark.parametrize(
    ("name", "value", "is_told"),
    [
        ("pypi.name", "frog_fu", False),
        ("pypi.name", "toad-fu", True),
        ("pypi.version", "1.0.0", False),
        ("pypi.version", "1.0.1", True),
        ("pypi.summary", "frog_fu", True),
    ],
)
def test_another_spelling_of_the_same_is_no_difference(
    name: str,
    value: str,
    is_told: bool,
) -> None:
    found = {"pypi.name": ["Frog-Fu"], "pypi.version": ["1.0"], "pypi.summary": ["Frog-Fu"]}
    assert bool(differences({name: [value]}, found)) is is_told


def test_read_again_the_differences_stay(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf, summary=["Toads"])
    time.move(seconds=60)
    extract_due()
    first = Reading.objects.get().differences
    assert len(first) == 1
    Distribution.objects.update(extraction=State.PENDING)
    RepositoryState.objects.update(extract_after=time())
    assert extract_due() == 1
    assert Reading.objects.get(distribution=row).differences == first


def test_a_page_changes_only_where_clients_see_something_new(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    wheel = upload(shelf)
    before = stamp(shelf.acme.repository.pk)
    time.move(seconds=60)
    extract_due()
    assert state_of(wheel)[0] == State.EXTRACTED
    assert stamp(shelf.acme.repository.pk) == before
    # An installed tree, packed: the gate asks it for no metadata.
    dumb = upload(shelf, "2.0", file=make_dumb("frog", "2.0"))
    reader.says[dumb.filename] = facts(metadata_of("frog-2.0-", "Requires-Python: >=3.9"))
    before = stamp(shelf.acme.repository.pk)
    time.move(seconds=60)
    extract_due()
    dumb.refresh_from_db()
    assert (dumb.requires_python, dumb.metadata_sha256) == (">=3.9", "")
    assert stamp(shelf.acme.repository.pk).serial == before.serial + 1
    assert StoredMetadata.objects.filter(distribution=dumb).exists()


def test_without_metadata_what_the_client_sent_stands(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf, summary=["Frogs"])
    reader.says[row.filename] = facts(None)
    time.move(seconds=60)
    extract_due()
    assert state_of(row) == (State.EXTRACTED, "")
    assert said(row)["pypi.summary"] == {("Frogs", "client")}
    assert Reading.objects.get().differences == []


def test_what_is_another_inside_is_said_and_listed_as_before(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    """A remote's file may be: upstream lists what it likes."""
    row = upload(shelf)
    reader.says[row.filename] = facts(metadata_of("toad-2.0-"))
    time.move(seconds=60)
    extract_due()
    assert said(row)["pypi.name"] == {("frog", "archive")}
    assert said(row)["pypi.version"] == {("1.0", "archive")}
    assert Reading.objects.get().differences[0] == (
        "The archive says inside that it is toad 2.0; it is listed as frog 1.0."
    )


def test_long_and_many_values_are_cut_to_what_the_columns_hold(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf)
    lines = [f"Classifier: Frog :: {number}" for number in range(1500)]
    lines += ["Summary: " + "蛙" * 3000, "License: " + "x" * 100_000]
    reader.says[row.filename] = facts(metadata_of(row.filename, *lines))
    time.move(seconds=60)
    extract_due()
    assert state_of(row) == (State.EXTRACTED, "")
    assert len(said(row)["pypi.classifiers"]) == 1000
    ((summary, _),) = said(row)["pypi.summary"]
    assert len(summary.encode()) <= 2000


def test_nothing_is_left_in_the_spool(
    shelf: Cast, time: MovableClock, reader: FakeReader, tmp_path: Path
) -> None:
    upload(shelf)
    reader.does = lambda _: next((tmp_path / "spool").glob("extract-*")) and None
    time.move(seconds=60)
    assert extract_due() == 1
    assert not list((tmp_path / "spool").iterdir())
    assert reader.is_closed


def test_a_file_costs_few_questions_however_many_there_are(
    shelf: Cast, time: MovableClock, reader: FakeReader, django_assert_max_num_queries
) -> None:
    for number in range(10):
        upload(shelf, f"1.{number}")
    time.move(seconds=60)
    # A README beside metadata that has none is noted for the search as well.
    with django_assert_max_num_queries(10 * 30 + 20):
        assert extract_due() == 10


def test_a_real_reader_reads_real_archives(shelf: Cast, time: MovableClock) -> None:
    headers = ["Summary: Frogs", "Description-Content-Type: text/markdown"]
    wheel = make_wheel("frog", "1.0", extra_headers=headers, description="# It *jumps*\n")
    rows = [
        upload(shelf, file=wheel),
        upload(shelf, file=make_sdist("frog", "1.0", extra_headers=headers)),
        upload(shelf, file=make_egg("frog", "1.0")),
        upload(shelf, file=make_dumb("frog", "1.0")),
    ]
    time.move(seconds=60)
    assert extract_due() == 4
    assert [state_of(row) for row in rows] == [(State.EXTRACTED, "")] * 4
    reading = Reading.objects.get(distribution=rows[0])
    assert "<em>jumps</em>" in reading.readme_html
    assert "frog.py" in {each.path for each in unpacked_members(bytes(reading.contents))}
    assert {("Frogs", "archive")} == said(rows[0])["pypi.summary"] == said(rows[1])["pypi.summary"]


# what stops it


def test_one_bad_archive_does_not_stop_the_rest_and_fails_at_the_third_attempt(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    bad, good = upload(shelf, "1.0"), upload(shelf, "1.1")
    reader.says[bad.filename] = broken("It is cut short.")
    time.move(seconds=60)
    for attempt in (1, 2):
        extract_due()
        assert state_of(bad) == (State.PENDING, "It is cut short.")
        assert bad.extraction_attempts == attempt
        assert extract_due() == 0, "not at once"
        time.move(seconds=60)
    extract_due()
    assert state_of(bad) == (State.FAILED, "It is cut short.")
    assert state_of(good) == (State.EXTRACTED, "")
    assert due_at(shelf) is None


def test_a_failed_one_is_tried_again_when_a_writer_says_so(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf)
    by = shelf.acme.writer.limited
    with pytest.raises(curate.NotFailed):
        curate.try_again(row, by=by)
    reader.says[row.filename] = broken()
    for _ in range(3):
        time.move(seconds=60)
        extract_due()
    with pytest.raises(RoleMissing):
        curate.try_again(row, by=shelf.acme.reader.limited)
    curate.try_again(row, by=by)
    assert AuditEvent.objects.get(action="contents.try_again").before["reason"]
    assert state_of(row) == (State.PENDING, "")
    del reader.says[row.filename]
    time.move(seconds=60)
    assert extract_due() == 1
    assert state_of(row) == (State.EXTRACTED, "")


def test_a_mistake_of_ours_is_one_files_matter_too(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    bad, good = upload(shelf, "1.0"), upload(shelf, "1.1")
    reader.says[bad.filename] = ZeroDivisionError()
    time.move(seconds=60)
    extract_due()
    assert state_of(good)[0] == State.EXTRACTED
    assert state_of(bad)[0] == State.PENDING
    assert "Larder made a mistake" in state_of(bad)[1]


def test_metadata_that_nobody_can_read_fails_at_once(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf)
    reader.says[row.filename] = facts(b"Metadata-Version: 2.1\nVersion: 1.0\n")
    time.move(seconds=60)
    extract_due()
    assert state_of(row) == (State.FAILED, "The metadata has no Name field.")


def test_storage_that_is_away_is_no_attempt(
    shelf: Cast, time: MovableClock, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = upload(shelf)
    time.move(seconds=60)

    def away(key: str, *, start: int, length: int) -> storage.Readable:
        raise StorageFailed("Storage does not answer now. Try again.")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "open_range", away)
        patched.setattr(storage, "answers", lambda: False)
        for _ in range(5):
            extract_due()
            assert extract_due() == 0
            time.move(seconds=60)
    assert state_of(row) == (State.PENDING, "")
    assert row.extraction_attempts == 0
    assert extract_due() == 1
    assert state_of(row)[0] == State.EXTRACTED


def test_an_object_that_storage_does_not_give_fails_and_the_rest_goes_on(
    shelf: Cast, time: MovableClock, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = upload(shelf), upload(shelf, "1.1")
    assert bad.blob is not None
    time.move(seconds=60)
    given = storage.open_range

    def some(key: str, *, start: int, length: int) -> storage.Readable:
        if bad.blob is not None and key == bad.blob.storage_key:
            raise StorageFailed("Storage does not answer now. Try again.")
        return given(key, start=start, length=length)

    monkeypatch.setattr(storage, "open_range", some)
    extract_due()
    assert state_of(good) == (State.EXTRACTED, "")
    for _ in range(2):
        time.move(seconds=60)
        extract_due()
    assert state_of(bad) == (State.FAILED, "Storage does not answer now. Try again.")


def test_a_disk_without_room_is_told_and_keeps_no_other_file_waiting(
    shelf: Cast, time: MovableClock, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = upload(shelf), upload(shelf, "1.1")
    time.move(seconds=60)
    received = storage._receive

    def full(file: Any, path: Path, chunks: Any) -> storage.Spooled:
        spool = received(file, path, chunks)
        if spool.sha256 == large.sha256:
            raise OSError(errno.ENOSPC, "No space left on device")
        return spool

    monkeypatch.setattr(storage, "_receive", full)
    extract_due()
    assert state_of(small) == (State.EXTRACTED, "")
    for _ in range(2):
        time.move(seconds=60)
        extract_due()
    told = "It could not be copied to be read: No space left on device."
    assert state_of(large) == (State.FAILED, told)


def test_a_reader_that_does_not_start_is_no_attempt(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf)
    time.move(seconds=60)

    def away(_filename: str) -> None:
        raise ReaderAway("This machine starts no process to read archives.")

    reader.does = away
    for _ in range(4):
        extract_due()
        time.move(seconds=60)
    assert state_of(row) == (State.PENDING, "")
    assert row.extraction_attempts == 0
    reader.does = lambda _: None
    extract_due()
    assert state_of(row)[0] == State.EXTRACTED


def test_an_object_that_is_missing_or_has_other_bytes_fails_and_the_rest_goes_on(
    shelf: Cast, time: MovableClock, reader: FakeReader, tmp_path: Path
) -> None:
    gone, other, good = (upload(shelf, version) for version in ("1.0", "1.1", "1.2"))
    assert gone.blob is not None
    assert other.blob is not None
    (tmp_path / "blobs" / gone.blob.storage_key).unlink()
    there = tmp_path / "blobs" / other.blob.storage_key
    there.chmod(0o644)
    there.write_bytes(bytes(other.size))
    time.move(seconds=60)
    extract_due()
    assert state_of(gone)[0] == state_of(other)[0] == State.FAILED
    assert "does not have this file" in state_of(gone)[1]
    assert "other bytes than were published" in state_of(other)[1]
    assert state_of(good)[0] == State.EXTRACTED
    assert reader.read_files == [good.filename]


def test_a_disk_that_is_not_mounted_makes_all_files_wait(
    shelf: Cast, time: MovableClock, reader: FakeReader, tmp_path: Path
) -> None:
    rows = [upload(shelf, version) for version in ("1.0", "1.1")]
    (tmp_path / "blobs").rename(tmp_path / "the disk")
    (tmp_path / "blobs").mkdir()
    time.move(seconds=60)
    extract_due()
    assert {state_of(row)[0] for row in rows} == {State.PENDING}
    (tmp_path / "blobs").rmdir()
    (tmp_path / "the disk").rename(tmp_path / "blobs")
    time.move(seconds=60)
    extract_due()
    assert {state_of(row)[0] for row in rows} == {State.EXTRACTED}


# who


def test_two_workers_do_not_take_the_same_repository(shelf: Cast, time: MovableClock) -> None:
    upload(shelf)
    time.move(seconds=60)
    first = take_turn()
    assert first is not None
    assert take_turn() is None
    first.keep()
    time.move(seconds=LEASE.total_seconds())
    second = take_turn()
    assert second is not None
    with pytest.raises(TurnLost):
        first.keep()
    second.keep()


@pytest.mark.parametrize("other_is_done", [True, False])
def test_what_a_worker_reads_that_has_lost_its_turn_is_dropped(
    shelf: Cast, time: MovableClock, reader: FakeReader, other_is_done: bool
) -> None:
    row = upload(shelf)
    time.move(seconds=60)
    slow = take_turn()
    assert slow is not None

    def stand_still(_filename: str) -> None:
        reader.does = lambda _: None
        time.move(seconds=LEASE.total_seconds() + 1)
        if other_is_done:
            reader.says[row.filename] = facts(metadata_of(row.filename, "Summary: the other's"))
            assert extract_due() == 1
        else:
            assert take_turn() is not None
        reader.says[row.filename] = facts(metadata_of(row.filename, "Summary: the slow one's"))

    reader.does = stand_still
    extract.extract_in(slow, reader)
    if other_is_done:
        assert said(row)["pypi.summary"] == {("the other's", "archive")}
    else:
        assert state_of(row) == (State.PENDING, "")
        assert "pypi.summary" not in said(row)
        time.move(seconds=LEASE.total_seconds())
        assert extract_due() == 1
    assert state_of(row)[0] == State.EXTRACTED
    assert due_at(shelf) is None


def test_a_file_that_changes_while_it_is_read_is_read_again(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    shelf.acme.repository.overwrite_allowed = True
    configure.change_repository(shelf.acme.repository, by=SYSTEM)
    row = upload(shelf)
    time.move(seconds=60)

    def overwrite(_filename: str) -> None:
        reader.does = lambda _: None
        upload(shelf, file=make_wheel("frog", "1.0", description="new"), summary=["New"])

    reader.does = overwrite
    extract_due()
    assert state_of(row) == (State.PENDING, "")
    assert not Reading.objects.exists()
    assert row.extraction_attempts == 0
    time.move(seconds=60)
    assert extract_due() == 1
    assert Reading.objects.get().sha256 == row.sha256


def test_a_file_deleted_before_it_was_read_is_read_when_it_comes_back(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf)
    curate.delete(row, by=shelf.acme.admin.principal)
    time.move(seconds=60)
    assert extract_due() == 0
    assert due_at(shelf) is None
    curate.restore(Distribution.objects.get(), by=shelf.acme.admin.principal)
    time.move(seconds=60)
    assert extract_due() == 1
    assert state_of(row)[0] == State.EXTRACTED


# killed


class Killed(BaseException):
    """The worker is gone, without a word."""


STEPS = {
    "bytes are coming": ("packages.storage.chunks", 1),
    "attempt counted": ("packages.extraction.extract._understood", 1),
    "written, uncommitted": ("packages.extraction.results.write_details", 1),
    "written": ("packages.extraction.extract.write_read", 1),
    "second file": ("packages.extraction.extract._count_attempt", 2),
    "before the end": ("packages.extraction.turns._set_next", 1),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_costs_time_and_nothing_else(
    shelf: Cast,
    time: MovableClock,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    rows = [upload(shelf, f"1.{number}") for number in range(3)]
    time.move(seconds=60)
    target, times = STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(target, dying(target, times))
        with pytest.raises(Killed):
            extract_due()
    assert extract_due() == 0, "the lease still runs"
    time.move(seconds=LEASE.total_seconds())
    extract_due()
    assert {state_of(row)[0] for row in rows} == {State.EXTRACTED}
    assert Reading.objects.count() == 3
    assert due_at(shelf) is None


def dying(target: str, times: int):
    """Return the function of that name, which ends the worker the given time it is done."""
    module, _, name = target.rpartition(".")
    function = getattr(__import__(module, fromlist=[name]), name)
    left = iter(range(times, 0, -1))

    def step(*args, **kwargs):
        done = function(*args, **kwargs)
        if next(left) == 1:
            raise Killed
        return done

    return step


def test_an_archive_that_kills_its_worker_each_time_fails(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    deadly, good = upload(shelf, "1.0"), upload(shelf, "1.1")
    time.move(seconds=60)

    def die(filename: str) -> None:
        if filename == deadly.filename:
            raise Killed

    reader.does = die
    for _ in range(3):
        with pytest.raises(Killed):
            extract_due()
        time.move(seconds=LEASE.total_seconds())
    extract_due()
    assert state_of(good)[0] == State.EXTRACTED
    assert state_of(deadly) == (
        State.FAILED,
        "Reading it was begun 3 times and never came to an end.",
    )


def test_the_attempt_is_committed_before_the_archive_is_opened(
    shelf: Cast, time: MovableClock, reader: FakeReader
) -> None:
    row = upload(shelf)
    seen = []
    reader.does = lambda _: seen.append(Distribution.objects.get(pk=row.pk).extraction_attempts)
    time.move(seconds=60)
    extract_due()
    assert seen == [1]


def test_a_missing_object_is_told_from_a_storage_that_is_away(db: None) -> None:
    with pytest.raises(ObjectMissing):
        list(storage.chunks("1/aa/nothing", 3))
