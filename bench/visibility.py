"""Publish, and read at once from elsewhere: whoever got the answer can install the file.

    python -m tests.parts postgres -- python bench/visibility.py --rounds 2000 --writers 8

Each round uploads a small wheel over a connection of its own, a new version of a project that all
writers share or a new project. Right after the 200 another process reads the project's JSON page,
several times over fresh connections, so that each of the server's processes is asked, and
downloads the file. Anything but the file with its digest is a miss; one miss and the exit code is
1. Without --url it starts a Larder of its own on PostgreSQL (LARDER_DATABASE_URL).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import dists
from tests.journeys import larder as larders
from tests.journeys.machine import sha256_of
from tests.journeys.wire import Content, request, upload

JSON = "application/vnd.pypi.simple.v1+json"
READS = 4  # of the page, each over a fresh connection
SHARED = 5  # projects that all writers add versions to
MINUTES_AT_MOST = 30


@dataclass(frozen=True)
class Target:
    """The repository that is written to, where it is read, and the tokens for it."""

    url: str
    read_url: str
    writer: str
    reader: str


@dataclass(frozen=True)
class Seen:
    """What the reader found: what was wrong, if anything, and how long each step took."""

    miss: str
    page_seconds: float
    file_seconds: float


@dataclass(frozen=True)
class Round:
    """One publish and what came of it."""

    upload_seconds: float
    seen: Seen


def main(arguments: list[str]) -> int:
    """Run the rounds, print one line, and return 1 when anything was missed."""
    options = _parse(arguments)
    with _target(options) as target:
        started = time.monotonic()
        rounds, unfinished = _run(target, options)
        took = time.monotonic() - started
    misses = [each.seen.miss for each in rounds if each.seen.miss]
    for miss in misses[:10]:
        print(f"MISS: {miss}", file=sys.stderr)
    medians = ", ".join(
        f"{name} {statistics.median(seconds) * 1000:.1f} ms"
        for name, seconds in (
            ("upload", [each.upload_seconds for each in rounds]),
            ("page", [each.seen.page_seconds for each in rounds]),
            ("file", [each.seen.file_seconds for each in rounds]),
        )
    )
    print(
        f"{len(rounds)} rounds, {options.writers} writers, {options.workers} readers, "
        f"{len(rounds) * READS} pages read: {len(misses)} misses; medians: {medians}; "
        f"{took:.0f} s" + (f"; {unfinished} rounds did not fit into the time" * bool(unfinished))
    )
    return 1 if misses or unfinished else 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--writers", type=int, default=8, help="threads that publish")
    parser.add_argument("--workers", type=int, default=4, help="processes that read")
    parser.add_argument(
        "--url", help="of a repository that runs; LARDER_WRITER and LARDER_READER hold its tokens"
    )
    parser.add_argument("--read-url", help="of the same repository at another host")
    return parser.parse_args(arguments)


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    if options.url is not None:
        tokens = os.environ["LARDER_WRITER"], os.environ["LARDER_READER"]
        yield Target(options.url, options.read_url or options.url, *tokens)
        return
    database = os.environ.get("LARDER_DATABASE_URL", "")
    if not database.startswith("postgres"):
        sys.exit("Run it as `python -m tests.parts postgres -- python bench/visibility.py`.")
    with larders.on_postgres(database) as larder:
        url = larder.repository().url
        yield Target(url, url, larder.writer, larder.reader)


def _run(target: Target, options: argparse.Namespace) -> tuple[list[Round], int]:
    """Return the rounds, and how many there was no time for."""
    until = time.monotonic() + MINUTES_AT_MOST * 60
    fresh = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(options.workers, mp_context=fresh) as readers,
        ThreadPoolExecutor(options.writers) as writers,
    ):
        pending = [
            writers.submit(_round, target, number, readers, until)
            for number in range(options.rounds)
        ]
        rounds = [result for each in pending if (result := each.result()) is not None]
    return rounds, options.rounds - len(rounds)


def _round(target: Target, number: int, readers: ProcessPoolExecutor, until: float) -> Round | None:
    if time.monotonic() > until:
        return None
    name = f"shared-{number % SHARED}" if number % 2 else f"new-{number}"
    version = f"{number}.0"
    filename, content = dists.make_wheel(name, version)
    started = time.monotonic()
    sent = upload(
        target.url,
        target.writer,
        Content(filename, len(content), [content]),
        name=name,
        version=version,
    )
    took = time.monotonic() - started
    if sent[0] != 200:
        return Round(took, Seen(f"{filename} was refused: {sent}", 0.0, 0.0))
    return Round(took, readers.submit(_read, target, name, filename, sha256_of(content)).result())


def _read(target: Target, name: str, filename: str, sha256: str) -> Seen:
    """Read the page, again and again, and download the file. Runs in another process."""
    page_url = f"{target.read_url}simple/{name}/"
    seconds, file_url = [], ""
    for attempt in range(READS):
        started = time.monotonic()
        with request("GET", page_url, target.reader, headers={"Accept": JSON}) as response:
            status, body = response.status, response.read()
        seconds.append(time.monotonic() - started)
        listed = (
            {file["filename"]: file for file in json.loads(body)["files"]} if status == 200 else {}
        )
        if filename not in listed:
            return Seen(f"{filename}: read {attempt + 1}, status {status}", seconds[0], 0.0)
        if listed[filename]["hashes"]["sha256"] != sha256:
            return Seen(f"{filename} is listed with another digest", seconds[0], 0.0)
        file_url = urljoin(page_url, listed[filename]["url"])
    started = time.monotonic()
    with request("GET", file_url, target.reader) as response:
        is_right = response.status == 200 and sha256_of(response.read()) == sha256
    miss = "" if is_right else f"{filename}: its file, status {response.status}"
    return Seen(miss, statistics.median(seconds), time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
