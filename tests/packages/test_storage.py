"""One contract for each place that bytes may live in: a folder, and two kinds of bucket."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import storages

from packages import storage
from packages.buckets import BucketStorage
from tests.parts import s3
from tests.parts.given import given

CONTENT = os.urandom(100_000)


@pytest.fixture(scope="session")
def buckets() -> Iterator[dict[str, str]]:
    """The URL of a bucket on each S3 server: moto for semantics, rclone for signatures."""
    with ExitStack() as started:
        yield {
            "moto": given("moto") or started.enter_context(s3.moto()).url(),
            "rclone": given("rclone") or started.enter_context(s3.rclone()).url(),
        }


def bucket_options(url: str, prefix: str) -> dict[str, str]:
    """Return the storage options for the bucket at `url`."""
    parts = urlsplit(url)
    return {
        "bucket_name": parts.netloc,
        "location": prefix,
        "endpoint_url": parse_qs(parts.query)["endpoint"][0],
        "region_name": s3.REGION,
        "access_key": s3.ACCESS_KEY,
        "secret_key": s3.SECRET_KEY,
    }


@pytest.fixture(
    params=[
        "folder",
        pytest.param("moto", marks=pytest.mark.parts),
        pytest.param("rclone", marks=pytest.mark.parts),
    ]
)
def place(request, settings, tmp_path: Path) -> str:
    """Where the bytes live in this test."""
    if request.param != "folder":
        url = request.getfixturevalue("buckets")[request.param]
        settings.STORAGES = settings.STORAGES | {
            "blobs": {
                "BACKEND": "packages.buckets.BucketStorage",
                "OPTIONS": bucket_options(url, tmp_path.name),
            }
        }
    return str(request.param)


@pytest.fixture
def key(place: str) -> str:
    """The key under which the content is stored."""
    key = storage.new_key(7, hashlib.sha256(CONTENT).hexdigest())
    with storage.spooled([CONTENT]) as spool:
        storage.put(key, spool)
    return key


def read(key: str, start: int, length: int) -> bytes:
    stream = storage.open_range(key, start=start, length=length)
    try:
        return b"".join(iter(lambda: stream.read(8192), b""))
    finally:
        stream.close()


@pytest.mark.parametrize(
    ("start", "length"), [(0, 100_000), (0, 1), (99_999, 1), (500, 10_000), (0, 0)]
)
def test_any_part_comes_back(key: str, start: int, length: int) -> None:
    assert read(key, start, length) == CONTENT[start : start + length]


def test_a_part_comes_as_a_whole_or_not_at_all(key: str) -> None:
    assert storage.part(key, start=99_998, length=2) == CONTENT[-2:]
    assert storage.part(key, start=0, length=0) == b""
    with pytest.raises(storage.StorageFailed, match="all of this file"):
        storage.part(key, start=99_998, length=3)


def test_removed_bytes_are_missing_and_removing_again_is_no_error(key: str) -> None:
    storage.remove(key)
    storage.remove(key)
    with pytest.raises(storage.StorageFailed):
        storage.open_range(key, start=0, length=10)


def test_a_large_file_in_parts(place: str) -> None:
    """Larger than one part of a multipart upload."""
    block = os.urandom(1024 * 1024)
    key = storage.new_key(7, "b" * 64)
    with storage.spooled(block for _ in range(20)) as spool:
        storage.put(key, spool)
        assert spool.size == 20 * 1024 * 1024
    assert read(key, 17 * 1024 * 1024, 1024) == block[:1024]
    assert storages["blobs"].size(key) == spool.size


def test_a_spool_knows_its_digests_and_goes_away(tmp_path: Path) -> None:
    with storage.spooled([b"fr", b"og"]) as spool:
        assert spool.path.read_bytes() == b"frog"
        assert spool.sha256 == hashlib.sha256(b"frog").hexdigest()
        assert spool.blake2b_256 == hashlib.blake2b(b"frog", digest_size=32).hexdigest()
    assert not spool.path.exists()


def test_a_spool_that_is_broken_off_goes_away(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"fr"
        raise storage.StorageFailed("The client has gone.")

    with pytest.raises(storage.StorageFailed), storage.spooled(chunks()):
        pass
    assert not list((tmp_path / "spool").iterdir())


@pytest.mark.parts
def test_a_wrong_secret_keeps_nothing(buckets: dict[str, str], settings) -> None:
    settings.STORAGES = settings.STORAGES | {
        "blobs": {
            "BACKEND": "packages.buckets.BucketStorage",
            "OPTIONS": bucket_options(buckets["rclone"], "x") | {"secret_key": "wrong"},
        }
    }
    with storage.spooled([b"x"]) as spool, pytest.raises(storage.StorageFailed):
        storage.put(storage.new_key(7, "c" * 64), spool)


def test_threads_have_connections_of_their_own_from_one_session() -> None:
    """A session takes 12 MiB: with one for each thread a web process would have 800 MiB of them."""
    options = bucket_options("s3://larder?endpoint=http://127.0.0.1:9", "prefix")
    bucket = BucketStorage(**options)
    together = Barrier(8)

    def connected(_: int) -> object:
        together.wait()
        assert bucket.connection is bucket.connection
        return bucket.connection

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(connected, range(8)))
    assert len(set(map(id, made))) == 8
    assert bucket._create_session() is bucket._create_session()
