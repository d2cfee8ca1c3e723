"""How much the gate holds and how long it looks, and that a failing disk is not the archive's."""

from __future__ import annotations

import bz2
import errno
import io
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

from packages.archive import ArchiveRefused, inspect, limits
from packages.filenames import parse_filename
from repos.models import GIB
from repos.rules import Rules
from tests.archives.cases import INFO, SDIST, WHEEL
from tests.archives.good import stored_gzip
from tests.archives.tars import gz, member, pax, sdist_of
from tests.archives.zips import FULL16, STORED, End, Part, wheel_parts, zip_made_of
from tests.dists import make_metadata, make_sdist, make_wheel

MIB = 1024 * 1024
# What has no compression worth the name, the same every time.
NOISE = random.Random(7).randbytes(300_000)  # noqa: S311 - the same bytes every time

Read = Callable[..., bytes | None]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Bring a file before the gate and return its metadata as it is."""

    def read(
        filename: str, content: bytes, *, limit: int = GIB, rules: Rules = Rules.COMPATIBLE
    ) -> bytes | None:
        path = tmp_path / "spool"
        path.write_bytes(content)
        named = parse_filename(filename, name="frog", version="1.0")
        metadata = inspect(path, named, rules=rules, file_limit=limit).metadata
        return metadata.raw if metadata else None

    return read


def refusal(read: Read, filename: str, content: bytes, **more: Any) -> str:
    with pytest.raises(ArchiveRefused) as refused:
        read(filename, content, **more)
    return refused.value.sentence


@pytest.mark.parametrize("format", ["tar.gz", "tgz", "tar.bz2", "tar", "zip"])
def test_metadata_is_returned_byte_by_byte(read: Read, format: str) -> None:  # noqa: A002 - what setuptools calls it
    raw = b"Metadata-Version: 2.1\r\nName: Frog\r\nVersion: 1.0\r\n\r\n green \0 and odd\r"
    filename, content = make_sdist("frog", "1.0", format=format, files={"PKG-INFO": raw})
    assert read(filename, content) == raw
    _, wheel = make_wheel("frog", "1.0", files={f"{INFO}/METADATA": raw})
    assert read(WHEEL, wheel) == raw


def test_metadata_of_just_the_largest_size_is_read(read: Read) -> None:
    head = make_metadata("frog", "1.0", description="x")
    raw = head + b"green frogs\n" * ((limits.MAX_METADATA - len(head)) // 12)
    raw += b"." * (limits.MAX_METADATA - len(raw))
    assert read(WHEEL, make_wheel("frog", "1.0", files={f"{INFO}/METADATA": raw})[1]) == raw
    assert read(SDIST, make_sdist("frog", "1.0", files={"PKG-INFO": raw})[1]) == raw


@pytest.mark.parametrize("rules", Rules)
def test_what_may_be_unpacked_grows_with_what_a_file_may_have(read: Read, rules: Rules) -> None:
    wheel = make_wheel("frog", "1.0", files={"zeros": bytes(9 * MIB)})[1]
    sdist = make_sdist("frog", "1.0", files={"zeros": bytes(9 * MIB)})[1]
    for filename, content in ((WHEEL, wheel), (SDIST, sdist)):
        assert "more than 8388608 bytes, 8 times what a file may have here" in refusal(
            read, filename, content, limit=MIB, rules=rules
        )
        assert read(filename, content, limit=2 * MIB, rules=rules)


def test_bzip2_bombs_are_bombs(read: Read) -> None:
    bomb = bz2.compress(sdist_of(member("frog-1.0/zeros", bytes(limits.RATIO_FROM))), 9)
    assert "decompression bomb" in refusal(read, "frog-1.0.tar.bz2", bomb)


def test_files_up_to_a_size_are_hashed_and_larger_ones_are_measured(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = make_wheel("frog", "1.0", files={"noise": NOISE})[1]
    parts = [
        Part(part.name, NOISE[::-1] if part.name == b"noise" else part.data)
        for part in _parts(right)
    ]
    assert "another sha256 digest" in refusal(read, WHEEL, zip_made_of(parts), rules=Rules.STRICT)
    monkeypatch.setattr(limits, "HASHED_UP_TO", 100_000)
    assert read(WHEEL, zip_made_of(parts), rules=Rules.STRICT)
    shorter = [Part(part.name, part.data[:9]) if part.name == b"noise" else part for part in parts]
    assert "'noise' has 9 bytes" in refusal(read, WHEEL, zip_made_of(shorter), rules=Rules.STRICT)


def _parts(content: bytes) -> list[Part]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return [Part(name.encode(), opened.read(name)) for name in opened.namelist()]


def _many_in_a_zip() -> bytes:
    count = limits.MAX_MEMBERS - len(wheel_parts())
    members = (Part(b"frog/%06d/%s" % (n, b"n" * 90), b"", STORED) for n in range(count))
    end = End(count=FULL16, count_here=FULL16, zip64={})
    return zip_made_of([*members, *wheel_parts()], end)


LARGE = {
    "members-of-a-zip": (WHEEL, _many_in_a_zip),
    "members-of-a-tar": (
        SDIST,
        lambda: gz(sdist_of(*(member(f"frog-1.0/{n:06}/{'n' * 80}") for n in range(99_000)))),
    ),
    "bytes-of-a-zip": (
        WHEEL,
        lambda: zip_made_of([Part(b"n", NOISE * 400, STORED), *wheel_parts()]),
    ),
    "bytes-of-a-tar": (SDIST, lambda: stored_gzip(sdist_of(member("frog-1.0/n", NOISE * 400)))),
    "bytes-of-metadata": (
        SDIST,
        lambda: make_sdist("frog", "1.0", description="frogs are green\n" * 500_000)[1],
    ),
    "records-of-a-tar": (SDIST, lambda: gz(sdist_of(*_many_records()))),
    "requirements": (
        WHEEL,
        lambda: make_wheel(
            "frog", "1.0", requires_dist=[f"d{n}[a,b]>=1,<2" for n in range(19_000)]
        )[1],
    ),
    "lines-of-record": (
        WHEEL,
        lambda: make_wheel("frog", "1.0", files={f"{INFO}/RECORD": _many_lines()})[1],
    ),
    "short-lines-of-record": (
        WHEEL,
        lambda: make_wheel("frog", "1.0", files={f"{INFO}/RECORD": _short_lines()})[1],
    ),
}


def _many_records() -> Iterator[bytes]:
    records = pax({f"{number:05x}": "" for number in range(79_000)})
    return (records + member(f"frog-1.0/{number}") for number in range(5))


def _short_lines() -> bytes:
    return b"".join(b"%06x,,\n" % n for n in range(limits.MAX_RECORD_LINES))


def _many_lines() -> bytes:
    return b"".join(b"frog/%060d.py,sha256=%s,0\n" % (n, b"d" * 43) for n in range(120_000))


GROWTH = """
import pathlib, resource, sys
import django
django.setup()
from packages.archive import inspect
from packages.filenames import parse_filename
from repos.rules import Rules
named = parse_filename(sys.argv[2], name="frog", version="1.0")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
inspect(pathlib.Path(sys.argv[1]), named, rules=Rules.COMPATIBLE, file_limit=1 << 30)
print((peak() - before) * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.parametrize("slug", LARGE)
def test_memory_does_not_grow_with_the_archive(tmp_path: Path, slug: str) -> None:
    filename, made = LARGE[slug]
    (tmp_path / "spool").write_bytes(made())
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path / "spool"), filename],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 90 * MIB


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
@pytest.mark.parametrize(
    "made",
    [
        make_wheel("frog", "1.0"),
        *(make_sdist("frog", "1.0", format=name) for name in ("tar.gz", "tar.bz2", "tar", "zip")),
    ],
    ids=lambda made: made[0],
)
def test_an_error_of_the_disk_is_not_blamed_on_the_archive(
    read: Read, monkeypatch: pytest.MonkeyPatch, made: tuple[str, bytes], code: int
) -> None:
    opening = Path.open

    class Failing(io.FileIO):
        """Reads what decides on the kind of archive, and then fails."""

        reads = 0

        def read(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            if self.reads > 2:
                raise OSError(code, os.strerror(code))
            return super().read(size) or b""

    def open_failing(self: Path, mode: str = "r", *rest: Any) -> IO[Any]:
        return cast("IO[Any]", Failing(self)) if mode == "rb" else opening(self, mode, *rest)

    monkeypatch.setattr(Path, "open", open_failing)
    with pytest.raises(OSError, match=os.strerror(code)) as failed:
        read(*made)
    assert failed.value.errno == code


def test_a_file_that_is_not_there_is_no_refusal(tmp_path: Path) -> None:
    named = parse_filename(WHEEL, name="frog", version="1.0")
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "gone", named, rules=Rules.COMPATIBLE, file_limit=GIB)


def test_findings_are_bounded(read: Read, tmp_path: Path) -> None:
    lines = [
        f"Requires-Dist: dep{number} @ https://example.org/{'x' * 900}" for number in range(99)
    ]
    path = tmp_path / "spool"
    path.write_bytes(make_wheel("frog", "1.0", extra_headers=lines)[1])
    named = parse_filename(WHEEL, name="frog", version="1.0")
    findings = inspect(path, named, rules=Rules.COMPATIBLE, file_limit=GIB).findings
    assert len(findings) == limits.MAX_FINDINGS
    assert max(map(len, findings)) <= limits.MAX_FINDING
