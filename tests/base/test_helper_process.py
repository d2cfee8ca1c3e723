"""A process beside this one: whatever it does, who asks gets an answer or is told that none is."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from base.helper_process import Gone, HelperAway, HelperProcess
from tests.processes import WITHIN, wait_until

LARGE = 1024 * 1024


def odd(way: str) -> HelperProcess:
    return HelperProcess("tests.odd_helpers", way, does="is odd", answer_at_most=2 * LARGE)


def gone(way: str, request: bytes = b"a", within: float = WITHIN) -> Gone:
    helper = odd(way)
    with pytest.raises(Gone) as raised:
        helper.answer_to(request, within=within)
    with pytest.raises(ChildProcessError):  # it was waited for: no zombie
        os.waitpid(helper.pid, os.WNOHANG)
    assert not helper.is_alive
    return raised.value


def test_it_answers_one_request_after_another() -> None:
    helper = odd("echoing")
    try:
        assert helper.answer_to(b"one", within=WITHIN) == b"one"
        assert helper.answer_to(b"", within=WITHIN) == b""
        large = os.urandom(LARGE)
        assert helper.answer_to(large, within=WITHIN) == large
        assert helper.is_alive
    finally:
        helper.end()


@pytest.mark.parametrize("way", ["talking", "breaking off", "short"])
def test_what_is_no_answer_ends_it(way: str) -> None:
    found = gone(way)
    assert (found.signal_number, found.is_late) == (0, False)


@pytest.mark.parametrize(("way", "asked"), [("silent", b"a"), ("deaf", b"a" * LARGE)])
def test_who_says_nothing_is_waited_for_so_long(way: str, asked: bytes) -> None:
    began = time.monotonic()
    assert gone(way, asked, within=0.3).is_late
    assert 0.3 <= time.monotonic() - began < WITHIN


def test_who_computes_for_ever_is_stopped_by_the_kernel() -> None:
    found = gone("busy")
    assert (found.signal_number, found.is_late) == (signal.SIGPROF, True)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not bound private memory")
def test_who_takes_too_much_memory_is_gone() -> None:
    found = gone("flooded")
    assert (found.signal_number, found.is_late) == (0, False)


def test_one_that_does_not_start_is_away() -> None:
    with pytest.raises(HelperAway) as raised:
        odd("unable")
    assert str(raised.value) == "The process that is odd does not start."


def test_one_that_nobody_asks_leaves() -> None:
    helper = odd("leaving")
    wait_until(lambda: not helper.is_alive)
    helper.end()


def test_it_may_write_no_file(tmp_path: Path) -> None:
    helper = odd("writing")
    try:
        path = tmp_path / "written"
        assert helper.answer_to(os.fsencode(path), within=WITHIN) == b"OSError"
        assert path.read_bytes() == b""
    finally:
        helper.end()
