"""Damaged archives: the gate refuses them, or every reader sees in them what the gate sees."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from base.errors import InvalidInput
from packages.archive import inspect
from packages.filenames import parse_filename
from repos.models import GIB
from repos.rules import Rules
from tests.archives.cases import SDIST, WHEEL
from tests.archives.reading import seen_by_gnu_tar, seen_by_python, seen_by_the_gate
from tests.archives.tars import GNU, OLD, long_name, member, pax, sdist_of
from tests.archives.zips import End, described, wheel_parts, zip_made_of
from tests.dists import make_egg, make_sdist, make_wheel

SEEDS = {
    "wheel": (WHEEL, make_wheel("frog", "1.0")[1]),
    "wheel-of-zip64": (WHEEL, zip_made_of(wheel_parts(), End(zip64={}))),
    "wheel-of-a-stream": (WHEEL, zip_made_of([described(part) for part in wheel_parts()])),
    "egg": make_egg("frog", "1.0"),
    "sdist": make_sdist("frog", "1.0"),
    "sdist-of-bzip2": make_sdist("frog", "1.0", format="tar.bz2"),
    "sdist-of-zip": make_sdist("frog", "1.0", format="zip"),
    # Not packed, so that the damage reaches the headers.
    "tar": ("frog-1.0.tar", make_sdist("frog", "1.0", format="tar")[1]),
    "tar-with-headers": (
        "frog-1.0.tar",
        sdist_of(
            pax({"comment": "frog"}, b"g"),
            pax({"path": "frog-1.0/" + "n" * 120, "mtime": "1.5"}),
            member("frog-1.0/" + "n" * 91, b"x"),
            long_name(b"frog-1.0/" + b"m" * 120),
            member("frog-1.0/" + "m" * 91, b"y"),
            member("frog-1.0/link", kind=b"2", link=b"PKG-INFO"),
        ),
    ),
}

# Where, and what is done there: bytes put over, put in, taken out; or the rest cut off.
Damage = tuple[float, str, bytes]
BYTES = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from(
        [b"\0", b"\xff", b"\xff\xff\xff\xff", b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7"]
    ),
    st.sampled_from([b"../", b"/", b"\\", b"0", b"7", b"x", b"g", b"L", b"K", b"2", b"5", b" "]),
)
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["over", "in", "out", "cut"]), BYTES), max_size=6
)


def damaged(content: bytes, damage: list[Damage]) -> bytes:
    """Return an archive after some accidents."""
    for place, what, put in damage:
        at = int(place * len(content))
        match what:
            case "over":
                content = content[:at] + put + content[at + len(put) :]
            case "in":
                content = content[:at] + put + content[at:]
            case "out":
                content = content[:at] + content[at + len(put) :]
            case _:
                content = content[:at]
    return content


@pytest.mark.parametrize("slug", SEEDS)
@given(damage=DAMAGE)
@example(damage=[])
@settings(deadline=None, max_examples=150, derandomize=True)
def test_damage_is_refused_or_harmless(slug: str, damage: list[Damage]) -> None:
    filename, content = SEEDS[slug]
    named = parse_filename(filename, name="frog", version="1.0")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, filename)
        path.write_bytes(damaged(content, damage))
        started = time.process_time()
        try:
            findings = inspect(path, named, rules=Rules.COMPATIBLE, file_limit=GIB).findings
        except InvalidInput as refused:
            findings = (refused.sentence,)
        else:
            is_zip = filename.endswith((".whl", ".egg", ".zip"))
            gate = seen_by_the_gate(path, named)
            assert seen_by_python(path, is_zip=is_zip) == gate
            assert is_zip or seen_by_gnu_tar(path) == gate
        assert time.process_time() - started < 5
    for sentence in findings:
        assert sentence.isascii()
        assert sentence.isprintable()


LONG = b"frog-1.0/" + b"n" * 90
NAMES = st.sampled_from(
    (
        *(b"frog-1.0/x", b"frog-1.0/x/", b"frog-1.0/x//", b"./frog-1.0/y", b"frog-1.0", b"x/", b""),
        *(LONG + b"/", LONG + b"n", LONG + b"/more", LONG + b"nmore", LONG + b"nmore/"),
        *("frog-1.0/\u00f6".encode(), "frog-1.0/\u00f6/".encode(), b"frog-1.0/x\0y/"),
    )
)
EVIL = member("frog-1.0/evil.py", b"print('evil')")
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from([b"\0", b"\0", b"5", b"5", b"2", b"1", b"7", b"A"]),
        "magic": st.sampled_from([GNU, OLD, b"ustar\0\0\0"]),
        "prefix": st.sampled_from([b"", b"", b"frog-1.0", b"frog-1.0/d"]),
        "length": st.sampled_from(
            [b"00000001000\0", b"1000 \0", b"\0" + b"0001000\0", b"\x80" + bytes(9) + b"\2\0"]
        ),
        "link": st.sampled_from([b"PKG-INFO", b"frog-1.0/PKG-INFO"]),
    },
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "path": NAMES,
        "linkpath": NAMES,
        "size": st.sampled_from(["0", "512", "1024", "0" * 20 + "512"]),
        "mtime": st.sampled_from(["1.5", "x"]),
    },
)
EXTENSIONS = st.one_of(
    st.just(b""),
    st.builds(pax, RECORDS),
    st.builds(long_name, NAMES, st.sampled_from([b"L", b"L", b"K"])),
)
MEMBERS = st.builds(
    lambda extension, name, data, fields: extension + member(name, data, **fields),
    *(EXTENSIONS, NAMES, st.sampled_from([b"", b"x", EVIL]), FIELDS),
)


@given(members=st.lists(MEMBERS, min_size=1, max_size=2))
@settings(deadline=None, max_examples=600, derandomize=True)
def test_whatever_headers_say_every_reader_sees_the_same_or_nothing(members: list[bytes]) -> None:
    named = parse_filename("frog-1.0.tar", name="frog", version="1.0")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, named.filename)
        path.write_bytes(sdist_of(*members))
        try:
            inspect(path, named, rules=Rules.COMPATIBLE, file_limit=GIB)
        except InvalidInput:
            return
        gate = seen_by_the_gate(path, named)
        assert seen_by_python(path, is_zip=False) == gate
        assert seen_by_gnu_tar(path) == gate


def test_the_seeds_are_good() -> None:
    assert {SDIST, WHEEL} < {filename for filename, _ in SEEDS.values()}
