"""The Range header: what pip, uv and Poetry ask for, and what else may come."""

from __future__ import annotations

import pytest

from pypi.answer import Ask
from pypi.ranges import Unsatisfiable, asked_range

ETAG, MODIFIED = '"abc"', "Fri, 20 Nov 2026 12:00:00 GMT"


def asked(value: str, *, size: int = 100, **headers: str) -> tuple[int, int] | None:
    sent = {"range": value} | {name.replace("_", "-"): headers[name] for name in headers}
    ask = Ask(method="GET", tenant="acme", key="local", headers=sent)
    return asked_range(ask, size=size, etag=ETAG, modified=MODIFIED)


@pytest.mark.parametrize(
    ("value", "start", "length"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-19", 10, 10),
        ("bytes=90-", 90, 10),
        ("bytes=-10", 90, 10),
        ("bytes=-1000", 0, 100),
        ("bytes=0-1000", 0, 100),
        ("bytes=99-99", 99, 1),
        ("bytes = 0 - 0", 0, 1),
    ],
)
def test_one_range_is_understood(value: str, start: int, length: int) -> None:
    assert asked(value) == (start, length)


@pytest.mark.parametrize(
    "value", ["", "bytes=-", "bytes=5-2", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes=1"]
)
def test_what_is_no_single_range_asks_for_everything(value: str) -> None:
    assert asked(value) is None


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_of_the_file_cannot_be_had(value: str) -> None:
    with pytest.raises(Unsatisfiable):
        asked(value)


def test_an_empty_file_has_no_ranges() -> None:
    with pytest.raises(Unsatisfiable):
        asked("bytes=0-", size=0)


@pytest.mark.parametrize("validator", [ETAG, MODIFIED])
def test_if_range_with_the_same_bytes_keeps_the_range(validator: str) -> None:
    assert asked("bytes=1-", if_range=validator) == (1, 99)


@pytest.mark.parametrize("validator", ['"other"', 'W/"abc"', "Fri, 20 Nov 2026 11:00:00 GMT"])
def test_if_range_with_other_bytes_asks_for_everything(validator: str) -> None:
    assert asked("bytes=1-", if_range=validator) is None
