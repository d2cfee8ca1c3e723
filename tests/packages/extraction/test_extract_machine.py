"""Extraction through any history: uploads, pauses, workers that die at any step, two at a time.

Whatever the history: a file is extracted once, nothing is due for ever, and nothing is forgotten.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connections, transaction
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from base import clock
from packages import curate
from packages.extraction import extract
from packages.extraction.extract import ATTEMPTS_AT_MOST, extract_due
from packages.extraction.turns import LEASE, TRIED_AGAIN_AFTER, Turn
from packages.models import Distribution, Reading
from repos.models import RepositoryState
from tests.cast import Cast, assemble
from tests.conftest import MovableClock
from tests.packages.extraction.extracting import FakeReader, broken, put
from tests.properties import examples

State = Distribution.Extraction

# Every step of a worker between taking its turn and ending it; it may die on either side of each.
STEPS = (
    "packages.extraction.extract.take_turn",
    "packages.storage.chunks",
    "packages.extraction.extract._count_attempt",
    "packages.extraction.extract._understood",
    "packages.extraction.results.still_waiting",
    "packages.extraction.results.write_details",
    "packages.extraction.extract.write_read",
    "packages.extraction.turns._set_next",
)
PAUSES = st.sampled_from([60, 100, 30, 700])


class Killed(BaseException):
    """The worker is gone, without a word."""


class History(RuleBasedStateMachine):
    """Uploads to two repositories, and workers."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = MovableClock()
        self.uploads = 0
        self.left: int | None = None  # steps until a worker dies
        self.deaths: Counter[int] = Counter()  # by file that was being read
        self.written: Counter[int] = Counter()  # results, by file
        self.reader = FakeReader()
        self.stack = ExitStack()
        self.stack.enter_context(clock.use(self.clock))
        self.stack.enter_context(transaction.atomic())
        for step in STEPS:
            self.stack.enter_context(patch(step, self._deadly(step)))
        self.stack.enter_context(patch("packages.extraction.extract.Reader", lambda: self.reader))

    def teardown(self) -> None:
        """Let everything that is due be done, look at it, and undo it all."""
        try:
            self.at_last_everything_is_extracted()
        finally:
            transaction.set_rollback(True)
            self.stack.close()

    @initialize()
    def begin(self) -> None:
        """Everybody is there, and has published something."""
        self.cast: Cast = assemble()
        self.upload(house="acme", files=2)

    @rule(house=st.sampled_from(["acme", "globex"]), files=st.integers(1, 3))
    def upload(self, house: str, files: int) -> None:
        """Somebody publishes further versions."""
        into = self.cast.acme if house == "acme" else self.cast.globex
        for _ in range(files):
            self.uploads += 1
            put(into.repository, into.writer.limited, f"1.{self.uploads}")

    @rule(pause=PAUSES)
    def work(self, pause: int) -> None:
        """A bell rings, and a worker does what is due."""
        self.clock.move(seconds=pause)
        extract_due()

    @rule(pause=PAUSES)
    def work_beside_another(self, pause: int) -> None:
        """A second worker is woken while the first one reads."""
        self.clock.move(seconds=pause)

        def wake(_filename: str) -> None:
            self.reader.does = lambda _: None
            extract_due()

        self.reader.does = wake
        try:
            extract_due()
        finally:
            self.reader.does = lambda _: None

    @rule(pause=PAUSES, steps=st.integers(min_value=1, max_value=3 * len(STEPS)))
    def die(self, pause: int, steps: int) -> None:
        """A worker is killed at one of its steps, if it gets as far."""
        self.clock.move(seconds=pause)
        before = dict(Distribution.objects.values_list("pk", "extraction_attempts"))
        self.left = steps
        try:
            extract_due()
        except Killed:
            self._note_deaths(before)
        finally:
            self.left = None

    @rule(pause=PAUSES, seconds=st.sampled_from([10, 100]))
    def hang(self, pause: int, seconds: int) -> None:
        """A worker stands still in the middle of a file, perhaps for longer than its lease.

        Somebody publishes meanwhile.
        """
        self.clock.move(seconds=pause)
        before = dict(Distribution.objects.values_list("pk", "extraction_attempts"))

        def stand_still(_filename: str) -> None:
            self.reader.does = lambda _: None
            self.clock.move(seconds=seconds)
            self.upload(house="acme", files=1)
            extract_due()

        self.reader.does = stand_still
        try:
            extract_due()
        finally:
            self.reader.does = lambda _: None
        self._note_deaths(before)  # whoever has lost the lease has not come to an end either

    @rule(pause=PAUSES)
    def fail(self, pause: int) -> None:
        """The first archive that is read now cannot be read."""
        self.clock.move(seconds=pause)
        before = dict(Distribution.objects.values_list("pk", "extraction_attempts"))

        def refuse(_filename: str) -> None:
            self.reader.does = lambda _: None
            raise broken()

        self.reader.does = refuse
        extract_due()
        self.reader.does = lambda _: None
        self._note_deaths(before)

    @precondition(lambda self: self.uploads > 0)
    @rule(data=st.data())
    def delete_or_restore(self, data: st.DataObject) -> None:
        """An administrator deletes a file, or takes that back."""
        row = data.draw(st.sampled_from(list(Distribution.objects.order_by("pk"))))
        house = self.cast.acme if row.repository == self.cast.acme.repository else self.cast.globex
        change = curate.delete if row.deleted_at is None else curate.restore
        change(row, by=house.admin.principal)

    @invariant()
    def a_file_is_extracted_once(self) -> None:
        """No result was written twice, and none without its row saying so."""
        assert all(count == 1 for count in self.written.values()), self.written
        done = Distribution.objects.filter(extraction=State.EXTRACTED)
        assert set(done.values_list("pk", flat=True)) == set(self.written)
        assert Reading.objects.count() == done.count()

    @invariant()
    def what_waits_is_armed(self) -> None:
        """Every repository with a file that waits will be looked at."""
        waits = Distribution.objects.filter(extraction=State.PENDING, deleted_at__isnull=True)
        unarmed = RepositoryState.objects.filter(
            extract_after__isnull=True, repository__distributions__in=waits
        )
        assert not unarmed.exists()

    def at_last_everything_is_extracted(self) -> None:
        """Within the quiet period, a lease and the tries that are left, all is done."""
        for _ in range(ATTEMPTS_AT_MOST + 2):
            self.clock.move(seconds=(LEASE + TRIED_AGAIN_AFTER).total_seconds())
            extract_due()
        self.a_file_is_extracted_once()
        for row in Distribution.objects.filter(deleted_at__isnull=True):
            is_worn_out = self.deaths[row.pk] >= ATTEMPTS_AT_MOST
            assert row.extraction == (State.FAILED if is_worn_out else State.EXTRACTED), row
        assert not RepositoryState.objects.filter(extract_after__isnull=False).exists()

    def _deadly(self, step: str) -> Any:
        module, _, name = step.rpartition(".")
        function = getattr(__import__(module, fromlist=[name]), name)

        def deadly(*args: Any, **kwargs: Any) -> Any:
            self._live_on()
            if name == "write_read":
                self._write_read(function, *args)
                done = None
            else:
                done = function(*args, **kwargs)
            self._live_on()
            return done

        return deadly

    def _write_read(self, function: Any, turn: Turn, file: Distribution, *rest: Any) -> None:
        """Write a result and count it if it settles the file."""
        row = Distribution.objects.get(pk=file.pk)
        was_waiting = row.extraction == State.PENDING
        function(turn, file, *rest)
        row.refresh_from_db()
        if was_waiting and row.extraction == State.EXTRACTED:
            self.written[row.pk] += 1

    def _live_on(self) -> None:
        if self.left is not None:
            self.left -= 1
            if not self.left:
                raise Killed

    def _note_deaths(self, before: dict[int, int]) -> None:
        """Count against a file each attempt that was begun and not brought to an end."""
        waiting = Distribution.objects.exclude(extraction=State.EXTRACTED)
        for pk, attempts in waiting.values_list("pk", "extraction_attempts"):
            self.deaths[pk] += attempts - before.get(pk, 0)


@pytest.mark.hypothesis
def test_every_file_is_extracted_once_through_any_history(db: None) -> None:
    # As for rights: a history is read as it is.
    found = settings(examples(25), stateful_step_count=12, phases=[Phase.generate])
    run_state_machine_as_test(History, settings=found)


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_extract_each_file_once(
    monkeypatch: pytest.MonkeyPatch, time: MovableClock
) -> None:
    cast = assemble()
    lock, read = threading.Lock(), Counter[str]()

    class CountingReader(FakeReader):
        def read(self, path, filename):
            with lock:
                read[filename] += 1
            return super().read(path, filename)

    monkeypatch.setattr(extract, "Reader", CountingReader)
    monkeypatch.setattr(extract, "FILES_AT_MOST", 3)
    for house in (cast.acme, cast.globex):
        for number in range(8):
            put(house.repository, house.writer.limited, f"1.{number}", name=house.tenant.slug)
    time.move(seconds=60)
    start = threading.Barrier(4)

    def worker(_number: int) -> int:
        start.wait()
        try:
            return sum(extract_due() for _ in range(3))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(worker, range(4))) == 16
    assert set(read.values()) == {1}
    assert set(Distribution.objects.values_list("extraction", flat=True)) == {State.EXTRACTED}
    assert not RepositoryState.objects.filter(extract_after__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_uploads_beside_workers_are_all_extracted(
    monkeypatch: pytest.MonkeyPatch, time: MovableClock
) -> None:
    cast = assemble()
    cast.acme.repository.quiet_period = 0
    cast.acme.repository.save()
    monkeypatch.setattr(extract, "Reader", FakeReader)
    is_over = threading.Event()

    def publish_some(number: int) -> None:
        try:
            for version in range(8):
                put(
                    cast.acme.repository,
                    cast.acme.writer.limited,
                    f"1.{version}",
                    name=f"frog-{number}",
                )
        finally:
            connections.close_all()

    def work() -> None:
        try:
            while not is_over.is_set():
                extract_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(work) for _ in range(2)]
        for done in [pool.submit(publish_some, number) for number in range(2)]:
            done.result()
        is_over.set()
        for each in workers:
            each.result()
    extract_due()
    assert Distribution.objects.count() == 16
    assert set(Distribution.objects.values_list("extraction", flat=True)) == {State.EXTRACTED}
    assert Reading.objects.count() == 16
    assert not RepositoryState.objects.filter(extract_after__isnull=False).exists()
