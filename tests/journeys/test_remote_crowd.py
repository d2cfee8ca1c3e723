"""Fifty clients want the same large wheel at once, which nobody has asked for before."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Iterator
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

CLIENTS = 50
SIZE = 100 * MIB
GROWTH_AT_MOST = 100 * MIB
SECONDS = 4.0  # that upstream takes to send it
THINKS = 0.3  # seconds before its first byte
TRIES = 5  # as pip has it


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
    name, small = dists.make_wheel("whale", "1.0")
    path = tmp_path / name
    path.write_bytes(small)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as wheel, wheel.open("song", "w") as song:
        for _ in range(SIZE // BLOCK):
            song.write(os.urandom(BLOCK))
    return path


def test_fifty_clients_are_one_request_upstream(larder: Larder, whale: Path) -> None:
    digest, size = sha256(whale), whale.stat().st_size
    with serving() as upstream:
        paced(upstream, whale)
        line = {
            "filename": whale.name,
            "url": f"/files/{whale.name}",
            "hashes": {"sha256": digest},
            "size": size,
        }
        upstream.add_page("whale", [line])
        remote = make_remote(larder, "crowd", upstream.url)
        warm(larder, larder.repository())
        url = f"{remote.url}files/whale/{digest}/{whale.name}"
        with watched(larder) as memory, ThreadPoolExecutor(CLIENTS) as pool:
            # Threads and connections to the database are there by then, as on a working day.
            list(pool.map(lambda _: received(f"{remote.simple}whale/", larder.reader), range(400)))
            direct = at_once(pool, f"{upstream.url}files/{whale.name}", "")
            asked = upstream.count(f"/files/{whale.name}")
            began = time.monotonic()
            got = at_once(pool, url, larder.reader)
            took = time.monotonic() - began
        assert (asked, upstream.count(f"/files/{whale.name}")) == (CLIENTS, CLIENTS + 1)
        assert {each.digest for each in got} == {digest}
        assert memory.growth < GROWTH_AT_MOST
    ours, theirs = (median(each.first_byte for each in crowd) for crowd in (got, direct))
    print(  # noqa: T201 - pytest -s
        f"\n{CLIENTS} clients, {size / MIB:.0f} MiB in {took:.1f} s, "
        f"{memory.growth / MIB:+.1f} MiB, {sum(each.refusals for each in got)} came again; "
        f"first byte in the middle {theirs:.2f} s directly, {ours:.2f} s through us"
    )
    assert ours < 2 * theirs


def test_first_byte_comes_almost_as_soon_as_from_upstream(larder: Larder, whale: Path) -> None:
    digest, size = sha256(whale), whale.stat().st_size
    with serving() as upstream:
        paced(upstream, whale)
        digests = {"sha256": digest}
        line = {"filename": whale.name, "url": f"/files/{whale.name}", "hashes": digests}
        upstream.add_page("whale", [line | {"size": size}])
        remote = make_remote(larder, "alone", upstream.url)
        warm(larder, larder.repository())
        direct = received(f"{upstream.url}files/{whale.name}", "").first_byte
        url = f"{remote.url}files/whale/{digest}/{whale.name}"
        with request("GET", f"{remote.simple}whale/", larder.reader) as page:
            page.read()
        through = received(url, larder.reader).first_byte
    print(f"\nfirst byte after {direct:.3f} s directly, {through:.3f} s through us")  # noqa: T201 - pytest -s
    assert through < 2 * direct


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


def paced(upstream: Server, file: Path) -> None:
    """Let `upstream` send `file` in SECONDS."""

    def blocks() -> Iterator[bytes]:
        time.sleep(THINKS)
        began, total, size = time.monotonic(), 0, file.stat().st_size
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                yield block
                total += len(block)
                time.sleep(max(0.0, began + SECONDS * total / size - time.monotonic()))

    def reply(_: Asked) -> Reply:
        return Reply(blocks(), length=file.stat().st_size)

    upstream.replies[f"/files/{file.name}"] = reply


def at_once(pool: ThreadPoolExecutor, url: str, token: str) -> list[Got]:
    """Let all clients download the same file at the same time."""
    together = Barrier(CLIENTS)

    def one(_: int) -> Got:
        together.wait()
        return received(url, token)

    return list(pool.map(one, range(CLIENTS)))


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
