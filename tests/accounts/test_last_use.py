"""The last use of a token: written down at most once a minute, behind the requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import last_use
from accounts.models import Token
from base import clock
from tests.cast import Cast, Member, assemble
from tests.conftest import MovableClock

PROCESSES = 8


@pytest.fixture(autouse=True)
def no_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a process that has noted nothing."""
    monkeypatch.setattr(last_use, "_noted", {})


def used_at(person: Member) -> object:
    return Token.objects.get(pk=person.token.pk).last_used_at


def read_page(client: Client, person: Member) -> None:
    answer = client.get("/acme/local/simple/", headers=person.headers)
    assert answer.status_code == HTTPStatus.OK


def test_it_is_written_at_most_once_a_minute(
    client: Client, cast: Cast, time: MovableClock, django_assert_num_queries
) -> None:
    reader, first = cast.acme.reader, time()
    read_page(client, reader)
    last_use.write_down()
    assert used_at(reader) == first
    time.move(seconds=59)
    read_page(client, reader)
    with django_assert_num_queries(0):
        last_use.write_down()
    time.move(seconds=1)
    read_page(client, reader)
    last_use.write_down()
    assert used_at(reader) == first + timedelta(minutes=1)


def test_a_request_writes_nothing_itself(client: Client, cast: Cast) -> None:
    with CaptureQueriesContext(connection) as asked:
        read_page(client, cast.acme.reader)
    assert not [query for query in asked if not query["sql"].startswith("SELECT")]
    assert used_at(cast.acme.reader) is None


def test_it_says_when_the_token_was_used_and_not_when_that_was_written(
    cast: Cast, time: MovableClock
) -> None:
    used = time()
    last_use.note(cast.acme.reader.token)
    time.move(seconds=4)
    last_use.note(cast.acme.reader.token)
    last_use.write_down()
    assert used_at(cast.acme.reader) == used


@pytest.mark.django_db(transaction=True)
def test_many_processes_that_use_one_token_write_once() -> None:
    token = assemble().acme.reader.token

    def process(number: int) -> int:
        try:
            return last_use._write({token.pk: clock.now() + timedelta(milliseconds=number)})
        finally:
            connection.close()

    with ThreadPoolExecutor(PROCESSES) as pool:
        assert sum(pool.map(process, range(PROCESSES))) == 1


def test_a_busy_database_costs_the_note_and_no_request(
    client: Client, cast: Cast, monkeypatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr("django.db.models.query.QuerySet.update", busy)
        read_page(client, cast.acme.reader)
        with pytest.raises(OperationalError):
            last_use.write_down()
    last_use.write_down()
    assert used_at(cast.acme.reader) is None
    read_page(client, cast.acme.reader)
    last_use.write_down()
    assert used_at(cast.acme.reader) is not None
