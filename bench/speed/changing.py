"""Cases of change: the first read after it, and reading while others publish."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench.speed.asking import INSTALLER, get, require_among, require_status
from bench.speed.corpus import LARGE, Wheel
from bench.speed.load import read
from bench.speed.peers.running import Running
from bench.speed.reading import Bench
from bench.speed.results import Measured, Void
from bench.speed.sending import send_all
from bench.speed.writing import require_uploads

_CHANGES = 5
_A_MINUTE = 200  # uploads
_COME_THROUGH = 0.9  # of them at least: with fewer it is another load
_PAGES = 20  # that are read, and grow
_CALLERS = 8
_WINDOWS = 4  # of a case's usual length
_READS = 4  # after each upload, over connections of their own: each process is asked


def first_read(running: Running, bench: Bench) -> Measured:
    """Measure the page of the large project as installers ask for it, right after an upload."""
    require_uploads(running)

    def changed() -> str:
        wheels = bench.corpus.to_upload([LARGE])
        send_all(running.upload, running.writer, wheels, callers=1)
        return wheels[0].name

    return _first_read(running, f"{running.index}{LARGE}/", changed)


def first_read_of_root(running: Running, bench: Bench) -> Measured:
    """Measure the list of very many projects right after another one came into being."""
    require_uploads(running)
    if not running.root_upload:
        raise Void("takes no uploads to that list")

    def changed() -> str:
        wheels = bench.corpus.to_upload(bench.corpus.new_names(1))
        send_all(running.root_upload, running.writer, wheels, callers=1)
        return wheels[0].project

    return _first_read(running, running.root, changed)


def _first_read(running: Running, url: str, changed: Callable[[], str]) -> Measured:
    """Ask for a page as installers do, which must list what was changed just before."""
    headers = running.headers(Accept=INSTALLER, Accept_Encoding="gzip")
    took = []
    for _ in range(_CHANGES):
        name = changed()
        began = time.monotonic()
        answer = get(url, headers)
        took.append(time.monotonic() - began)
        require_status(answer, 200)
        require_among(answer, [name])
    return Measured(statistics.median(took))


def mix(running: Running, bench: Bench) -> Measured:
    """Tell what part of the rate of pages is left while others publish to the same projects.

    Each upload must be there at once, for whichever process is asked.
    """
    require_uploads(running)
    files = bench.corpus.new_names(_PAGES * bench.corpus.sizes.files)
    names = list(dict.fromkeys(files))
    send_all(running.upload, running.writer, bench.corpus.to_upload(files), callers=_CALLERS)
    alone = _rate(running, bench, names)
    began = time.monotonic()
    with _publishing(running, bench, names) as published:
        beside = _rate(running, bench, names)
    a_minute = len(published) * 60 / (time.monotonic() - began)
    if a_minute < _A_MINUTE * _COME_THROUGH:
        raise Void(f"only {a_minute:.0f} of {_A_MINUTE} uploads a minute came through")
    note = f"{beside:.0f} of {alone:.0f} requests/s, {a_minute:.0f} uploads a minute"
    return Measured(beside / alone, note=note)


def _rate(running: Running, bench: Bench, names: Sequence[str]) -> float:
    urls = [f"{running.index}{name}/" for name in names]
    headers = running.headers(Accept=INSTALLER, Accept_Encoding="identity")
    first = [get(url, headers) for url in urls]
    for answer in first:
        require_status(answer, 200)
    seen = read(urls, headers, callers=16, seconds=bench.seconds * _WINDOWS, folder=bench.folder)
    seen.require_bodies(min(answer.sent for answer in first))
    return seen.requests / seen.seconds


@contextmanager
def _publishing(running: Running, bench: Bench, names: Sequence[str]) -> Iterator[list[Wheel]]:
    """Publish steadily until the block ends; what goes wrong meanwhile is raised then."""
    done, published, wrong = threading.Event(), list[Wheel](), list[Exception]()

    def keep_on() -> None:
        began = time.monotonic()
        try:
            while not done.wait(_until_next(began, len(published))):
                name = names[len(published) % len(names)]
                published.append(_published(running, bench.corpus.to_upload([name])[0]))
        except Exception as error:  # noqa: BLE001 - it is raised below
            wrong.append(error)

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        yield published
    finally:
        done.set()
        thread.join()
    if wrong:
        raise wrong[0]


def _until_next(began: float, published: int) -> float:
    return max(0.0, began + published * 60 / _A_MINUTE - time.monotonic())


def _published(running: Running, wheel: Wheel) -> Wheel:
    send_all(running.upload, running.writer, [wheel], callers=1)
    for _ in range(_READS):
        answer = get(f"{running.index}{wheel.project}/", running.headers(Accept=INSTALLER))
        require_status(answer, 200)
        require_among(answer, [wheel.name])
    return wheel
