"""Extraction with real brokers, workers and beats: each file once, whatever is killed when."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import dists, parts
from tests.journeys import larder as larders
from tests.journeys.crew import Crew, crew
from tests.journeys.distributions import IS_FULL
from tests.journeys.extracted import Found
from tests.journeys.larder import Larder, Repository
from tests.journeys.wire import Content, upload
from tests.parts import MortalBroker
from tests.parts.processes import kill

UPLOADS = 500 if IS_FULL else 40
BROKERS = ["folder", "pgmq", *(["redis", "rabbitmq"] if IS_FULL else [])]
# The quiet period, a bell, a lease that a killed worker held, the tries of a file, and patience.
WITHIN = 240
_QUIET = """
from base.audit import SYSTEM
from repos import configure
from repos.models import Repository
for row in Repository.objects.filter(tenant__slug="acme"):
    row.quiet_period = 2
    configure.change_repository(row, by=SYSTEM)
"""
_EMPTY = "from portal.celery import app; app.control.purge()"


@dataclass
class Stage:
    """A Larder with its own broker, and how that broker is killed."""

    larder: Larder
    repository: Repository
    kill_broker: Callable[[], None]


@pytest.fixture(params=BROKERS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Larder with each broker; the one worker that it has of its own is part of the crew."""
    with ExitStack() as stack:
        larder, kill_broker = stack.enter_context(_with(request.param))
        repository = larder.repository()
        larder.python(f"import django; django.setup()\n{_QUIET}")
        yield Stage(larder, repository, kill_broker)
        assert larder.problems() == []


@contextmanager
def _with(broker: str) -> Iterator[tuple[Larder, Callable[[], None]]]:
    """Run Larder with a broker of its own, and say how to kill that."""
    with ExitStack() as stack:
        match broker:
            case "folder":
                larder = stack.enter_context(larders.embedded())
                folder = Path(larder.environment["LARDER_HOME"], "broker", "messages")
                yield larder, lambda: shutil.rmtree(folder, ignore_errors=True)
            case "pgmq":
                # A server of our own: what kills one of its processes makes it start anew.
                server = stack.enter_context(parts.postgres(durable=True))
                url = urlsplit(server)._replace(scheme="pgmq").geturl()
                settings = {"LARDER_BROKER_URL": url}
                yield stack.enter_context(larders.embedded(settings)), lambda: _crash(server)
            case _:
                mortal: MortalBroker = stack.enter_context(getattr(parts, f"mortal_{broker}")())
                settings = {"LARDER_BROKER_URL": mortal.url}
                yield stack.enter_context(larders.embedded(settings)), mortal.kill_and_restart


def _crash(server: str) -> None:
    """Let PostgreSQL lose a process: it cuts everybody off and recovers from its log."""
    with suppress(psycopg.OperationalError), psycopg.connect(server) as connection:
        kill(connection.info.backend_pid)


def send(stage: Stage, number: int) -> None:
    """Publish a wheel of its own, again until it is answered."""
    name, version = f"frog-{number % 7}", f"{number}.0"
    filename, content = dists.make_wheel(name, version, description=f"# Frog {number}\n")
    for _ in range(60):
        try:
            status, reason = upload(
                stage.repository.url,
                stage.larder.writer,
                Content(filename, len(content), [content]),
                name=name,
                version=version,
            )
        except (OSError, HTTPException):
            time.sleep(0.2)
            continue
        if status != 503:
            assert status == 200, reason
            return
        time.sleep(0.2)
    raise AssertionError(f"{filename} was never taken")


def awaited(stage: Stage, count: int, within: float = WITHIN) -> list[Found]:
    """Return what became of the files once none waits any more."""
    until = time.monotonic() + within
    while True:
        found: list[Found] = stage.larder.inside("tests.journeys.extracted")
        if len(found) == count and all(each["state"] != "pending" for each in found):
            return found
        assert time.monotonic() < until, [each for each in found if each["state"] == "pending"]
        time.sleep(1)


def is_right(each: Found) -> bool:
    """Say whether a file is extracted, from its own bytes, and says what its name says."""
    name, version = each["filename"].split("-")[:2]
    said = [name.replace("_", "-"), version]
    return each["state"] == "extracted" and each["is_read"] and each["names"] == said


def test_two_workers_and_two_beats_extract_each_file_once(stage: Stage) -> None:
    with crew(stage.larder, "worker-2", "beat-1", "beat-2") as others:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: send(stage, number), range(20)))
        found = awaited(stage, 20)
        assert all(map(is_right, found)), found
        assert {each["attempts"] for each in found} == {1}
        # And once more, when there is nothing of the first burst left to do.
        send(stage, 20)
        again = awaited(stage, 21)
        assert {each["attempts"] for each in again} == {1}
        assert others.dead() == [], others.logs()


def test_a_queue_that_is_emptied_half_way_loses_nothing(stage: Stage) -> None:
    with crew(stage.larder, "beat-1"):
        for number in range(6):
            send(stage, number)
            stage.larder.python(_EMPTY)
        assert all(map(is_right, awaited(stage, 6)))


def test_killed_workers_beats_and_brokers_lose_nothing(stage: Stage) -> None:
    chance = random.Random(7)  # noqa: S311 - it can be repeated
    names = ["worker-2", "worker-3", "beat-1", "beat-2"]
    is_over = threading.Event()

    def kill_at_random(others: Crew) -> int:
        kills = 0
        while not is_over.wait(chance.uniform(0.5, 4)):
            victim = chance.choice([*names, "broker"])
            if victim == "broker":
                stage.kill_broker()
            else:
                others.kill(victim)
                others.start(victim)
            kills += 1
        return kills

    with crew(stage.larder, *names) as others:
        with ThreadPoolExecutor(5) as pool:
            killer = pool.submit(kill_at_random, others)
            try:
                list(pool.map(lambda number: send(stage, number), range(UPLOADS)))
                time.sleep(15)  # extraction is at work meanwhile
            finally:
                is_over.set()
            assert killer.result() > 0
        found = awaited(stage, UPLOADS)
        assert [each for each in found if not is_right(each)] == [], others.logs()
