"""Which version a newcomer gets."""

from __future__ import annotations

import pytest

from packages.newest import newest_version


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
