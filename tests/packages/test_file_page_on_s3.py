"""The page of a file whose bytes are in a bucket: read in parts, given out whole, and missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from packages import storage
from packages.models import Distribution
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.packages.opened import publish, read_all
from tests.packages.test_storage import bucket_options
from tests.parts import s3
from tests.parts.given import given

pytestmark = pytest.mark.parts

# It does not pack: what is read of this archive is far less than all of it.
FILES = {"frog/pond.py": b"depth = 'two metres'\n", "frog/ballast.bin": os.urandom(3_000_000)}
MISSING = "Storage does not have this file; tell whoever runs Larder."


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The URL of a bucket."""
    if url := given("moto"):
        yield url
        return
    with s3.moto() as running:
        yield running.url()


@pytest.fixture
def asked(
    moto: str, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, int]]:
    """Which parts of objects are asked of the bucket, by their start and length."""
    options = bucket_options(moto, tmp_path.name)
    blobs = {"BACKEND": "packages.buckets.BucketStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"blobs": blobs}
    parts: list[tuple[int, int]] = []
    open_range = storage.open_range

    def noted(key: str, *, start: int, length: int) -> storage.Readable:
        parts.append((start, length))
        return open_range(key, start=start, length=length)

    monkeypatch.setattr(storage, "open_range", noted)
    return parts


@pytest.fixture
def reader(
    client: Client, cast: Cast, asked, time: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A reader's browser, before a wheel and an sdist that were read."""
    for make in (make_wheel, make_sdist):
        publish("frog", "1.0", make("frog", "1.0", files=FILES), by=cast.acme.writer)
    read_all(time, monkeypatch)
    asked.clear()
    client.force_login(cast.acme.reader.user)
    return client


def page_of(row: Distribution, tab: str) -> str:
    return f"/acme/local/project/frog/1.0/{row.filename}/?tab={tab}"


def url_of(row: Distribution) -> str:
    return f"/acme/local/files/frog/{row.sha256}/{row.filename}"


def test_a_member_is_read_by_a_few_parts_and_the_tree_by_none(
    reader: Client, asked: list[tuple[int, int]]
) -> None:
    wheel = Distribution.objects.get(kind="wheel")
    assert "frog/pond.py" in reader.get(page_of(wheel, "contents")).content.decode()
    assert asked == []
    page = reader.get(f"{page_of(wheel, 'contents')}&member=frog/pond.py").content.decode()
    assert "depth = &#x27;two metres&#x27;" in page
    # The directory at the end, and the member at the beginning.
    assert [start > wheel.size / 2 for start, _ in asked] == [True, False]
    assert sum(length for _, length in asked) < wheel.size / 3


def test_a_file_is_downloaded_whole_and_in_ranges(
    reader: Client, asked: list[tuple[int, int]]
) -> None:
    for row in Distribution.objects.all():
        whole = reader.get(url_of(row)).getvalue()
        assert len(whole) == row.size
        part = reader.get(url_of(row), headers={"Range": "bytes=100-199"})
        assert part.status_code == 206
        assert part.getvalue() == whole[100:200]
        assert asked[-1] == (100, 100)


def test_a_page_whose_object_is_gone_says_so_and_shows_the_rest(reader: Client, cast: Cast) -> None:
    for row in Distribution.objects.select_related("blob"):
        assert row.blob is not None
        storage.remove(row.blob.storage_key)
        for tab in ("general", "info", "properties", "contents", "raw", "security", "activity"):
            answer = reader.get(page_of(row, tab))
            assert answer.status_code == 200, tab
            assert row.filename in answer.content.decode()
        inside = "frog/pond.py" if row.kind == "wheel" else "frog-1.0/frog/pond.py"
        member = reader.get(f"{page_of(row, 'contents')}&member={inside}")
        assert member.status_code == 200
        assert MISSING in member.content.decode()
        refused = Client().get(url_of(row), headers=cast.acme.reader.headers)
        assert (refused.status_code, refused.content.decode()) == (503, f"{MISSING}\n")
