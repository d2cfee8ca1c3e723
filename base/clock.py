"""The one place that tells the time, so that tests can tell it another.

Every rule that depends on time asks `now()`. A test moves it with `use()`; no test sleeps for
real minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system_time() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_time


def now() -> datetime:
    """Return the present time, aware and in UTC."""
    return _source()


@contextmanager
def use(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `source` tell the time within the block (for tests)."""
    global _source  # noqa: PLW0603 - the clock is one per process, on purpose
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
