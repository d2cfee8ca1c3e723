"""Fifty clients want the same large wheel at once, which nobody has asked for before."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Barrier

import pytest

from tests import dists
from tests.journeys.larder import Larder, on_postgres, own_postgres
from tests.journeys.machine import sha256
from tests.journeys.memory import MIB, warm, watched
from tests.journeys.remotes import make_remote
from tests.journeys.wire import BLOCK, request
from tests.upstreams import Asked, Reply, Server, serving

pytestmark = pytest.mark.measured

CLIENTS = 50
SIZE = 100 * MIB
GROWTH_AT_MOST = 100 * MIB
SPEED = 25 * MIB  # of upstream, bytes a second
THINKS = 0.3  # seconds before its first byte
TRIES = 5  # as pip has it
TURNS = 5


@dataclass
class Got:
    """What one client received, when its first byte came, and how often it was to come again."""

    digest: str
    first_byte: float  # seconds
    refusals: int


@pytest.fixture(scope="module")
def larder() -> Iterator[Larder]:
    # As it comes: two processes, of whose threads a half each may wait for upstreams.
    with own_postgres() as database, on_postgres(database) as running:
        yield running


@pytest.fixture
def whale(tmp_path: Path) -> Path:
    return whale_of(SIZE, tmp_path, "1.0")


def test_fifty_clients_are_one_request_upstream(larder: Larder, whale: Path) -> None:
    with serving() as upstream:
        at, url = offered(larder, upstream, "crowd", [whale])[0]
        warm(larder, larder.repository())
        with watched(larder) as memory, ThreadPoolExecutor(CLIENTS) as pool:
            warmed_up(pool, larder, url)
            began = time.monotonic()
            got = at_once(pool, url, larder.reader)
            took = time.monotonic() - began
        assert upstream.count(at) == 1
    assert {each.digest for each in got} == {sha256(whale)}
    print(  # noqa: T201 - pytest -s
        f"\n{CLIENTS} clients, {SIZE / MIB:.0f} MiB in {took:.1f} s, "
        f"{memory.growth / MIB:+.1f} MiB, {sum(each.refusals for each in got)} came again"
    )
    assert memory.growth < GROWTH_AT_MOST


@pytest.mark.parametrize("clients", [1, CLIENTS])
def test_first_bytes_come_almost_as_soon_as_from_upstream(
    larder: Larder, tmp_path: Path, clients: int
) -> None:
    """The same clients ask upstream and us, in turns: a file each time that nobody has had."""
    files = [whale_of(MIB, tmp_path, f"{clients}.{turn}") for turn in range(TURNS)]
    directly, through = [], []
    with serving() as upstream, ThreadPoolExecutor(clients) as pool:
        offers = offered(larder, upstream, f"first-bytes-{clients}", files)
        warm(larder, larder.repository())
        warmed_up(pool, larder, offers[0][1])
        for at, url in offers:
            crowd = at_once(pool, f"{upstream.url.rstrip('/')}{at}", "", clients)
            directly.append(median(each.first_byte for each in crowd))
            crowd = at_once(pool, url, larder.reader, clients)
            through.append(median(each.first_byte for each in crowd))
    ours, theirs = median(through), median(directly)
    print(  # noqa: T201 - pytest -s
        f"\n{clients} clients: first byte after {theirs:.3f} s directly, {ours:.3f} s through us"
    )
    assert ours < 2 * theirs


def test_fifty_clients_are_one_question_upstream(larder: Larder) -> None:
    with serving() as upstream:
        upstream.add_files("krill", dists.make_wheel("krill", "1.0"))
        page = upstream.replies["/simple/krill/"]

        def slow(_: Asked) -> Reply:
            time.sleep(0.5)
            assert isinstance(page, Reply)
            return page

        upstream.replies["/simple/krill/"] = slow
        remote = make_remote(larder, "questions", upstream.url)
        url = f"{remote.simple}krill/"
        with ThreadPoolExecutor(CLIENTS) as pool:
            got = list(pool.map(lambda _: received(url, larder.reader), range(CLIENTS)))
        assert upstream.count("/simple/krill/") == 1
    assert len({each.digest for each in got}) == 1


def whale_of(size: int, folder: Path, version: str) -> Path:
    """Make a wheel of about `size` bytes that cannot be packed smaller."""
    name, small = dists.make_wheel("whale", version)
    path = folder / name
    path.write_bytes(small)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as wheel, wheel.open("song", "w") as song:
        for _ in range(size // BLOCK):
            song.write(os.urandom(BLOCK))
    return path


def offered(
    larder: Larder, upstream: Server, key: str, files: Sequence[Path]
) -> list[tuple[str, str]]:
    """Put a remote before wheels upstream; return where they are there, and here."""
    lines = []
    for file in files:
        paced(upstream, file)
        line = {"filename": file.name, "url": f"/files/{file.name}", "size": file.stat().st_size}
        lines.append(line | {"hashes": {"sha256": sha256(file)}})
    upstream.add_page("whale", lines)
    remote = make_remote(larder, key, upstream.url)
    with request("GET", f"{remote.simple}whale/", larder.reader) as page:
        page.read()
    here = f"{remote.url}files/whale"
    return [(f"/files/{each.name}", f"{here}/{sha256(each)}/{each.name}") for each in files]


def warmed_up(pool: ThreadPoolExecutor, larder: Larder, url: str) -> None:
    """Let threads and connections to the database be there, as on a working day."""
    page = url.partition("/files/")[0] + "/simple/whale/"
    list(pool.map(lambda _: received(page, larder.reader), range(400)))


def paced(upstream: Server, file: Path) -> None:
    """Let `upstream` send `file` at its speed, once it has thought."""

    def blocks() -> Iterator[bytes]:
        time.sleep(THINKS)
        began, total = time.monotonic(), 0
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                yield block
                total += len(block)
                time.sleep(max(0.0, began + total / SPEED - time.monotonic()))

    def reply(_: Asked) -> Reply:
        return Reply(blocks(), length=file.stat().st_size)

    upstream.replies[f"/files/{file.name}"] = reply


def at_once(pool: ThreadPoolExecutor, url: str, token: str, clients: int = CLIENTS) -> list[Got]:
    """Let all clients download the same file at the same time."""
    together = Barrier(clients)

    def one(_: int) -> Got:
        together.wait()
        return received(url, token)

    return list(pool.map(one, range(clients)))


def received(url: str, token: str) -> Got:
    """Download as a client does that hashes what it gets, and comes again when told to."""
    began, digest, first = time.monotonic(), hashlib.sha256(), 0.0
    for refusals in range(TRIES):
        with request("GET", url, token) as response:
            if response.status == 503:
                time.sleep(int(response.headers["Retry-After"]))
                continue
            assert response.status == 200
            while block := response.read1(256 * 1024):
                first = first or time.monotonic() - began
                digest.update(block)
            return Got(digest.hexdigest(), first, refusals)
    raise AssertionError("refused each time")
