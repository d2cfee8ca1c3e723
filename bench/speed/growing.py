"""Cases of growth: the same work where there are few files, and where there are many."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

from bench.speed.asking import JSON, Answer, checked, get, links, require_status
from bench.speed.corpus import MIB, Corpus
from bench.speed.load import read
from bench.speed.peers.larder_grown import FILES, project
from bench.speed.peers.running import Running
from bench.speed.reading import Asked, Bench
from bench.speed.results import NOT_RUN, Measured, Void
from tests.journeys.memory import family

_TIMES = 50
_FIRST_PART = 10  # of a hundred of the load: what memory is compared with
_DIFFERENT = 6_000  # pages under that load, so that answers are dropped all the time
_ARE_HELD = 4_000  # such pages, about, in the 32 MiB of answers that a process holds


def one_page(running: Running, _corpus: Corpus) -> Asked:
    """Ask for the page of a project in the middle."""
    return _pages(running, [_held(running) // 2])


def pages(running: Running, corpus: Corpus) -> Asked:
    """Ask for as many pages as the few have, of projects from all over, in turn."""
    return _pages(running, _spread(running, corpus.sizes.few // FILES))


def many_pages(running: Running, _corpus: Corpus) -> Asked:
    """Ask for more pages than a process holds, in turn."""
    return _pages(running, _spread(running, _DIFFERENT))


def _spread(running: Running, number: int) -> Sequence[int]:
    """Return so many projects from all over, or all where there are fewer."""
    held = _held(running)
    step = max(1, held // number)
    return range(1, held + 1, step)[:number]


def _pages(running: Running, numbers: Sequence[int]) -> Asked:
    return Asked([f"{running.index}{project(number)}/" for number in numbers], _require_page)


def _require_page(answer: Answer) -> None:
    name = answer.url.rstrip("/").rpartition("/")[2].replace("-", "_")
    found = [each for each in links(answer) if each.startswith(f"{name}-")]
    if len(found) != FILES:
        raise Void(f"wrong page: {len(found)} of {FILES} files")


def _held(running: Running) -> int:
    """Return how many projects there are."""
    return running.projects or 0


def first_times(running: Running, bench: Bench) -> Measured:
    """Measure pages for the first time that anybody asks for them, one after the other."""
    return Measured(1_000 * statistics.median(_first_times(running, bench)))


def _first_times(running: Running, bench: Bench) -> Iterator[float]:
    for _ in range(_TIMES):
        # Far apart: 7,919 is prime.
        number = next(bench.corpus.turns) * 7_919 % _held(running) + 1
        began = time.monotonic()
        answer = get(f"{running.index}{project(number)}/", running.headers(Accept=JSON))
        yield time.monotonic() - began
        require_status(answer, 200)
        _require_page(answer)


@dataclass(frozen=True)
class Search:
    """Measures a search for a property that one project has, or all of them."""

    is_rare: bool

    def measure(self, running: Running, _bench: Bench) -> Measured:
        """Ask again and again, and look what was found."""
        return Measured(1_000 * statistics.median(self._asked(running)))

    def _asked(self, running: Running) -> Iterator[float]:
        middle = project(_held(running) // 2)
        text = f"pypi.name:{middle}" if self.is_rare else "pypi.license:MIT"
        url = f"{urljoin(running.index, '/api/v1/search')}?{urlencode({'q': text})}"
        for _ in range(_TIMES):
            began = time.monotonic()
            answer = get(url, running.headers(Accept="application/json"))
            yield time.monotonic() - began
            require_status(answer, 200)
            found = [each["project"] for each in json.loads(answer.body)["hits"]]
            if (found != [middle]) if self.is_rare else len(found) < FILES:
                raise Void(f"finds {len(found)} for {text}")


def flat(running: Running, bench: Bench) -> Measured:
    """Tell by how much the processes that serve grow over a load, once all caches are full."""
    if _held(running) * FILES < bench.corpus.sizes.many:
        raise Void(f"{NOT_RUN}so long a load is of use where there is most to hold")
    asked = many_pages(running, bench.corpus)
    headers = running.headers(Accept=JSON, Accept_Encoding="identity")
    size = min(checked(url, headers, asked.require).sent for url in asked.urls)
    first = max(1, bench.load_seconds * _FIRST_PART // 100)
    requests, grew = 0, []
    for seconds in (first, max(1, bench.load_seconds - first)):
        seen = read(asked.urls, headers, callers=16, seconds=seconds, folder=bench.folder)
        seen.require_bodies(size)
        requests += seen.requests
        grew.append(_workers(running))
    checked(asked.urls[0], headers, asked.require)
    note = (
        f"{requests:,} requests in {bench.load_seconds / 60:.1f} min, in turn for "
        f"{len(asked.urls):,} pages; a process holds some {_ARE_HELD:,}"
    )
    return Measured((grew[1] - grew[0]) / MIB, note=note)


def memory(running: Running, _bench: Bench) -> Measured:
    """Tell what the processes that serve hold, without the one that starts them."""
    return Measured(_workers(running) / MIB)


def _workers(running: Running) -> int:
    (master,) = running.pids
    return sum(held for pid, held in family(master).items() if pid != master)
