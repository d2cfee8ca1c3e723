"""Hostile archives before the reader: each bounded in time and memory, each with its reason.

With LARDER_TEST_COUNTS=full also those that take seconds of the processor by design.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from packages.reading import ArchiveFacts, Limits, Reader, ReadingFailed
from packages.reading.limits import MIB, PATIENCE
from tests.archives.bad_readmes import SLOW
from tests.archives.harmless import require_harmless
from tests.archives.hostile_readings import HOSTILE_READINGS, LONG, HostileReading
from tests.journeys.distributions import IS_FULL
from tests.journeys.memory import resident

pytestmark = pytest.mark.measured

# Of the clock on the wall; a busy machine takes its time, so that the kernel's own count of the
# processor's time is what bounds a reading.
SECONDS = PATIENCE * (Limits().readme_seconds + 10)
MEMORY = Limits().memory


class Watched(Reader):
    """A Reader of which is noted how long it took, and what its processes held at the most."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[tuple[float, int, str]] = []

    def note(self, seconds: float, slug: str) -> None:
        """Note what reading an archive came to."""
        self.figures.append((seconds, self.peak, slug))

    @property
    def peak(self) -> int:
        """Return what the present process held at the most; 0 if there is none any more."""
        if self.pid is None:
            return 0
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            return resident(self.pid)
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        assert found
        return int(found[1]) * 1024


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """A Reader for all of them; the figures are for whoever looks (pytest -s)."""
    with Watched() as reader:
        yield reader
    longest, largest = (max(reader.figures, key=lambda row: row[at]) for at in (0, 1))
    print(  # noqa: T201
        f"\n{len(reader.figures)} hostile archives. Longest: {longest[0]:.1f} s ({longest[2]}). "
        f"Largest process: {largest[1] / MIB:.0f} MiB (after {largest[2]})"
    )


CASES = [case for case in HOSTILE_READINGS if IS_FULL or case.slug not in LONG]


@pytest.mark.parametrize("case", CASES, ids=[case.slug for case in CASES])
def test_a_hostile_archive(watched: Watched, tmp_path: Path, case: HostileReading) -> None:
    path = tmp_path / "spooled"
    path.write_bytes(case.content())
    began = time.monotonic()
    found, sentence = attempt(watched, path, case.filename)
    seconds = time.monotonic() - began
    watched.note(seconds, case.slug)
    assert seconds < SECONDS
    assert watched.peak < MEMORY
    if case.fails or found is None:
        assert case.fails
        assert case.fails in sentence
        assert sentence.isascii()
        assert sentence.isprintable()
        return
    require_harmless(found)
    said = found.facts["problems"]["items"]
    assert not case.problem or any(case.problem in each for each in said), said
    if case.is_readme:
        require_reason(case.readme, found.facts["readme"])


def test_there_are_a_hundred_of_them() -> None:
    assert len(CASES) >= 100
    assert len({case.slug for case in HOSTILE_READINGS}) == len(HOSTILE_READINGS)


def require_reason(expected: str, readme: dict[str, str]) -> None:
    """Require the reason why a README is shown as it stands; a slow machine may have one more."""
    reason = readme["reason"]
    assert not reason or readme["format"] == "plain"
    if not reason.startswith(SLOW):
        assert expected in reason or expected == SLOW
        assert bool(expected) == bool(reason) or expected == SLOW


def attempt(reader: Reader, path: Path, filename: str) -> tuple[ArchiveFacts | None, str]:
    try:
        return reader.read(path, filename), ""
    except ReadingFailed as failed:
        return None, failed.sentence
