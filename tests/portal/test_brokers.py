"""One contract for every broker that may wake workers: a folder, pgmq, Redis and RabbitMQ.

The last two run with LARDER_TEST_COUNTS=full: they are other people's choice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import Celery

from portal.broker import celery_settings
from portal.folder_broker import MESSAGES_AT_MOST
from tests import parts
from tests.properties import IS_FULL

# It registers the folder among the transports.
from portal.celery import app as ours  # isort: skip

TASK = "packages.extract_due"
_PATIENCE = 20
IN_FULL = pytest.mark.skipif(not IS_FULL, reason="runs in make soak")


@contextmanager
def url_of(broker: str) -> Iterator[str]:
    """Run the broker and yield its URL."""
    with ExitStack() as stack:
        if broker == "pgmq":
            given = parts.given("postgres") or stack.enter_context(parts.postgres())
            yield stack.enter_context(parts.pgmq(given))
            return
        yield stack.enter_context(getattr(parts, broker)())


@pytest.fixture(
    scope="module",
    params=[
        "folder",
        pytest.param("pgmq", marks=pytest.mark.parts),
        pytest.param("redis", marks=[pytest.mark.parts, IN_FULL]),
        pytest.param("rabbitmq", marks=[pytest.mark.parts, IN_FULL]),
    ],
)
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a running broker, whatever its kind."""
    with url_of(request.param) as url:
        yield url


@pytest.fixture
def bell(broker: str) -> Iterator[Celery]:
    """Celery with the settings of that broker, and nothing in its queue."""
    app = Celery("bell", set_as_current=False)
    app.conf.update(celery_settings(broker))
    with app.connection_for_write() as connection, closing_queue(connection) as queue:
        queue.clear()
    yield app
    app.close()


@contextmanager
def closing_queue(connection: Any) -> Iterator[Any]:
    """Yield Celery's queue, to take from."""
    queue = connection.SimpleQueue("celery")
    try:
        yield queue
    finally:
        queue.close()


def take(queue: Any) -> Any:
    """Return the next message, taken, and no other beside it."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            message = queue.get_nowait()
        except Empty:
            assert time.monotonic() < until, "no message came"
            time.sleep(0.05)
        else:
            message.ack()
            return message


def test_a_bell_is_heard_once(bell: Celery) -> None:
    bell.send_task(TASK)
    with bell.connection_for_read() as connection, closing_queue(connection) as queue:
        assert take(queue).headers["task"] == TASK
        with pytest.raises(Empty):
            queue.get(timeout=2)


def test_of_two_takers_none_gets_what_the_other_has(bell: Celery) -> None:
    sent = {bell.send_task(TASK).id for _ in range(10)}
    with (
        bell.connection_for_read() as first,
        bell.connection_for_read() as second,
        closing_queue(first) as one,
        closing_queue(second) as other,
    ):
        taken = [take(queue).headers["id"] for _ in range(5) for queue in (one, other)]
    assert len(taken) == 10
    assert set(taken) == sent


def test_a_bell_says_until_when_it_is_to_be_answered(bell: Celery) -> None:
    entry = bell.conf.beat_schedule["extract"]
    assert entry["schedule"] <= timedelta(seconds=5)
    bell.send_task(entry["task"], **entry["options"])
    with bell.connection_for_read() as connection, closing_queue(connection) as queue:
        assert take(queue).headers["expires"]


def test_a_queue_that_is_emptied_is_empty_and_works_on(bell: Celery) -> None:
    for _ in range(5):
        bell.send_task(TASK)
    with bell.connection_for_write() as connection, closing_queue(connection) as queue:
        queue.clear()
        with pytest.raises(Empty):
            queue.get(timeout=2)
    bell.send_task(TASK)
    with bell.connection_for_read() as connection, closing_queue(connection) as queue:
        assert take(queue)


def test_the_task_that_rings_is_one_of_ours() -> None:
    ours.loader.import_default_modules()
    for entry in ours.conf.beat_schedule.values():
        assert entry["task"] in ours.tasks
        assert entry["options"]["expires"] == entry["schedule"].total_seconds()


# the folder alone


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Celery, Path]:
    """Celery with a folder, and where its messages are."""
    app = Celery("bell", set_as_current=False)
    app.conf.update(celery_settings((tmp_path / "broker").as_uri()))
    return app, tmp_path / "broker" / "messages"


def test_a_folder_that_nobody_takes_from_stays_small(folder: tuple[Celery, Path]) -> None:
    app, messages = folder
    sent = [app.send_task(TASK).id for _ in range(MESSAGES_AT_MOST + 20)]
    kept = sorted(messages.iterdir())
    assert len(kept) == MESSAGES_AT_MOST
    ids = [json.loads(path.read_text())["headers"]["id"] for path in kept]
    assert ids == sent[20:]


def test_a_folder_keeps_nothing_that_was_taken(folder: tuple[Celery, Path]) -> None:
    app, messages = folder
    app.send_task(TASK)
    with app.connection_for_read() as connection, closing_queue(connection) as queue:
        take(queue)
    assert list(messages.iterdir()) == []


def test_half_of_a_message_stops_nobody(folder: tuple[Celery, Path]) -> None:
    """A process may be killed while it writes."""
    app, messages = folder
    messages.mkdir(parents=True)
    (messages / ".00000000000000000001-ab.celery.msg").write_text('{"body": ')
    app.send_task(TASK)
    with app.connection_for_read() as connection, closing_queue(connection) as queue:
        assert take(queue).headers["task"] == TASK


def test_a_folder_that_was_removed_comes_back(folder: tuple[Celery, Path]) -> None:
    app, messages = folder
    app.send_task(TASK)
    for path in messages.iterdir():
        path.unlink()
    messages.rmdir()
    app.send_task(TASK)
    assert len(list(messages.iterdir())) == 1
    assert urlsplit(app.conf.broker_url).scheme == "folder"
