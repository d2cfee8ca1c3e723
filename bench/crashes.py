"""Upload while the server is killed again and again, then look whether anything was lost.

    python bench/crashes.py --uploads 1000 --database sqlite
    python -m tests.parts postgres -- python bench/crashes.py --uploads 10000 --database postgres

Writers publish small wheels of their own, new projects and new versions of shared ones, while
`kill -9` hits one web process, or all of them at once, at random moments: seconds apart on a slow
machine, uploads apart on a quick one. A writer that hears
nothing, or that the server is away, tries again with the same bytes, as a person does; one in ten
gives up after the first try. In the end every acknowledged file must be listed and come back with
its digest, everything that is listed must be readable, and rows, storage and counts must add up
(tests/journeys/inventory.py). Anything else is a loss, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import dists
from tests.journeys import larder as larders
from tests.journeys.installers import served
from tests.journeys.larder import Repository
from tests.journeys.machine import sha256_of
from tests.journeys.wire import Content, upload
from tests.parts.processes import children_of, kill

SHARED = 5  # projects that all writers add versions to
TRIES = 60
PAUSE = 0.2  # seconds between two tries
GIVES_UP = 0.1
ALL_AT_ONCE = 0.3
SECONDS_APART = (0.2, 2.0)
UPLOADS_APART = (1, 16)
WHILE_STARTING = 0.1
PATIENCE = 30


@dataclass(frozen=True)
class Target:
    """The repository that is written to and read, and the tokens for it."""

    repository: Repository
    writer: str
    reader: str

    @property
    def url(self) -> str:
        """Where uploads go."""
        return self.repository.url


@dataclass(frozen=True)
class Wheel:
    """What a writer has to publish."""

    name: str
    version: str
    filename: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its digest."""
        return sha256_of(self.content)


@dataclass(frozen=True)
class Sent:
    """A wheel, and what its writer heard: None when it gave up unheard."""

    wheel: Wheel
    status: int | None
    reason: str
    tries: int


@dataclass
class Killer:
    """Kills web processes until it is told to stop."""

    web: int
    chance: random.Random
    kills: int = 0
    _heard: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _over: bool = False

    def heard(self) -> None:
        """An upload was answered."""
        self._heard.release()

    def _run(self) -> None:
        """Kill one process, or all, at random moments; a new one needs about a second."""
        while self._wait():
            workers = children_of(self.web)
            chosen = workers if self.chance.random() < ALL_AT_ONCE else workers[:1]
            for pid in chosen:
                self.kills += kill(pid)

    def _wait(self) -> bool:
        """Wait for some seconds or some answers, whichever is over sooner; say whether to go on.

        Mostly both count from the first answer since the last kill: on a slow machine a process
        that is killed each time while it starts would never answer anything.
        """
        while self._heard.acquire(blocking=False):
            pass
        if self.chance.random() > WHILE_STARTING and not self._over:
            self._heard.acquire(timeout=PATIENCE)
        until = time.monotonic() + self.chance.uniform(*SECONDS_APART)
        for _ in range(self.chance.randint(*UPLOADS_APART)):
            if self._over or not self._heard.acquire(timeout=max(0, until - time.monotonic())):
                break
        return not self._over

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Kill until the block ends."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._over = True
            self._heard.release()
            thread.join()


def main(arguments: list[str]) -> int:
    """Run it, print one line, and return 1 when anything was lost."""
    options = _parse(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    with larders.on_either(options.database) as larder:
        repository = larder.repository()
        target = Target(repository, larder.writer, larder.reader)
        started = time.monotonic()
        killer = Killer(larder.web, random.Random(seed))  # noqa: S311 - it can be repeated
        with killer.at_work():
            sent = _write(target, killer, options, seed)
        took = time.monotonic() - started
        larder.await_ready()
        losses = [*_losses(target, sent), *larder.problems()]
    for loss in losses[:20]:
        print(f"LOST: {loss}", file=sys.stderr)
    acknowledged = [each for each in sent if each.status is not None]
    tried = statistics.mean(each.tries for each in sent)
    print(
        f"{options.database}: {len(sent)} uploads, {len(acknowledged)} acknowledged, "
        f"{killer.kills} kills, {tried:.2f} tries each: {len(losses)} lost; "
        f"seed {seed}; {took:.0f} s"
    )
    return 1 if losses or not killer.kills else 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uploads", type=int, default=1000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, help="of the moments; another one each time if absent")
    return parser.parse_args(arguments)


def _write(target: Target, killer: Killer, options: argparse.Namespace, seed: int) -> list[Sent]:
    def one(number: int) -> Sent:
        chance = random.Random(f"{seed}-{number}")  # noqa: S311 - it can be repeated
        wheel, gives_up = _wheel(number, chance), chance.random() < GIVES_UP
        status, reason = _try(target, wheel)
        tries = 1
        while status is None and not gives_up and tries < TRIES:
            time.sleep(PAUSE)
            status, reason = _try(target, wheel)
            tries += 1
        if status is not None:
            killer.heard()
        return Sent(wheel, status, reason, tries)

    with ThreadPoolExecutor(options.writers) as pool:
        return list(pool.map(one, range(options.uploads)))


def _wheel(number: int, chance: random.Random) -> Wheel:
    name, version = f"shared-{number % SHARED}" if number % 2 else f"new-{number}", f"{number}.0"
    size = int(10 ** chance.uniform(1, 6))
    data = {f"{name.replace('-', '_')}_data.bin": chance.randbytes(size)}
    return Wheel(name, version, *dists.make_wheel(name, version, files=data))


def _try(target: Target, wheel: Wheel) -> tuple[int | None, str]:
    """Return what the server said; None when it said nothing, or that it is away."""
    sent = Content(wheel.filename, len(wheel.content), [wheel.content])
    try:
        status, reason = upload(
            target.url, target.writer, sent, name=wheel.name, version=wheel.version
        )
    except (OSError, HTTPException) as error:
        return None, str(error)
    return (None, reason) if status == 503 else (status, reason)


def _losses(target: Target, sent: list[Sent]) -> Iterator[str]:
    by_project: dict[str, list[Sent]] = {}
    for each in sent:
        by_project.setdefault(each.wheel.name, []).append(each)
        if each.status not in {None, 200}:
            yield f"{each.wheel.filename} was refused: {each.status} {each.reason}"
    for name, files in by_project.items():
        # Downloads all that is listed, so that what cannot be read is found too.
        there = served(target.repository, name, target.reader)
        for each in files:
            found = there.pop(each.wheel.filename, None)
            if found != each.wheel.sha256 and (found is not None or each.status == 200):
                yield f"{each.wheel.filename}: {found} is there, {each.wheel.sha256} was sent"
        for filename in there:
            yield f"{filename} is listed and nobody sent it"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
