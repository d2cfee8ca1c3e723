"""Two senders with one Idempotency-Key at the same moment: one effect, and both hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from accounts.models import KeptAnswer, Token
from accounts.rest import once
from base.models import AuditEvent
from repos import configure
from repos.models import Repository
from tests.cast import Cast, assemble
from tests.portal.test_rest import Rest, by_session, token_body, told

pytestmark = pytest.mark.django_db(transaction=True)

SENDERS = 4
SECONDS = 20.0
NEW = {"tenant": "acme", "key": "new"}

Make = Callable[..., Any]


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Everybody, where other connections see them."""
    return assemble()


class Meeting:
    """Holds the first sender while it makes something, until the second one has come as well."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, make: str) -> None:
        self.is_making, self.both_came = threading.Event(), threading.Event()
        self.refuses_first = False
        self._made, self._came = 0, 0
        self._do: Make = getattr(configure, make)
        self._digest = once._digest
        monkeypatch.setattr(configure, make, self._held)
        monkeypatch.setattr(once, "_digest", self._arriving)

    def _arriving(self, request: Any) -> str:
        self._came += 1
        if self._came == 2:
            self.both_came.set()
        return self._digest(request)

    def _held(self, *row: Any, **how: Any) -> Any:
        self._made += 1
        if self._made == 1:
            self.is_making.set()
            assert self.both_came.wait(SECONDS)
            if self.refuses_first:
                raise ValidationError("Not this time.")
        return self._do(*row, **how)

    def heard(self, first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
        """Return what both hear, the second of whom comes while the first one is at it."""
        with _senders(2) as send:
            one = send(first)
            assert self.is_making.wait(SECONDS)
            other = send(second)
            return one.result(SECONDS), other.result(SECONDS)


@contextmanager
def _senders(count: int) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Let requests be sent from threads, each with a connection that ends with its answer."""

    def closing(step: Callable[[], Any]) -> Any:
        try:
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        yield lambda step: pool.submit(closing, step)


def asking(caller: Rest, path: str, body: Any, key: str = "k") -> Callable[[], Any]:
    mine = Rest(caller.headers)  # a browser of its own
    return lambda: mine("POST", path, body, Idempotency_Key=key)


def made_of(repository: str) -> int:
    events = AuditEvent.objects.filter(action="repository.create", subject=repository)
    return events.count()


def test_the_second_waits_and_hears_what_the_first_one_made(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = by_session(cast.acme.admin)
    meeting = Meeting(monkeypatch, "create_repository")
    send = asking(ada, "/repositories", NEW), asking(ada, "/repositories", NEW)
    first, second = meeting.heard(*send)
    assert (first.status_code, second.status_code) == (201, 201), second.content
    assert second.json() == first.json()
    assert second["ETag"] == first["ETag"]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Repository.objects.filter(key="new").count() == made_of("acme/new") == 1
    assert KeptAnswer.objects.count() == 1


def test_the_second_makes_it_where_the_first_one_was_refused(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = by_session(cast.acme.admin)
    meeting = Meeting(monkeypatch, "create_repository")
    meeting.refuses_first = True
    send = asking(ada, "/repositories", NEW), asking(ada, "/repositories", NEW)
    first, second = meeting.heard(*send)
    assert "Not this time" in told(first, 400)
    assert second.status_code == 201, second.content
    assert "Idempotency-Replayed" not in second
    assert Repository.objects.filter(key="new").count() == made_of("acme/new") == 1


def test_the_second_is_refused_who_wants_something_else(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = by_session(cast.acme.admin)
    meeting = Meeting(monkeypatch, "create_repository")
    other = asking(ada, "/repositories", NEW | {"key": "newer"})
    first, second = meeting.heard(asking(ada, "/repositories", NEW), other)
    assert first.status_code == 201
    assert "another request" in told(second, 409)
    assert not Repository.objects.filter(key="newer").exists()


def test_the_second_never_hears_the_secret_of_the_first(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    wes = by_session(cast.acme.writer)
    meeting = Meeting(monkeypatch, "create_token")
    send = asking(wes, "/tokens", token_body()), asking(wes, "/tokens", token_body())
    first, second = meeting.heard(*send)
    assert first.status_code == 201, first.content
    assert "not shown again" in told(second, 409)
    assert first.json()["secret"].encode() not in second.content
    assert Token.objects.filter(name="CI").count() == 1


def test_a_crowd_with_one_key_makes_one_thing(cast: Cast) -> None:
    ada, start = by_session(cast.acme.admin), threading.Barrier(SENDERS)

    def sent(one: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: start.wait(SECONDS) is not None and one()

    for number in range(3):
        body, key = NEW | {"key": f"r{number}"}, f"k{number}"
        with _senders(SENDERS) as send:
            going = [send(sent(asking(ada, "/repositories", body, key))) for _ in range(SENDERS)]
            heard = [each.result(SECONDS) for each in going]
        assert [each.status_code for each in heard] == [201] * SENDERS
        assert len({each.content for each in heard}) == 1
        assert sum("Idempotency-Replayed" in each for each in heard) == SENDERS - 1
        assert made_of(f"acme/r{number}") == 1
