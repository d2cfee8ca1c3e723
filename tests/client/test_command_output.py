"""What is printed, for people and for scripts."""

from __future__ import annotations

import io
import json
import sys

import pytest

from larder_client.output import bar, show

ROWS = [{"name": "frog", "is_shown": True, "x": None}, {"name": "a-toad", "is_shown": False}]


def test_a_table_has_a_column_for_each_name(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, ("name", "is_shown", "x"), as_json=False)
    assert (
        capsys.readouterr().out == "NAME    IS SHOWN  X\nfrog    yes       -\na-toad  no        -\n"
    )


def test_scripts_get_all_of_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, ("name",), as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS


def test_what_others_wrote_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"name": "\x1b[2Jfrog\nroot"}], ("name",), as_json=False)
    assert capsys.readouterr().out.splitlines()[1] == "?[2Jfrog?root"


def test_a_bar_is_for_who_looks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, drawn in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        bar("frog.whl", 1_000_000, 2_000_000)
        bar("frog.whl", 2_000_000, 2_000_000)
        assert bool(stream.getvalue()) is drawn
    assert " 50% of 2.0 MB" in stream.getvalue()
    assert stream.getvalue().endswith("100% of 2.0 MB\n")
