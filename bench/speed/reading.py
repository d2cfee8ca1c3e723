"""Cases of reading: what is asked for, what must come back, and the rate of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.speed.asking import (
    HTML,
    Answer,
    checked,
    get,
    links,
    require_kind,
    require_names,
    require_status,
    validator,
)
from bench.speed.corpus import LARGE, MIB, Corpus, Wheel
from bench.speed.load import Seen, read_again, warm
from bench.speed.peers.running import Running
from bench.speed.results import Measured, Void
from bench.speed.settling import Work


@dataclass(frozen=True)
class Bench:
    """What all measurements need."""

    corpus: Corpus
    seconds: int
    folder: Path  # for files of the load
    load_seconds: int = 10  # of the load under which memory is watched


@dataclass(frozen=True)
class Asked:
    """What to ask for: URLs in turn, and what each answer must pass.

    `of_less`: there is less of it than in the corpus.
    """

    urls: Sequence[str]
    require: Callable[[Answer], None]
    of_less: bool = False


Find = Callable[[Running, Corpus], Asked]


@dataclass(frozen=True)
class Page:
    """Measures pages, in one type and encoding; `again`: as by a caller who has it already."""

    find: Find
    accept: str = HTML
    packed: bool = False
    again: bool = False
    callers: int = 16

    def measure(self, running: Running, bench: Bench) -> Measured:
        """Ask for each page, look at the answers, put on the load, and look again."""
        asked = self.find(running, bench.corpus)
        headers = running.headers(
            Accept=self.accept, Accept_Encoding="gzip" if self.packed else "identity"
        )
        first, *others = [self._checked(asked, url, headers) for url in asked.urls]
        if self.again:
            headers |= validator(first)
            require_status(get(asked.urls[0], headers), 304)
        seen, work = _load(running, asked, headers, self.callers, bench)
        if self.again:
            require_status(get(asked.urls[0], headers), 304)
            seen.require_no_bodies(first.sent)
        else:
            self._checked(asked, asked.urls[0], headers)
            seen.require_bodies(min(each.sent for each in (first, *others)))
        return Measured(seen.requests / seen.seconds, seen.p99, work, asked.of_less)

    def _checked(self, asked: Asked, url: str, headers: dict[str, str]) -> Answer:
        answer = get(url, headers)
        require_status(answer, 200)
        require_kind(answer, self.accept, packed=self.packed)
        asked.require(answer)
        return answer


@dataclass(frozen=True)
class Download:
    """Measures files: by their number, or by their bytes."""

    find: Find
    callers: int = 16
    in_mib: bool = False

    def measure(self, running: Running, bench: Bench) -> Measured:
        """Ask once, look at the answer, put on the load, and look again."""
        asked = self.find(running, bench.corpus)
        headers = running.headers(Accept_Encoding="identity")
        size = checked(asked.urls[0], headers, asked.require).sent
        seen, work = _load(running, asked, headers, self.callers, bench)
        checked(asked.urls[0], headers, asked.require)
        seen.require_bodies(size)
        if self.in_mib:
            return Measured(seen.bytes / MIB / seen.seconds)
        return Measured(seen.requests / seen.seconds, seen.p99, work)


def _load(
    running: Running, asked: Asked, headers: dict[str, str], callers: int, bench: Bench
) -> tuple[Seen, str]:
    """Return what was seen, and how long the contestant worked for each request of it."""
    warm(asked.urls, headers, callers=callers, folder=bench.folder)
    work = Work(running.pids)
    seen = read_again(
        asked.urls, headers, callers=callers, seconds=bench.seconds, folder=bench.folder
    )
    return seen, work.for_each(seen.requests)


def small_page(running: Running, corpus: Corpus) -> Asked:
    """Ask for the page of one small project."""
    return _page(running.index, corpus.hot, corpus.small[corpus.hot])


def small_pages(running: Running, corpus: Corpus) -> Asked:
    """Ask for the pages of all small projects in turn."""

    def require(answer: Answer) -> None:
        project = answer.url.rstrip("/").rpartition("/")[2]
        require_names(answer, {wheel.name for wheel in corpus.small[project]})

    names = list(corpus.small)[: running.projects]
    urls = [f"{running.index}{name}/" for name in names]
    return Asked(urls, require, of_less=len(names) < len(corpus.small))


def large_page(running: Running, corpus: Corpus) -> Asked:
    """Ask for the page of the project of very many files."""
    wheels = corpus.large[: running.large]
    return replace(_page(running.index, LARGE, wheels), of_less=len(wheels) < len(corpus.large))


def root_list(running: Running, corpus: Corpus) -> Asked:
    """Ask for the list of very many projects."""
    if not running.root:
        raise Void("has no such list of its own")
    names = set(corpus.root_names[: running.roots])
    return Asked(
        [running.root],
        lambda answer: require_names(answer, names),
        of_less=len(names) < len(corpus.root_names),
    )


def virtual_page(members: int) -> Find:
    """Return what asks for the small page through so many members, of which the last has it."""

    def find(running: Running, corpus: Corpus) -> Asked:
        if members not in running.virtuals:
            raise Void("has no virtual repositories")
        return _page(running.virtuals[members], corpus.hot, corpus.small[corpus.hot])

    return find


def metadata(running: Running, corpus: Corpus) -> Asked:
    """Ask for the metadata file of a small wheel."""
    wheel = corpus.small[corpus.hot][0]
    said = f"Name: {wheel.project}\nVersion: {wheel.version}\n".encode()

    def require(answer: Answer) -> None:
        if said not in answer.body or not answer.body.startswith(b"Metadata-Version:"):
            raise Void("wrong metadata")

    return Asked([f"{_url_of(running, wheel)}.metadata"], require)


def small_wheel(running: Running, corpus: Corpus) -> Asked:
    """Ask for a small wheel."""
    return _wheel(running, corpus.small[corpus.hot][0])


def weighty_wheel(running: Running, corpus: Corpus) -> Asked:
    """Ask for the one big wheel."""
    return _wheel(running, corpus.weighty)


def _page(index: str, project: str, wheels: Sequence[Wheel]) -> Asked:
    names = {wheel.name for wheel in wheels}
    return Asked([f"{index}{project}/"], lambda answer: require_names(answer, names))


def _wheel(running: Running, wheel: Wheel) -> Asked:
    digest = hashlib.sha256(wheel.path.read_bytes()).digest()

    def require(answer: Answer) -> None:
        if hashlib.sha256(answer.body).digest() != digest:
            raise Void(f"wrong bytes: {len(answer.body)} of {wheel.path.stat().st_size}")

    return Asked([_url_of(running, wheel)], require)


def _url_of(running: Running, wheel: Wheel) -> str:
    answer = get(f"{running.index}{wheel.project}/", running.headers(Accept=HTML))
    require_status(answer, 200)
    try:
        return links(answer)[wheel.name]
    except KeyError:
        raise Void(f"does not list {wheel.name}") from None
