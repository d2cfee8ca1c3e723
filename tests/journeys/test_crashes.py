"""Whatever moment the server dies at: nothing acknowledged is lost, and trying again succeeds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from tests import dists
from tests.clients import ROOT
from tests.journeys import larder as larders
from tests.journeys.crash_places import ANSWERED, FLAG, PLACES
from tests.journeys.distributions import IS_FULL
from tests.journeys.installers import served
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import sha256_of
from tests.journeys.wire import Content, upload

UPLOADS = 1000 if IS_FULL else 80


@pytest.fixture(scope="module")
def flag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that says where to die."""
    return tmp_path_factory.mktemp("crash") / "place"


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def mortal(request: pytest.FixtureRequest, flag: Path) -> Iterator[Larder]:
    """A Larder whose web processes die where they are told to."""
    settings = {FLAG: str(flag)}
    deadly = "tests.journeys.crashing"
    if request.param == "sqlite":
        with larders.embedded(settings, application=deadly) as larder:
            yield from nothing_is_left(larder)
        return
    with (
        larders.own_postgres() as database,
        larders.on_postgres(database, settings, application=deadly) as larder,
    ):
        yield from nothing_is_left(larder)


def nothing_is_left(larder: Larder) -> Iterator[Larder]:
    """Yield a Larder, and look in the end whether its rows and its storage add up."""
    yield larder
    assert larder.problems() == []


@pytest.mark.parametrize("place", [*(each.name for each in PLACES), ANSWERED])
def test_an_upload_survives_a_kill_at_every_step(mortal: Larder, flag: Path, place: str) -> None:
    repository = mortal.repository()
    filename, content = dists.make_wheel("frog", "1.0", description=place)
    flag.write_text(place)
    with pytest.raises((OSError, HTTPException)):
        send(mortal, repository, filename, content)
    assert not flag.exists(), "the upload never came by this place"
    mortal.await_ready()
    assert served(repository, "frog", mortal.reader) in ({}, {filename: sha256_of(content)})
    assert send(mortal, repository, filename, content)[0] == 200
    assert served(repository, "frog", mortal.reader) == {filename: sha256_of(content)}


def send(larder: Larder, repository: Repository, filename: str, content: bytes) -> tuple[int, str]:
    return upload(
        repository.url,
        larder.writer,
        Content(filename, len(content), [content]),
        name="frog",
        version="1.0",
    )


@pytest.mark.parametrize("database", ["postgres", "sqlite"])
def test_uploads_with_random_kills_lose_nothing(database: str) -> None:
    done = subprocess.run(
        [sys.executable, "bench/crashes.py", "--uploads", str(UPLOADS), "--database", database],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 lost" in done.stdout
