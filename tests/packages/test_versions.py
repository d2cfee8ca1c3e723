"""The order of versions: as text for the database, and which one a newcomer gets."""

from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from packages.versions import newest_version, version_key

# PEP 440's own examples of the order, and the corners between them.
IN_ORDER = """
    0.dev0 0a0 0 0.0.0.1 1.dev0 1.0.dev456 1.0a0.dev0 1.0a1.dev1 1.0a1 1.0a1.post0.dev1
    1.0a1.post0 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456
    1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0+a 1.0+a.b 1.0+a.0 1.0+ab 1.0+abc.5 1.0+abc.7 1.0+b
    1.0+0 1.0+0.0 1.0+0.1 1.0+5 1.0+10 1.0+10.a 1.0+10.1 1.0.post0.dev0 1.0.post0.dev0+x
    1.0.post0 1.0.post456.dev34 1.0.post456 1.0.0.1 1.0.15 1.1.dev1 1.1 1.9 1.10 2 99 100
    20260101 20260101000000 9999999999999999999 99999999999999999999999999
    100000000000000000000000000 1!0.dev0 1!0 1!1 2!0 10!0
""".split()  # noqa: SIM905 - read as lines of a text


# Few values that often meet: most pairs of versions are then alike up to some later part.
NUMBERS = st.sampled_from([0, 1, 2, 9, 10, 99, 100, 10**18, 10**24, 10**25, 10**26, 10**27])
WORDS = st.sampled_from(["a", "ab", "b", "z9", "0a", "0", "1", "9", "10", str(10**26)])
VERSIONS = st.builds(
    lambda *parts: Version("".join(parts)),
    st.sampled_from(["", "", "0!", "1!", "10!"]),
    st.lists(NUMBERS, min_size=1, max_size=3).map(lambda release: ".".join(map(str, release))),
    st.sampled_from(["", ".0", ".0.0"]),
    st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), NUMBERS)),
    st.one_of(st.just(""), NUMBERS.map(".post{}".format)),
    st.one_of(st.just(""), NUMBERS.map(".dev{}".format)),
    st.one_of(st.just(""), st.lists(WORDS, min_size=1, max_size=3).map(".".join).map("+{}".format)),
)


def test_version_keys_sort_as_pep_440_orders() -> None:
    parsed = [Version(text) for text in IN_ORDER]
    assert parsed == sorted(parsed)
    keys = [version_key(version) for version in parsed]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1.0.0"), ("0", "0.0"), ("0!1", "1"), ("1.0-1", "1.0.post1"), ("1+A.01", "1.0+a.1")],
)
def test_equal_versions_have_equal_keys(one: str, other: str) -> None:
    assert version_key(Version(one)) == version_key(Version(other))


@given(st.lists(VERSIONS, min_size=2, max_size=12), VERSIONS)
@settings(deadline=None, max_examples=150)
def test_keys_compare_as_their_versions(drawn: list[Version], near: Version) -> None:
    tail = str(near).removeprefix(near.base_version)
    drawn += [Version(version.base_version + tail) for version in drawn]
    keyed = [(version, version_key(version)) for version in drawn]
    for (one, first), (other, second) in itertools.combinations(keyed, 2):
        assert (first < second, first == second) == (one < other, one == other)
    # Nothing that a collation could fold or a column could trim.
    assert set("".join(key for _, key in keyed)) <= set(string.ascii_lowercase + "0123456789!-")


@given(st.integers(0, 10**60), st.integers(0, 10**60))
@settings(deadline=None, max_examples=100)
def test_numbers_of_any_length_compare_as_numbers(one: int, other: int) -> None:
    first, second = version_key(Version(str(one))), version_key(Version(str(other)))
    assert (first < second) == (one < other)


@pytest.mark.parametrize(
    ("offered", "newest"),
    [
        ({}, ""),
        ({"1.0": True}, "1.0"),
        ({"1.9": True, "1.10": True}, "1.10"),
        ({"1.0": True, "2.0rc1": True}, "1.0"),
        ({"2.0rc1": True, "2.0.dev1": True}, "2.0rc1"),
        ({"1.0": True, "2.0": False}, "1.0"),
        ({"1.0": False, "2.0": False}, "2.0"),
        ({"1.0": False, "2.0rc1": True}, "2.0rc1"),
        ({"1!0.1": True, "9.0": True}, "1!0.1"),
    ],
)
def test_final_and_offered_come_first(offered: dict[str, bool], newest: str) -> None:
    assert newest_version(offered) == newest
