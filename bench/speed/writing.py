"""Cases of publishing: many small wheels, and a big one while the memory is watched."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bench.speed.asking import HTML, get, links, require_status
from bench.speed.corpus import LARGE, MIB, Wheel
from bench.speed.peers.running import Running
from bench.speed.reading import Bench
from bench.speed.results import Measured, Void
from bench.speed.sending import send_all
from bench.speed.settling import Work
from tests.journeys.memory import resident

_LOOK_EVERY = 0.2  # seconds


@dataclass(frozen=True)
class Uploads:
    """Measures small wheels: of new projects of ten files each, of one, or of the large project."""

    callers: int
    to_one: bool = False
    to_large: bool = False

    def measure(self, running: Running, bench: Bench) -> Measured:
        """Publish wheels that nobody has yet, and look whether all of them are listed."""
        require_uploads(running)
        sizes = bench.corpus.sizes
        if self.to_large:
            names = [LARGE] * sizes.into_large
        else:
            names = bench.corpus.new_names(sizes.uploads, of_one=self.to_one)
        wheels = bench.corpus.to_upload(names)
        work = Work(running.pids)
        seconds = send_all(running.upload, running.writer, wheels, callers=self.callers)
        note = work.for_each(len(wheels))
        _require_listed(running, wheels)
        return Measured(len(wheels) / seconds, note=note)


def big_upload(running: Running, bench: Bench) -> tuple[Measured, ...]:
    """Measure one big wheel, and by how much the server's processes grow meanwhile."""
    require_uploads(running)
    wheel = bench.corpus.big_to_upload()
    size = wheel.path.stat().st_size
    with _grown(running.pids) as growth:
        seconds = send_all(running.upload, running.writer, [wheel], callers=1)
    _require_listed(running, [wheel])
    wheel.path.unlink()
    return Measured(size / MIB / seconds), Measured(growth[0] / MIB)


def start_up(running: Running, _bench: Bench) -> Measured:
    """Tell how long it took until the first page."""
    return Measured(running.start_seconds)


def memory(running: Running, _bench: Bench) -> Measured:
    """Tell what all processes of a contestant hold now, after all the work before."""
    return Measured(sum(map(resident, running.pids)) / MIB)


def require_uploads(running: Running) -> None:
    """Refuse a contestant to which nobody can publish."""
    if not running.upload:
        raise Void(running.no_uploads)


def _require_listed(running: Running, wheels: Sequence[Wheel]) -> None:
    """Refuse what was acknowledged and is not there."""
    missing = []
    for project in {wheel.project for wheel in wheels}:
        answer = get(f"{running.index}{project}/", running.headers(Accept=HTML))
        require_status(answer, 200)
        found = links(answer)
        missing += [each for each in wheels if each.project == project and each.name not in found]
    if missing:
        raise Void(f"{len(missing)} of {len(wheels)} acknowledged uploads are not listed")


@contextmanager
def _grown(pids: Sequence[int]) -> Iterator[list[int]]:
    """Yield a list whose one number is, in the end, the growth at the most."""
    before, done = sum(map(resident, pids)), threading.Event()
    growth = [0]

    def keep_looking() -> None:
        while not done.wait(_LOOK_EVERY):
            growth[0] = max(growth[0], sum(map(resident, pids)) - before)

    thread = threading.Thread(target=keep_looking)
    thread.start()
    try:
        yield growth
    finally:
        done.set()
        thread.join()
