"""How much memory a running Larder takes, watched from outside.

A thread looks ten times a second. A quick machine moves hundreds of MiB between two looks, so a
transfer also looks by itself, every few blocks (`Memory.along`).
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests import dists
from tests.journeys.larder import Larder, Repository
from tests.journeys.wire import Content, request, upload

MIB = 1024 * 1024
BLOCKS_PER_LOOK = 16


@dataclass
class Memory:
    """What the web server's processes hold: at the start, and at the most since."""

    web: int
    before: int
    peak: int = 0
    samples: int = 0

    def look(self) -> None:
        """Note what they hold now."""
        self.peak = max(self.peak, resident(self.web))
        self.samples += 1

    def along(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the blocks of a transfer, and look while it is on its way."""
        for number, block in enumerate(blocks):
            if number % BLOCKS_PER_LOOK == 0:
                self.look()
            yield block

    @property
    def growth(self) -> int:
        """How many bytes more it came to."""
        return self.peak - self.before


@contextmanager
def watched(larder: Larder) -> Iterator[Memory]:
    """Sample the memory of gunicorn and its children while the block runs."""
    memory = Memory(larder.web, before=resident(larder.web))
    done = threading.Event()

    def keep_looking() -> None:
        while not done.wait(0.1):
            memory.look()

    thread = threading.Thread(target=keep_looking)
    thread.start()
    try:
        yield memory
    finally:
        done.set()
        thread.join()


def resident(pid: int) -> int:
    """Return the resident bytes of a process and all beneath it."""
    return sum(family(pid).values())


def family(pid: int) -> dict[int, int]:
    """Return the resident bytes of a process and of each beneath it, by process id."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
    )
    processes = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found = {pid}
    for child, parent, _ in sorted(processes):
        found |= {child} if parent in found else set()
    return {child: rss * 1024 for child, _, rss in processes if child in found}


def warm(larder: Larder, repository: Repository) -> None:
    """Let every process load what it loads once, by small files."""
    for number in range(8):
        filename, content = dists.make_wheel("krill", f"{number}.0")
        sent = upload(
            repository.url,
            larder.writer,
            Content(filename, len(content), [content]),
            name="krill",
            version=f"{number}.0",
        )
        assert sent == (200, "OK")
        url = f"{repository.url}files/krill/{filename}"
        with request("GET", url, larder.reader) as response:
            assert response.read() == content
