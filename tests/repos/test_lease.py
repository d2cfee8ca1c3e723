"""The lease: one question for many requests, and never an answer from before a request came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import Error, OperationalError, connection, transaction

from base.stamps import Stamp, access_stamp, configuring, move_access
from repos import lease as lease_module
from repos import stamp_questions
from repos.lease import Lease, StampsUnknown
from repos.models import RepositoryState
from repos.stamp_questions import StampsInDatabase
from repos.stamps import Answered, move_epoch, stamps_by
from tests.cast import Cast

NOTHING = Stamp(0, 0, "")


class Database:
    """Answers with how often it was asked, and slowly where that is wanted."""

    def __init__(self, seconds: float = 0) -> None:
        self.questions: list[frozenset[int]] = []
        self.seconds = seconds
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, about: Collection[int]) -> Answered:
        """Return a stamp whose serial is the number of the question."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.questions.append(frozenset(about))
        number = len(self.questions)
        time.sleep(self.seconds)
        self.at_once -= 1
        return NOTHING, {each: Stamp(0, number, "") for each in about}


def test_within_a_lease_nobody_asks_again() -> None:
    database = Database()
    lease = Lease(database, seconds=60)
    first = lease.present(frozenset({1, 2}))
    assert lease.present(frozenset({2})) is first
    assert lease.present(frozenset()) is first
    assert len(database.questions) == 1


def test_another_repository_is_asked_about_with_those_asked_before() -> None:
    database = Database()
    lease = Lease(database, seconds=60)
    lease.present(frozenset({1}))
    lease.present(frozenset({2}))
    assert database.questions == [{1}, {1, 2}]


def test_an_answer_is_not_used_by_who_comes_after_its_lease() -> None:
    database = Database()
    lease = Lease(database, seconds=0)
    assert lease.present(frozenset({1})).stamps[1].serial == 1
    assert lease.present(frozenset({1})).stamps[1].serial == 2


def test_many_at_once_share_a_question_that_began_after_they_came() -> None:
    database = Database(seconds=0.02)
    lease = Lease(database, seconds=0)
    came: list[tuple[float, float]] = []

    def come(_: int) -> None:
        at = time.monotonic()
        came.append((at, lease.present(frozenset({1})).asked_at))

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(come, range(64)))
    assert all(asked_at >= at for at, asked_at in came)
    assert database.most_at_once == 1
    assert len(database.questions) < 64 / 4


def test_when_the_database_is_away_those_who_wait_are_told_at_once() -> None:
    questions, goes_on = [], threading.Event()

    def away(_: Collection[int]) -> Answered:
        questions.append(1)
        goes_on.wait(10)
        raise OperationalError("away")

    lease = Lease(away, seconds=0)

    def come(_: int) -> bool:
        with pytest.raises(StampsUnknown):
            lease.present(frozenset({1}))
        return True

    with ThreadPoolExecutor(8) as crowd:
        waiting = [crowd.submit(come, number) for number in range(8)]
        while not questions:
            time.sleep(0.001)
        time.sleep(0.05)
        goes_on.set()
        assert all(each.result() for each in waiting)
    assert len(questions) < 4


def test_that_the_database_is_away_is_said_once_each_time(
    moment: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(lease_module.log, "warning", lambda *_, reason: said.append(reason))
    is_away = [True]

    def ask(about: Collection[int]) -> Answered:
        if is_away[0]:
            raise OperationalError("away")
        return NOTHING, dict.fromkeys(about, NOTHING)

    lease = Lease(ask, seconds=0)
    for is_away[0] in (True, True, False, True, True):
        moment[0] += 10
        with suppress(StampsUnknown):
            lease.present(frozenset({1}))
    assert said == ["away", "away"]


def test_nobody_waits_long_for_a_question_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "ANSWERED_WITHIN_SECONDS", 0.05)
    asked, goes_on = threading.Event(), threading.Event()

    def lost(about: Collection[int]) -> Answered:
        asked.set()
        goes_on.wait(10)
        return NOTHING, dict.fromkeys(about, NOTHING)

    lease = Lease(lost, seconds=0)
    with ThreadPoolExecutor(1) as others:
        other = others.submit(lease.present, frozenset({1}))
        assert asked.wait(10)
        with pytest.raises(StampsUnknown):
            lease.present(frozenset({1}))
        goes_on.set()
        assert other.result().stamps == {1: NOTHING}
    assert lease.present(frozenset({2})).stamps[2] == NOTHING


def test_who_comes_after_a_question_that_took_long_is_not_kept_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, asked_at = [100.0], []
    monkeypatch.setattr(lease_module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def away(_: Collection[int]) -> Answered:
        asked_at.append(now[0])
        now[0] += 3
        raise OperationalError("away")

    lease = Lease(away, seconds=0)
    for moment in (100, 104, 105.9, 106):
        now[0] = moment
        with pytest.raises(StampsUnknown):
            lease.present(frozenset())
    assert asked_at == [100, 106]


class Ahead(Database):
    """Takes questions that are sent ahead, too; `breaks` says that none of those is answered."""

    breaks = False

    def begin(self, about: Collection[int]) -> Callable[[], Answered]:
        """Ask, and return what returns the answer."""
        answer = self(about)

        def said() -> Answered:
            if self.breaks:
                raise OperationalError("away")
            return answer

        return said


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the lease, to be set."""
    now = [100.0]
    monkeypatch.setattr(lease_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_the_next_question_is_sent_before_anybody_needs_it(moment: list[float]) -> None:
    database = Ahead()
    lease = Lease(database, begin=database.begin, seconds=1)
    seen = []
    for moment[0] in (100, 100.7, 100.8, 100.9, 101.1, 101.7, 101.79, 101.9):
        present = lease.present(frozenset({1}))
        seen.append((moment[0], present.asked_at, len(database.questions)))
    assert seen == [
        (100, 100, 1),
        (100.7, 100, 1),
        (100.8, 100, 2),  # sent
        (100.9, 100, 2),
        (101.1, 100.8, 2),  # needed: it is there
        (101.7, 100.8, 3),
        (101.79, 100.8, 3),
        (101.9, 101.7, 3),
    ]


def test_what_was_sent_long_ago_or_about_others_is_asked_anew(moment: list[float]) -> None:
    database = Ahead()
    lease = Lease(database, begin=database.begin, seconds=0.1)
    for moment[0], about, asked_at in (
        (100, {1}, 100),
        (100.08, {1}, 100),
        (100.2, {1}, 100.2),
        (100.28, {1}, 100.2),
        (100.31, {2}, 100.31),
        (100.32, {1, 2}, 100.31),
    ):
        assert lease.present(frozenset(about)).asked_at == asked_at
    assert database.questions == [{1}, {1}, {1}, {1}, {1, 2}]


def test_who_is_in_a_hurry_waits_for_quick_questions_alone(moment: list[float]) -> None:
    took = [0.001]

    def ask(about: Collection[int]) -> Answered:
        moment[0] += took[0]
        if took[0] > 1:
            raise OperationalError("away")
        return NOTHING, dict.fromkeys(about, NOTHING)

    lease, about = Lease(ask, seconds=0), frozenset({1})

    def is_told(*, is_hurried: bool) -> bool:
        try:
            lease.present(about, is_hurried=is_hurried)
        except StampsUnknown:
            return False
        return True

    told = []
    for took[0] in (0.001, 0.005, 0.001, 2, 0.001):
        moment[0] += 10
        told.append([is_told(is_hurried=each) for each in (True, False, True)])
    assert told == [
        [False, True, True],  # there is no connection yet
        [True, True, False],
        [False, True, True],
        [False, False, False],  # whoever was in a hurry before it broke heard so once
        [False, True, True],
    ]


def test_what_was_sent_and_is_lost_is_told_once(moment: list[float]) -> None:
    database = Ahead()
    lease = Lease(database, begin=database.begin, seconds=1)
    for moment[0] in (100, 100.8):
        lease.present(frozenset({1}))
    database.breaks = True
    moment[0] = 101.1
    with pytest.raises(StampsUnknown):
        lease.present(frozenset({1}))
    assert lease.present(frozenset({1})).asked_at == 101.1


@pytest.fixture
def ask() -> Iterator[StampsInDatabase]:
    asking = StampsInDatabase()
    yield asking
    asking.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_is_made_anew(ask: StampsInDatabase) -> None:
    before = ask(())
    for is_begun in (False, True):
        begun = ask.begin(())
        assert ask._connection is not None
        ask._connection.connection.close()
        with pytest.raises(Error):
            begun() if begun is not None and is_begun else ask(())
        assert ask(()) == before


@pytest.mark.django_db(transaction=True)
def test_a_question_that_is_sent_ahead_is_answered_as_of_then(
    cast: Cast, ask: StampsInDatabase
) -> None:
    about = [cast.acme.repository.pk]
    assert ask.begin(about) is None  # it would have to connect
    before = ask(about)
    begun = ask.begin(about)
    if connection.vendor != "postgresql":
        assert begun is None
        return
    assert begun is not None
    assert begun() is before
    move_epoch(cast.acme.repository)
    begun = ask.begin(about)
    assert begun is not None
    assert begun() == stamps_by(connection, about) != before


@pytest.mark.django_db(transaction=True)
def test_by_its_own_connection_it_hears_the_same(cast: Cast, ask: StampsInDatabase) -> None:
    keys = [cast.acme.repository.pk, cast.globex.repository.pk, 10**9]
    for about in ((), keys[:1], keys):
        for _ in range(2):
            assert ask(about) == stamps_by(connection, about)
    before = ask(keys)
    move_epoch(cast.acme.repository)
    assert ask(keys) == stamps_by(connection, keys) != before


@pytest.mark.django_db(transaction=True)
def test_as_long_as_nothing_moves_it_is_the_same_version(cast: Cast, ask: StampsInDatabase) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite each answer is looked at")
    lease = Lease(ask, seconds=0)
    about = frozenset({cast.acme.repository.pk})
    versions = [lease.present(about).version for _ in range(3)]
    for move in (partial(move_epoch, cast.acme.repository), moved_access, ask.close):
        move()
        versions += [lease.present(about).version for _ in range(2)]
    move_epoch(cast.globex.repository)
    assert [*versions, lease.present(about).version] == [1, 1, 1, 2, 2, 3, 3, 4, 4, 4]


def moved_access() -> None:
    with configuring():
        move_access()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_not_waited_for(
    ask: StampsInDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite answers or fails at once")
    before = ask(())
    monkeypatch.setattr(stamp_questions, "ANSWERED_WITHIN_SECONDS", 0.05)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE base_accessstamp IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OperationalError, match="in time"):
            ask(())
    monkeypatch.undo()
    assert ask(()) == before


@pytest.mark.django_db(transaction=True)
def test_after_an_error_it_asks_by_another_connection(ask: StampsInDatabase) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite prepares nothing")
    before = ask(())
    for statement, told in (
        ("SET statement_timeout = '10ms'", "statement timeout"),
        ("DEALLOCATE ALL", "does not exist"),
    ):
        assert ask._connection is not None
        with ask._connection.cursor() as cursor:
            cursor.execute(statement)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE base_accessstamp IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(OperationalError, match=told):
                ask(())
        assert ask._ask is None
        assert ask(()) == before
        assert ask._ask is not None


def test_the_question_is_about_what_the_rows_say(cast: Cast) -> None:
    local = cast.acme.repository
    access, stamps = stamps_by(connection, {local.pk, 10**9})
    state = RepositoryState.objects.get(repository=local)
    assert access == access_stamp()
    assert stamps == {local.pk: state.stamp}
    assert stamps_by(connection, ()) == (access, {})
