"""The thread that writes down what requests have noted."""

from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError

from base import notes


@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
def test_the_thread_goes_on_after_a_failure(monkeypatch, failure: type[Exception]) -> None:
    class Stop(Exception):
        """Ends the endless loop."""

    rounds: list[float] = []
    written: list[str] = []

    def wait(seconds: float) -> None:
        rounds.append(seconds)
        if len(rounds) == 3:
            raise Stop

    def fails_at_first() -> None:
        if len(rounds) == 1:
            raise failure("the database is not there")
        written.append("notes")

    monkeypatch.setattr("base.notes.connection", type("C", (), {"close": lambda _: None})())
    monkeypatch.setattr("base.notes.time", type("T", (), {"sleep": staticmethod(wait)}))
    with pytest.raises(Stop):
        notes._write_for_ever(fails_at_first)
    assert (len(rounds), written) == (3, ["notes"])
