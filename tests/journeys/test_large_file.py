"""A large file goes in and out while the server's memory stays as it is."""

from __future__ import annotations

import hashlib
import os
import zipfile
from functools import partial
from pathlib import Path

import pytest

from tests import dists
from tests.journeys.distributions import IS_FULL
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import sha256, sha256_of
from tests.journeys.memory import MIB, warm, watched
from tests.journeys.wire import BLOCK, Content, blocks, request, upload

pytestmark = pytest.mark.measured

SIZE = (2048 if IS_FULL else 200) * MIB
GROWTH_AT_MOST = 100 * MIB
NAME, VERSION = "whale", "1.0"


@pytest.fixture(scope="module")
def whale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of random bytes, written without being held in memory."""
    name, small = dists.make_wheel(NAME, VERSION)
    path = tmp_path_factory.mktemp("whale") / name
    path.write_bytes(small)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as wheel,
        wheel.open("whale_song.bin", "w", force_zip64=True) as song,
    ):
        for _ in range(SIZE // BLOCK):
            song.write(os.urandom(BLOCK))
    return path


def test_a_large_file_takes_no_memory(larder: Larder, repository: Repository, whale: Path) -> None:
    warm(larder, repository)
    digest, size = sha256(whale), whale.stat().st_size
    with watched(larder) as uploading:
        content = Content(whale.name, size, uploading.along(blocks(whale)))
        sent = upload(repository.url, larder.writer, content, name=NAME, version=VERSION)
    assert sent == (200, "OK")

    url = f"{repository.url}files/{NAME}/{digest}/{whale.name}"
    with watched(larder) as downloading:
        received, count = hashlib.sha256(), 0
        with request("GET", url, larder.reader) as response:
            assert response.status == 200
            assert response.headers["Content-Length"] == str(size)
            for block in downloading.along(iter(partial(response.read, BLOCK), b"")):
                received.update(block)
                count += len(block)
    assert (count, received.hexdigest()) == (size, digest)
    for memory in (uploading, downloading):
        assert memory.samples > SIZE // MIB // 20  # a slow or a quick machine, it was watched
        assert memory.growth < GROWTH_AT_MOST
    grown = [f"{memory.growth / MIB:+.1f} MiB" for memory in (uploading, downloading)]
    print(f"\n{size / MIB:.0f} MiB up and down: {' and '.join(grown)}")  # noqa: T201 - pytest -s
    assert_ranges(url, larder.reader, whale)


def assert_ranges(url: str, token: str, whale: Path) -> None:
    """Ask for parts of the file in each way that clients do, and compare them with the file."""
    size = whale.stat().st_size
    etag = f'"{sha256(whale)}"'
    with request("HEAD", url, token) as head:
        assert (head.status, head.read()) == (200, b"")
        assert head.headers["Accept-Ranges"] == "bytes"
        assert int(head.headers["Content-Length"]) == size
        assert head.headers["ETag"] == etag
    middle = size // 2
    for asked, start, length in (
        ("bytes=0-99", 0, 100),
        (f"bytes={middle}-{middle + BLOCK - 1}", middle, BLOCK),
        ("bytes=-10000", size - 10000, 10000),  # Poetry and uv read a wheel's end so
        (f"bytes={size - 7}-", size - 7, 7),  # pip resumes so
    ):
        with request("GET", url, token, headers={"Range": asked, "If-Range": etag}) as part:
            assert part.status == 206, asked
            wanted = f"bytes {start}-{start + length - 1}/{size}"
            assert part.headers["Content-Range"] == wanted
            assert sha256_of(part.read()) == sha256_of(slice_of(whale, start, length))
    with request("GET", url, token, headers={"Range": f"bytes={size}-"}) as beyond:
        assert beyond.status == 416
        assert beyond.headers["Content-Range"] == f"bytes */{size}"
    # Another ETag means that the caller has the start of other bytes: it gets the whole file.
    with request("GET", url, token, headers={"Range": "bytes=0-9", "If-Range": '"x"'}) as whole:
        assert whole.status == 200
        assert int(whole.headers["Content-Length"]) == size


def slice_of(path: Path, start: int, length: int) -> bytes:
    """Return a part of a file."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
